"""An object store with the S3 API, as a process: moto's server."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from harness.http_call import call
from harness.ports import free_port
from harness.processes import Server

REGION: Final = "us-east-1"


class ObjectStore(Server):
    """A store that keeps everything in memory; any credentials are good."""

    alive = "/moto-api/"

    def __init__(self, log: Path) -> None:
        port = free_port()
        super().__init__([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], port=port, log=log)

    @property
    def environ(self) -> dict[str, str]:
        """Return what a process needs to reach it."""
        return environ_of(self.url)

    def make_bucket(self, name: str) -> None:
        """Make a bucket."""
        call("PUT", f"{self.url}/{name}", headers={"Host": f"s3.{REGION}.amazonaws.com"}).raise_for_status()


def environ_of(endpoint: str) -> dict[str, str]:
    """Return the variables with which the AWS libraries call this endpoint."""
    assert urlsplit(endpoint).port
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "access-key",
        "AWS_SECRET_ACCESS_KEY": "secret-key",
        "AWS_DEFAULT_REGION": REGION,
    }
