"""The floor: the HTTP calls of renders by bare `requests` on a kept-alive session, one after another, nothing else."""
