"""Which tenant a request is for, by its door, and what a page tells of others."""

import pytest

import renderline.ledger.pages as pages_module
from harness import a_request
from harness.ledger import LedgerDriver
from harness.recorded_dispatcher import RecordedDispatcher
from renderline.acceptance import Acceptor
from renderline.contract import render_id_for_key, render_id_for_message
from renderline.ledger import Filter, Queries
from renderline.requests import RequestRefused
from renderline.tenants import BROKER, COMMAND_LINE, Tenants


@pytest.fixture
def acceptor(driver: LedgerDriver) -> Acceptor:
    known = Tenants(broker=("default", "acme"))
    return Acceptor(driver.ledger, RecordedDispatcher(), ("default",), {}, 60.0, 10_000, known)


def test_a_message_names_the_tenants_that_the_setting_lists(acceptor, driver):
    def accept(tenant, **options):
        request = a_request(hooks=[]) if tenant is None else {**a_request(hooks=[]), "tenant": tenant}
        return acceptor.accept(request, **{"key": "k", "message_id": "m", "actor": BROKER, **options})

    assert accept(None) == accept("default") == render_id_for_key("k")
    assert accept("acme") == render_id_for_key("k", "acme")
    assert accept("acme", key=None) == render_id_for_message("m", "acme")
    with pytest.raises(RequestRefused, match="tenant: messages may name acme, default, as RENDERLINE_BROKER_TENANTS"):
        accept("globex")
    assert accept("globex", actor=COMMAND_LINE) == render_id_for_key("k", "globex"), "the command line may name any"
    shown = driver.record(render_id_for_key("k", "acme"))
    assert (shown["tenant"], shown["accepted_by"]) == ("acme", "broker")


def test_the_cursor_of_the_default_tenant_tells_no_id_of_another(driver, monkeypatch):
    monkeypatch.setattr(pages_module, "_ROWS", 3)
    own = [f"{number:032x}" for number in range(6)]
    for number, one in enumerate(own):
        driver.accept(one)
        driver.accept(f"{number + 100:032x}", tenant="acme")
        if number % 2:
            driver.clock.forward(1.0)
    queries, found, cursor = Queries(driver.ledger), [], None
    while True:
        page, cursor = queries.page(Filter(tenant="default"), limit=2, cursor=cursor, scan_limit=3)
        found += [record["id"] for record in page]
        if cursor is None:
            break
        assert cursor.partition("-")[2] in (*own, "f" * 32)
    assert sorted(found) == own, "each once"
