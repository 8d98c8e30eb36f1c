"""The configuration of a deployment: settings, Celery options, logging, Flower."""
