"""`python -m workers.cli`, the same as `renderline`."""

from workers.cli import main

main()
