"""An account with a very long project list: recovery finds what it looks for."""

import json

from harness.fake_vendor import Answer, FakeVendor
from harness.fixed_token import FixedToken
from renderline.accounts.clients import AccountClients
from renderline.drafts import find_by_name
from renderline.studio import StudioV3

ONE = "0" * 31 + "1"
LONG = "s" * 100_000


def long_list(call):
    """Answer with 48 MB of projects, the one that is looked for at the end."""
    if call.name != "list":
        return None
    rows = [{"id": f"p{number}", "name": "other", "state": "exported", "scenes": [LONG]} for number in range(500)]
    rows.append({"id": "wanted", "name": f"Welcome [{ONE}]", "state": "draft", "scenes": [LONG]})
    body = json.dumps({"success": True, "data": rows}).encode()
    assert len(body) > 48_000_000
    return Answer(200, {"Content-Type": "application/json"}, body)


def test_a_project_list_beyond_32_mb_does_not_stop_recovery():
    with FakeVendor(override=long_list) as vendor:
        clients = AccountClients("main", StudioV3(vendor.url, tokens=FixedToken()), None)
        found = find_by_name(clients, ONE)
        assert getattr(found, "id", found) == "wanted"
        assert len(clients.use_v3().list_projects()) == 501
        assert vendor.calls["list"] == 2
