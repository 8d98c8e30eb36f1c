"""The processes: the Celery app, the composition roots, the embedded Redis and the demo."""
