"""`make audit` finds a planted key, a known hole and an unknown licence, and names what it cannot ask."""

import importlib
import json
import secrets
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from harness import ROOT

HASH = "--hash=sha256:" + "0" * 64
LOCK = f"first==1.0 {HASH}\nsecond==2.0 {HASH}\n"


@pytest.fixture
def audit(monkeypatch):
    """Import a module of the audit."""
    monkeypatch.syspath_prepend(ROOT / ".ci" / "audit")
    return importlib.import_module


def said(results):
    return [(result.verdict, result.text) for result in results]


@pytest.fixture
def checkout(tmp_path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    return tmp_path


def planted():
    """Return keys of every kind that is looked for. None stands in this file: the scan reads it too."""
    made = secrets.token_hex(16)
    return {
        "config/keys.py": f'PASSWORD = "{made}-Xq"\n',
        "docs/how.md": f"curl -H 'Authorization: Bearer rl_{secrets.token_hex(6)}_{secrets.token_urlsafe(32)}'\n",
        "config/url.py": f'URL = "redis://user:{made}@redis.example.com/0"\n',
        "tests/unit/test_it.py": 'KEY = "AKIA' + secrets.token_hex(8).upper() + '"\n',
        "examples/key.pem": "-----BEGIN RSA " + "PRIVATE KEY-----\n",
    }


def test_planted_keys_are_found_and_not_shown(audit, checkout):
    keys = planted()
    for path, text in keys.items():
        (checkout / path).parent.mkdir(parents=True, exist_ok=True)
        (checkout / path).write_text(text)
    found = said(audit("secret_scan").check(checkout))
    assert {text.partition(":")[0] for verdict, text in found if verdict == "FAIL"} == set(keys)
    shown = "".join(text for _, text in found)
    assert not [text for text in keys.values() if text.split('"')[1:2] and text.split('"')[1] in shown]


def test_a_line_that_says_so_and_an_ignored_file_are_passed_over(audit, checkout):
    key = secrets.token_hex(16)
    (checkout / "allowed.py").write_text(f'PASSWORD = "{key}"  # pragma: allowlist secret\n')
    (checkout / ".gitignore").write_text(".env\n")
    (checkout / ".env").write_text(f"RENDERLINE_SECRET_KEY={key}\n")
    assert said(audit("secret_scan").check(checkout)) == [("ok", "detect-secrets: no secret in 2 files")]


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        ("MIT", True),
        ("Apache Software License; BSD License", True),
        ("GPL-3.0-or-later OR MIT", True),
        ("GPL-3.0-or-later AND MIT", False),
        ("MIT License; GNU General Public License v3 (GPLv3)", False),
        ("UNKNOWN", False),
        ("", False),
    ],
)
def test_an_unknown_licence_is_not_allowed(audit, licence, allowed):
    assert audit("licences").is_allowed(licence) is allowed


def test_a_locked_package_without_an_allowed_licence_fails(audit, tmp_path, monkeypatch):
    licences = audit("licences")
    lock = tmp_path / "requirements.txt"
    lock.write_text(f"flask==3.1 {HASH}\ncertifi==2026 {HASH}\nno-such-package==1.0 {HASH}\n")
    monkeypatch.setattr(licences, "ALLOWED", {"BSD-3-Clause"})
    (foreign, missing) = said(licences.check(lock))
    assert foreign[0] == missing[0] == "FAIL"
    assert "certifi: the licence 'Mozilla Public License" in foreign[1]
    assert "no-such-package is locked but not installed" in missing[1]


@pytest.fixture
def database():
    """A database of advisories like OSV's, which knows the holes that the test names."""
    holes = {}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps({"vulns": holes.get(asked["package"]["name"], [])}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield holes, ("-s", "osv", "--osv-url", f"http://127.0.0.1:{server.server_port}/v1/query")
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_package_with_a_known_hole_fails(audit, database, tmp_path):
    holes, service = database
    (tmp_path / "requirements.txt").write_text(LOCK)
    check = audit("advisories").check
    assert said(check(tmp_path / "requirements.txt", [service])) == [
        ("ok", "pip-audit: no known hole in 2 locked packages (osv)")
    ]
    affected = {"package": {"ecosystem": "PyPI", "name": "second"}, "versions": ["2.0"]}
    affected["ranges"] = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.1"}]}]
    holes["second"] = [{"id": "PYSEC-2026-1", "modified": "2026-01-01T00:00:00Z", "affected": [affected]}]
    assert said(check(tmp_path / "requirements.txt", [service])) == [
        ("FAIL", "second 2.0: PYSEC-2026-1; use 2.1: make lock")
    ]


def test_no_database_skips_the_check_by_name(audit, tmp_path):
    (tmp_path / "requirements.txt").write_text(LOCK)
    nobody = ("-s", "osv", "--osv-url", "http://127.0.0.1:1/v1/query")
    ((verdict, text),) = said(audit("advisories").check(tmp_path / "requirements.txt", [nobody]))
    assert verdict == "skipped"
    assert "pip-audit: no database of advisories answers here (osv: " in text
