"""Repairs: every place where Renderline uses the private parts of kombu and Celery.

A module for each repair. Its docstring says what the libraries do, what the repair does instead, and which upstream
issue it answers. `registry.py` lists them all, with the versions and names that each one needs.
"""
