"""The Celery tasks: thin functions, the only place that knows Celery's retry."""
