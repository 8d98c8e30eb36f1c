"""Submitting a render: the vendor calls that start it, each announced in the ledger before it is made."""
