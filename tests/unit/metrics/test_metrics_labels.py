"""Labels have few values, whatever others send."""

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from renderline.metrics.families import families
from renderline.metrics.gateway_metrics import GatewayMetrics
from renderline.metrics.labels import OTHER, LabelValues, clean
from renderline.metrics.ledger_metrics import METRICS
from renderline.metrics.ledger_reader import MOST_ACCOUNTS, MOST_KINDS, renders
from renderline.metrics.worker_metrics import WorkerMetrics
from renderline.observer import Call, HookAttempt, Poll, Transition

ODD = ["", "\x1b[31mred", "a\nb", 'quo"te\\', "\ud800half", "\u202eright to left", "x" * 10_000, "é", "\x00"]


@pytest.mark.parametrize("text", ODD)
def test_a_value_is_a_short_line_of_ascii(text):
    found = clean(text)
    assert 1 <= len(found) <= 100
    assert found.isascii()
    assert found.isprintable()


def test_the_first_values_have_places_and_all_others_share_one():
    values = LabelValues(3)
    assert [values.of(one) for one in ("a", "b", "c", "d", "a", "e")] == ["a", "b", "c", OTHER, "a", OTHER]


def test_odd_names_are_exported_and_read_back():
    metrics = WorkerMetrics()
    for text in ODD:
        metrics.hook(an_attempt(host=text))
        metrics.call(a_call(account=text, endpoint=text, code=text))
    assert list(text_string_to_metric_families(generate_latest(metrics.registry).decode()))


def series(registry):
    return len(generate_latest(registry).splitlines())


def test_ten_thousand_of_everything_stay_a_few_series():
    worker, gateway = WorkerMetrics(), GatewayMetrics()
    for number in range(10_000):
        name = f"odd-{number}"
        worker.call(a_call(account=name, endpoint=f"GET /{name}", code=name, status=number))
        worker.poll(Poll(account=name, kind=name, render_id=name, attempt=1, status=name, seconds=0.1))
        worker.hook(an_attempt(host=name, type=name, outcome=name))
        worker.transition(a_transition(state=name, was=name, kind=name, account=name))
        worker.resent(name)
        gateway.answered(method=name, route=f"/{name}", status=number, seconds=0.1)
    # Each label apart would allow many more; those that come together do not multiply.
    assert series(worker.registry) < 6000
    assert series(gateway.registry) < 6000


def test_ten_thousand_kinds_and_accounts_in_the_ledger_stay_a_few_series():
    rows = [("rendering", f"kind-{number}", f"account-{number % 500}", 1) for number in range(10_000)]
    samples = renders(rows)
    assert sum(value for _, _, value in samples) == 10_000
    assert len({labels[1] for _, labels, _ in samples}) == MOST_KINDS + 1
    assert len({labels[2] for _, labels, _ in samples}) <= MOST_ACCOUNTS + 1


def test_two_values_that_look_the_same_are_one_series():
    (found,) = [
        one
        for one in families(METRICS, renders([("failed", "a\n", "m", 1), ("failed", "a\r", "m", 2)]))
        if one.name == "renderline_renders"
    ]
    assert [(sample.labels["kind"], sample.value) for sample in found.samples] == [("a?", 3)]


def a_call(**changes):
    given = {"account": "main", "endpoint": "GET /x", "status": 200, "code": "", "seconds": 0.1, "began": 0.0}
    return Call(**{**given, **changes})


def an_attempt(**changes):
    given = {
        "render_id": "r",
        "attempt": 1,
        "index": 0,
        "type": "http",
        "host": "h",
        "endpoint": "",
        "number": 1,
        "status": 200,
        "outcome": "delivered",
        "seconds": 0.1,
        "began": 0.0,
        "lag": 0.5,
    }
    return HookAttempt(**{**given, **changes})


def a_transition(**changes):
    given = {
        "render_id": "r",
        "state": "rendering",
        "was": "submitting",
        "attempt": 1,
        "kind": "project",
        "account": "main",
        "tenant": "acme",
        "seconds": 1.0,
    }
    return Transition(**{**given, **changes})
