"""Makes every alert of `deploy/observe` fire once: the real system, a real Prometheus, shortened times."""
