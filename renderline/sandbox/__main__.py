"""`python -m renderline.sandbox`: run the emulator of the AI Studios API."""

import asyncio
import sys

from renderline.sandbox.options import parse_options
from renderline.sandbox.server import serve


def main() -> int:
    """Serve until a signal comes; the exit code is 1 if the port cannot be had."""
    options = parse_options()
    try:
        asyncio.run(serve(options))
    except OSError as error:
        print(f"sandbox: cannot listen on {options.host}:{options.port}: {error.strerror or error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
