"""What a run does and when: figures of a part of it mean something only if the part is what it is called."""

from __future__ import annotations

import pytest

from benchmarks.chaos.__main__ import _parser, _plan
from benchmarks.chaos.plain_chain import PlainChain
from benchmarks.chaos.plan import EXPORT, FAULTS, Plan


def without(*faults: str) -> Plan:
    return Plan().only(frozenset(FAULTS) - set(faults))


@pytest.mark.parametrize(
    ("plan", "between", "feed"),
    [
        (Plan(), 3.0, 100.0),
        (Plan(renders=60), 3.0, 60.0),
        (Plan(kills=20), 3.0, 100.0),
        (Plan(kills=200), 2.5, 500.0),
        (Plan(kills=2000), 1.2, 2400.0),
    ],
)
def test_many_kills_come_faster_and_the_requests_last_as_long(plan: Plan, between: float, feed: float) -> None:
    assert (plan.between_kills, plan.feed_seconds) == (between, feed)


def test_split_workers_serve_every_queue_once() -> None:
    assert ",".join(Plan(split=True).worker_queues).split(",") == ["requests", "submit", "poll", "hooks"]
    assert len(Plan(workers=4).worker_queues) == 4


def test_a_round_has_each_disaster_and_long_runs_have_several() -> None:
    once = Plan(renders=600).timeline()
    assert [action for _, action in once] == [
        "endpoint hangs",
        "tokens revoked",
        "endpoint answers",
        "restart",
        "outage: hangs",
        "tokens revoked",
        "outage: refuses",
        "outage ends",
        "failover",
    ]
    twice = Plan(renders=1200).timeline()
    assert twice[: len(once)] == once
    assert [(pytest.approx(moment - 120), action) for moment, action in twice[len(once) :]] == once


def test_a_part_of_a_run_is_named_after_what_goes_on_in_it() -> None:
    plan = Plan(renders=1200)
    names = {"endpoint hangs": "endpoint hung", "outage: hangs": "account out", "outage: refuses": "account out"}
    last = {"endpoint answers": "quiet", "outage ends": "quiet"}
    for moment, action in plan.timeline():
        if action in names or action in last:
            assert plan.part(moment + 0.1) == {**names, **last}[action]
    assert plan.part(0) == "quiet"


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_can_be_left_out(fault: str) -> None:
    chosen = _plan(_parser().parse_args(["--without", fault]))
    assert chosen == without(fault)
    assert not chosen.has(fault)
    prefixes = {"restarts": "restart", "failovers": "failover", "outages": "outage", "hanging-endpoint": "endpoint"}
    actions = {action for _, action in chosen.timeline()}
    if fault in prefixes:
        assert not [action for action in actions if action.startswith(prefixes[fault])]
    rules = [rule["fault"] for rule in chosen.vendor_faults(paid=EXPORT)]
    assert ("late" in rules, "drop" in rules) == (fault != "slow-vendor", fault != "vendor")


def test_a_fault_that_is_not_known_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        _parser().parse_args(["--without", "gremlins"])
    assert "gremlins: must be among" in capsys.readouterr().err


def test_exports_are_late_by_less_and_by_more_than_it_takes_to_give_them_up() -> None:
    less, more = Plan.late
    assert Plan.lease < less < Plan.evidence_window < more
    assert Plan.reads_lag < Plan.evidence_window
    assert Plan().last_late_call == more
    assert without("slow-vendor").last_late_call == 0


def test_freezes_outlast_the_lease() -> None:
    assert Plan.frozen[0] > Plan.lease


def test_the_peer_is_spared_what_it_cannot_meet() -> None:
    plan = Plan().only(PlainChain.meets)
    assert set(FAULTS) - set(plan.faults) == {"outages", "failovers", "poison"}


def test_thousands_of_kills_have_renders_to_hit_and_workers_that_start_in_a_moment() -> None:
    plan = _plan(_parser().parse_args(["--kills", "2000"]))
    assert (plan.renders, plan.hatched) == (2000, True)
    assert not Plan().hatched
    assert _plan(_parser().parse_args([])) == Plan()
