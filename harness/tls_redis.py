"""A Redis that speaks TLS only, with certificates of its own authority: Debian's, since Valkey's wheel has no TLS."""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path

from harness.processes import Valkey

PROGRAMS = ("redis-server", "openssl")
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def missing() -> list[str]:
    """Return the programs that are not installed."""
    return [name for name in PROGRAMS if shutil.which(name) is None]


class Authority:
    """A certificate authority in a directory."""

    def __init__(self, directory: Path, name: str = "ca") -> None:
        self.directory = directory
        self.certificate, self._key = directory / f"{name}.pem", directory / f"{name}.key"
        _openssl(
            "req", "-x509", *KEY, "-keyout", self._key, "-out", self.certificate, "-days", "2", "-subj", "/CN=Test CA"
        )

    def issue(self, name: str, alternative: str) -> tuple[Path, Path]:
        """Issue a certificate for an alternative name such as `IP:127.0.0.1`; returns the paths of it and its key."""
        request, certificate, key = (self.directory / f"{name}.{kind}" for kind in ("csr", "pem", "key"))
        subject = ("-subj", f"/CN={name}", "-addext", f"subjectAltName={alternative}")
        _openssl("req", *KEY, "-keyout", key, "-out", request, *subject)
        signer = ("-CA", self.certificate, "-CAkey", self._key, "-CAcreateserial")
        _openssl("x509", "-req", "-in", request, *signer, "-days", "2", "-copy_extensions", "copy", "-out", certificate)
        return certificate, key


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class TlsRedis(Valkey):
    """Debian's Redis with TLS. It wants a certificate of its authority from each client."""

    def __init__(self, directory: Path, *options: str, alternative: str = "IP:127.0.0.1") -> None:
        super().__init__(directory, *options)
        self.authority = Authority(directory)
        self._server = self.authority.issue("server", alternative)
        self.client = self.authority.issue("client", "DNS:client")
        self.url = self.url_with(self.authority)

    def url_with(self, authority: Authority) -> str:
        """Return the address for clients that trust this authority."""
        certificate, key = self.client
        options = f"ssl_ca_certs={authority.certificate}&ssl_certfile={certificate}&ssl_keyfile={key}"
        return f"rediss://127.0.0.1:{self.port}/0?{options}"

    def command(self) -> list[str]:
        """Return the server's program and the options for its port."""
        certificate, key = self._server
        tls = {"port": self.port, "cert-file": certificate, "key-file": key, "ca-cert-file": self.authority.certificate}
        command = ["redis-server", "--port", "0", "--tls-auth-clients", "yes"]
        return command + [word for name, value in tls.items() for word in (f"--tls-{name}", str(value))]

    def answers(self) -> bool:
        """Return whether it listens; it does so as soon as it has read its certificates and users."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
