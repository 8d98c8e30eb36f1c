"""What may vary between deployments: settings, Celery options, logging, Flower."""
