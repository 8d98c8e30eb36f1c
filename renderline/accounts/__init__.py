"""The parts of one vendor account: its API clients, shared token, rate limit and circuit breaker."""
