"""Polling: which renders are due, what the vendor says about them, and what that means."""
