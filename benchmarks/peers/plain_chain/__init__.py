"""A render as a plain Celery chain: build, submit, poll, two hooks; no ledger beside the broker."""
