"""Metrics for Prometheus: what the ledger holds, read when somebody asks, and what each process counts."""
