"""The demo: the Procfile's processes on this machine, real renders on the sandbox, and checks of the results."""
