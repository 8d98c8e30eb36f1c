"""The command line: what people and scripts do, on the same Redis and with the same settings as the workers."""

from workers.cli.program import main

__all__ = ["main"]
