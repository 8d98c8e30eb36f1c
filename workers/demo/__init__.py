"""The demo: the Procfile's processes on this machine, real renders on the sandbox, and a check of what came out."""
