"""What the queue can ask for: thin tasks, the only place that knows retry, chain and errback."""
