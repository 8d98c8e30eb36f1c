"""The Celery tasks: thin functions. Only they use Celery's retry."""
