"""The Celery application: `celery -A workers.app worker -Q requests,submit,poll,hooks`."""

from workers.application import create_app
from workers.lifecycle import WorkerLifecycle

app = create_app()
WorkerLifecycle(app).connect()
