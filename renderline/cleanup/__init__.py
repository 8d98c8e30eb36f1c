"""Cleanup at the vendor: deletes our projects that no render needs any more."""
