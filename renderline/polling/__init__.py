"""Polling: finds due renders, asks the vendor about them, and decides what follows."""
