"""The command line for people and scripts, on the same Redis and settings as the workers."""

from workers.cli.program import main

__all__ = ["main"]
