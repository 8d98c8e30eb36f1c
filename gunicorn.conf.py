"""What gunicorn reads when it starts in this folder; bind and threads are on its command line."""

# Slow clients take no thread of it: docs/decisions says which servers were compared.
worker_class = "workers.gateway_worker.GatewayWorker"
