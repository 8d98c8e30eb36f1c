"""Asks the vendor, with free calls of the user's own account, which of our assumptions hold there."""
