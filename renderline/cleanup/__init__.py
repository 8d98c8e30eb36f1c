"""Cleanup at the vendor: projects of ours that no render needs any more are deleted."""
