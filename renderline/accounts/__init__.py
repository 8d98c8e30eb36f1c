"""What acts for one vendor account: its API clients, shared token, rate limit and circuit breaker."""
