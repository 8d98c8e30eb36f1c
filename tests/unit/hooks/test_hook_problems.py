"""Errors about settings that a hook cannot work with, for requests and at start."""

import pytest

from renderline.hooks import DownloadHook, HttpHook
from renderline.http import origin
from renderline.storage import Folder
from renderline.tenants import Tenant, Tenants

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TENANTS = Tenants(unlisted=Tenant(name="default", hook_secrets=(SECRET,)))
HOOK = {"type": "http", "url": "https://example.com/done"}


def test_http_without_a_secret_names_the_variable():
    assert HttpHook(Tenants()).problem(HOOK) == "set RENDERLINE_HOOK_SECRET (whsec_...)"
    assert HttpHook(TENANTS).problem(HOOK) is None


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST", "localhost.", "x.localhost", "127.0.0.1", "127.1", "2130706433", "0x7f.1", "0177.0.0.1",
     "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
     "[::1]", "[::]", "[::ffff:10.0.0.1]", "[fe80::1]", "[fd00::1]"],
)  # fmt: skip
def test_private_literals_are_refused_at_the_door_unless_allowed(host):
    hook = {"type": "http", "url": f"http://{host}:8080/done"}
    problem = HttpHook(TENANTS).problem(hook)
    assert problem is not None
    assert "RENDERLINE_ALLOW_PRIVATE_HOOKS" in problem
    assert HttpHook(TENANTS, allow_private=True).problem(hook) is None


@pytest.mark.parametrize("host", ["example.com", "8.8.8.8", "[2606:2800:220:1::1]", "localhost.example.com"])
def test_public_hosts_and_names_pass_the_door_without_a_lookup(host):
    assert HttpHook(TENANTS).problem({"type": "http", "url": f"https://{host}/done"}) is None


def test_download_without_a_storage_names_the_variable():
    assert str(DownloadHook(None).problem({"type": "download"})).startswith("set RENDERLINE_STORAGE_URL")
    assert DownloadHook("file:///videos").problem({"type": "download"}) is None


@pytest.mark.parametrize(
    ("storage", "url", "fits"),
    [
        ("file:///videos", "file:///videos/a", True),
        ("file:///videos", "file:///videos", True),
        ("file:///videos", "file:///videos%2Fa", True),
        ("file:///videos/", "file://localhost/videos/a/", True),
        ("file:///", "file:///videos", True),
        ("file:///videos", "file:///videos2", False),
        ("file:///videos", "file:///etc", False),
        ("file:///videos", "memory://videos", False),
        ("memory://videos", "memory://other", True),
        ("memory://videos", "file:///videos", False),
        ("ftp://files.example.com/videos", "ftp://files.example.com/videos/a", True),
        ("ftp://files.example.com/videos", "ftp://10.0.0.1/videos", False),
    ],
)
def test_a_hooks_own_url_must_be_of_the_storages_kind_and_on_a_disk_below_it(storage, url, fits):
    problem = DownloadHook(storage).problem({"type": "download", "url": url})
    assert (problem is None) == fits
    assert fits or "RENDERLINE_STORAGE_URL" in str(problem)


@pytest.mark.parametrize("url", ["videos", "file:videos", "file://host/videos", "file:///a/../b", "gopher://x/y"])
def test_a_bad_storage_is_found_at_start(url):
    with pytest.raises(ValueError, match=r"^RENDERLINE_STORAGE_URL: "):
        DownloadHook(url)


def test_a_storages_password_is_never_told():
    folder = Folder("ftp://me:topsecret@files.example.com:2121/videos/a@b")
    assert folder.url == "ftp://files.example.com:2121/videos/a@b"
    assert folder.url_of("r1.mp4") == "ftp://files.example.com:2121/videos/a@b/r1.mp4"
    assert folder.describe(OSError("530 me:topsecret refused")) == "OSError: 530 me:*** refused"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:pw@example.com:8443/a?b=c", "https://example.com:8443"),
        ("http://[::1]:80/x", "http://[::1]:80"),
        ("http://[bad/x?y", "an unreadable URL"),
    ],
)
def test_of_a_url_only_the_origin_is_shown(url, shown):
    assert origin(url) == shown
