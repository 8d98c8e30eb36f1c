"""Each repair to kombu and Celery says what it needs, and is used only where it fits."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest
from celery import Celery, bootsteps
from celery.worker.request import Request
from kombu.transport import TRANSPORT_ALIASES, _transport_cache, redis

from harness import ROOT
from tasks.base import RenderlineTask
from workers.application import create_app
from workers.repairs import ack_batching, quarantine, redaction, server_clock, shared_client
from workers.repairs.registry import PROMISES, REPAIRS, TIME_SAVERS, select
from workers.repairs.repair import KOMBU, Repair
from workers.repairs.transport import TRANSPORTS, install, request_class, transport_class
from workers.startup import check_or_exit

MODULES = sorted((ROOT / "workers/repairs").glob("*.py"))
DECLARING = [path for path in MODULES if "\nREPAIR = " in path.read_text()]


def versions(**pretended: str):
    return {"kombu": "5.7.0", "celery": "5.7.0", **pretended}.__getitem__


@pytest.fixture
def restored() -> Iterator[None]:
    """Undo what `install` changes in the libraries."""
    before = {scheme: TRANSPORT_ALIASES[scheme] for scheme in TRANSPORTS}
    request = RenderlineTask.Request
    yield
    TRANSPORT_ALIASES.update(before)
    for scheme in TRANSPORTS:
        _transport_cache.pop(scheme, None)
    RenderlineTask.Request = request


def gone(repair: Repair) -> Repair:
    return replace(repair, touches=("kombu.transport.redis:Channel.gone",))


def test_all_repairs_fit_the_locked_versions() -> None:
    selection = select()
    assert selection.repairs == REPAIRS
    assert (selection.refusal(), selection.warning()) == (None, None)


def test_every_module_with_a_repair_is_in_the_registry() -> None:
    assert len(DECLARING) == len(REPAIRS)


@pytest.mark.parametrize("repair", REPAIRS, ids=lambda repair: repair.name)
def test_a_repair_names_what_it_uses_and_the_issue_or_that_there_is_none(repair: Repair) -> None:
    assert repair.touches
    assert repair.needs
    (path,) = [one for one in MODULES if f'name="{repair.name}"' in one.read_text()]
    docstring = path.read_text().partition('"""\n\nfrom')[0]
    assert all(issue in docstring for issue in repair.answers)
    assert repair.answers or "No upstream issue" in " ".join(docstring.split())
    assert ("Saves time." in docstring) is not bool(repair.promise)


def test_the_project_names_the_same_kombu_as_the_repairs() -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["app"]
    assert f"kombu[redis]{KOMBU['kombu']}" in wanted


def test_another_kombu_is_refused_with_every_promise_that_would_be_broken() -> None:
    refusal = select(installed_version=versions(kombu="5.8.0")).refusal()
    assert refusal
    assert refusal.count("kombu 5.8.0 is installed") == 1
    assert all(repair.promise in refusal for repair in PROMISES if "kombu" in repair.needs)


@pytest.mark.parametrize("version", ["5.7.3", "5.7.4rc1"])
def test_a_bugfix_release_of_kombu_is_taken(version: str) -> None:
    assert select(installed_version=versions(kombu=version)).repairs == REPAIRS


def test_a_time_saver_that_misses_a_name_is_left_out_with_a_warning() -> None:
    selection = select([quarantine.REPAIR, gone(shared_client.REPAIR)])
    assert selection.repairs == (quarantine.REPAIR,)
    assert selection.refusal() is None
    warning = selection.warning()
    assert warning
    assert "shared client" in warning
    assert "Channel.gone" in warning


def test_a_promise_that_misses_a_name_is_refused() -> None:
    refusal = select([gone(quarantine.REPAIR), shared_client.REPAIR]).refusal()
    assert refusal
    assert quarantine.REPAIR.promise in refusal
    assert "Channel.gone" in refusal


def test_an_application_of_this_process_that_connected_before_takes_no_repair_away(restored: None) -> None:
    def channel() -> type:
        with Celery(broker="redis://127.0.0.1:1/0", set_as_current=False).connection_for_write() as connection:
            return connection.transport.Channel

    TRANSPORT_ALIASES["redis"] = "kombu.transport.redis:Transport"
    _transport_cache.pop("redis", None)
    assert channel() is redis.Channel
    install(Celery(set_as_current=False))
    assert issubclass(channel(), shared_client.Channel)


def test_what_is_installed_reaches_kombu_and_celery(restored: None) -> None:
    app = Celery("test")
    install(app)
    for scheme in TRANSPORTS:
        assert issubclass(TRANSPORT_ALIASES[scheme]().Channel, quarantine.Channel)
    assert issubclass(RenderlineTask.Request, redaction.RedactedRequest)
    assert app.steps["consumer"] >= {repair.step for repair in REPAIRS if repair.step}
    assert all("repairs.failover" in app.loader.override_backends[scheme] for scheme in TRANSPORTS)


PARTS = {"channel": redis.Channel, "qos": redis.QoS, "request": Request, "step": bootsteps.StartStopStep}


@pytest.mark.parametrize(
    "path", [path for path in MODULES if "\nREPAIR = " in path.read_text()], ids=lambda one: one.stem
)
def test_every_class_of_a_repair_is_declared_and_mixed_in(path: Path) -> None:
    module = import_module(f"workers.repairs.{path.stem}")
    classes = [one for one in vars(module).values() if isinstance(one, type) and one.__module__ == module.__name__]
    for part, base in PARTS.items():
        declared = getattr(module.REPAIR, part)
        assert [one for one in classes if issubclass(one, base)] == ([declared] if declared else [])
    channel = transport_class().Channel
    mixed = {*channel.__mro__, *channel.QoS.__mro__, *request_class().__mro__}
    assert mixed >= {one for one in classes if issubclass(one, (redis.Channel, redis.QoS, Request))}


@pytest.mark.parametrize("connection", [None, SimpleNamespace(client=None)], ids=["none", "without a client"])
def test_a_channel_whose_connection_was_closed_raises_a_connection_error(connection: object) -> None:
    channel = object.__new__(transport_class().Channel)
    channel.connection = connection
    with pytest.raises(ConnectionError, match="was closed"):
        channel._connparams()


def test_the_order_of_the_repairs_lets_each_take_part() -> None:
    channel = transport_class().Channel
    # The queue order sends the command itself, and `requeue` only declares what ack batching does.
    assert channel._brpop_start is quarantine.Channel._brpop_start
    assert channel.QoS.flush_acks is ack_batching.QoS.flush_acks
    assert channel.QoS.take_acked is ack_batching.QoS.take_acked
    assert channel.QoS.append is server_clock.QoS.append


def test_a_worker_ends_before_it_reads_its_settings_if_a_promise_cannot_be_kept(restored: None) -> None:
    app = create_app(selection=select([gone(quarantine.REPAIR)]))
    with pytest.raises(SystemExit, match=r"^Renderline cannot start: .*a broken message ends no worker"):
        check_or_exit(app)
    assert app._settings is None


def test_without_the_time_savers_kombu_acks_and_connects_in_its_own_way() -> None:
    channel = transport_class(PROMISES).Channel
    assert channel._create_client is redis.Channel._create_client
    assert channel.QoS.ack is redis.QoS.ack
    assert not issubclass(channel.QoS, ack_batching.QoS)
    assert ack_batching.REPAIR in TIME_SAVERS


def test_nothing_outside_this_package_uses_the_transport_or_private_names_of_the_libraries() -> None:
    private = re.compile(
        r"kombu\.transport|celery\.(backends|events|worker\.consumer)|\b(channel|qos|producer)\._[a-z]"
    )
    files = [path for folder in ("config", "renderline", "tasks", "workers") for path in (ROOT / folder).rglob("*.py")]
    others = [path for path in files if path not in MODULES]
    assert len(others) > 100
    assert [str(path.relative_to(ROOT)) for path in others if private.search(path.read_text())] == []
