"""Polling: when a render is polled next, and what an answer of the vendor means for it."""
