"""Who acts, what they may name, and the ids of each tenant's renders."""

import pytest

from renderline.contract import render_id_for_key, render_id_for_message, tenant_error
from renderline.producer import RequestNotAccepted, enqueue_render, enqueue_renders
from renderline.tenants import BROKER, COMMAND_LINE, Actor, Tenant


class Sent:
    """An application that keeps what it is asked to send."""

    def __init__(self):
        self.requests = []

    def send_task(self, name, *, kwargs, **options):
        self.requests.append(kwargs["request"])


def test_the_ids_of_the_default_tenant_stay_as_they_were():
    for given in ((), ("default",)):
        assert render_id_for_key("order-A-17", *given) == "305e78ee6fcb53f48485bea503034926"
        assert render_id_for_message("m1", *given) == "1f56a22d46a958f0bcdb3fc033b98802"


def test_each_tenant_has_ids_of_its_own():
    made = [
        make("same", tenant) for make in (render_id_for_key, render_id_for_message) for tenant in ("default", "a", "b")
    ]
    assert len(set(made)) == 6
    for forged in ("tenant:a", "key:same", "a:same", "a/same"):
        assert render_id_for_key(forged) not in made


@pytest.mark.parametrize("name", ["", "A", "-a", "a b", "a\n", "a" * 65, 1, None, "ü"])
def test_a_bad_name_is_no_tenant(name):
    assert tenant_error(name)


@pytest.mark.parametrize("name", ["a", "default", "0-9_z", "a" * 64])
def test_a_good_name_is_a_tenant(name):
    assert tenant_error(name) is None


def test_a_producer_names_the_tenant_and_knows_the_id():
    app = Sent()
    assert enqueue_render(app, {"kind": "project"}, key="k", tenant="acme") == render_id_for_key("k", "acme")
    assert app.requests == [{"kind": "project", "tenant": "acme"}]
    assert enqueue_render(app, {"kind": "project", "tenant": "acme"}, key="k") == render_id_for_key("k", "acme")
    assert enqueue_render(app, {"kind": "project"}, key="k") == render_id_for_key("k")
    assert app.requests[-1] == {"kind": "project"}
    with pytest.raises(RequestNotAccepted, match="tenant: must be"):
        enqueue_render(app, {"kind": "project"}, tenant="Acme Corp")
    with pytest.raises(RequestNotAccepted, match="tenant: must be"):
        enqueue_renders(app, [{"kind": "project"}], tenant="")


def test_an_actor_sees_its_tenant_and_may_name_what_its_key_and_tenant_may():
    accounts = ["main", "other", "third"]
    acme = Actor(door="http", tenant="acme", key_id="0123456789ab", name="billing", accounts=("main", "other"))
    assert (acme.sees("acme"), acme.sees("default"), acme.home) == (True, False, "acme")
    assert list(acme.allowed(accounts, Tenant(name="acme"))) == ["main", "other"]
    assert list(acme.allowed(accounts, Tenant(name="acme", accounts=("other", "third")))) == ["other"]
    assert COMMAND_LINE.allowed(accounts, Tenant(name="default")) is accounts
    for actor in (COMMAND_LINE, BROKER):
        assert (actor.sees("acme"), actor.home) == (True, "default")


def test_a_record_says_who_had_it_accepted_within_what_redis_keeps_compact():
    assert [str(BROKER), str(COMMAND_LINE)] == ["broker", "command line"]
    assert str(Actor(door="http", tenant="a", key_id="0123456789ab", name="billing")) == "key 0123456789ab (billing)"
    assert len(str(Actor(door="http", tenant="a", key_id="0123456789ab", name="ü" * 100)).encode()) <= 64
