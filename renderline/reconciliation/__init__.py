"""Settles what the vendor has done since the snapshot from which a ledger was restored."""
