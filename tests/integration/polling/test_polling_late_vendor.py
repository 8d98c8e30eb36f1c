"""A vendor that carries an export out minutes late, or whose reads lag behind: it is paid once all the same.

Time passes only when the test says so: the vendor's, the ledger's and the polls' are one clock.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from structlog.testing import capture_logs

from harness.clock import Clock
from harness.fake_vendor import Answer, Call, Drop, FakeVendor, failure, success
from harness.local_worker import LocalWorker
from renderline.polling.confirmation import Confirmation
from renderline.polling.policy import PollPolicy
from renderline.renders import FINAL
from renderline.studio import VendorUnavailable

WINDOW = 180.0
RENDER = "5f0c" * 8
REQUEST = {
    "kind": "project",
    "name": "Welcome",
    "scenes": [{"script": "Hello.", "avatar": {"model": "M000045058", "clothes": "BG00002320", "language": "en"}}],
}
TAKES = 30.0
"""Seconds that a render takes at the vendor."""


class LateVendor:
    """Bends a vendor: the first export gets no answer and is carried out `late` seconds after it came, if ever.

    Reads show a start, and a deletion, `lag` seconds after they happened.
    """

    def __init__(self, vendor: FakeVendor, clock: Clock) -> None:
        self.vendor, self.clock = vendor, clock
        self.late: float | None = None
        self.lag = 0.0
        self.created_lag = 0.0
        self.answers = False
        """Whether the first export is answered too, and carried out at once."""
        self.deletes = True
        self.started: dict[str, float] = {}
        self.made: dict[str, float] = {}
        self.deleted: dict[str, float] = {}
        self.queued: list[tuple[float, str]] = []
        self.exports_called = 0
        vendor.override = self

    def __call__(self, call: Call) -> Answer | None:
        self.carry_out()
        match call.name:
            case "draft":
                answer = call.answer()
                self.made.update(dict.fromkeys(set(self.vendor.projects) - set(self.made), self.clock.now))
                return answer
            case "export":
                return self._export(call)
            case "delete":
                if self.deletes:
                    self.deleted.setdefault(call.body["ids"][0], self.clock.now)
                    return None
                return success({"deletedCount": 0})
            case "progress" | "project":
                return self._read(call)
            case "list":
                return success([self._row(one) for one in self.vendor.projects if self._shown(one)])
        return None

    def carry_out(self) -> None:
        """Do what has stood in the queue long enough; a project that is gone by then renders nothing."""
        for at, project in [one for one in self.queued if one[0] <= self.clock.now]:
            self.queued.remove((at, project))
            if not (project in self.deleted and self.deleted[project] <= at):
                self.vendor.projects[project].exports += 1
                self.started.setdefault(project, at)

    def _export(self, call: Call) -> Answer:
        self.exports_called += 1
        project = str(call.key)
        if self.answers or self.exports_called > 1:
            if project in self.deleted:
                return failure(404, "404", "no such project")
            self.queued.append((self.clock.now, project))
            self.carry_out()
            return success({"projectId": project})
        if self.late is not None:
            self.queued.append((self.clock.now + self.late, project))
            self.carry_out()
        raise Drop

    def _shown(self, project: str) -> bool:
        deleted = self.deleted.get(project)
        if self.made[project] > self.clock.now - self.created_lag:
            return False
        return deleted is None or self.clock.now - self.lag < deleted

    def _percent(self, project: str) -> float:
        started = self.started.get(project)
        shown_at = self.clock.now - self.lag
        if started is None or started > shown_at:
            return 0.0
        return min(100.0, 1.0 + 99.0 * (shown_at - started) / TAKES)

    def _url(self, project: str) -> str | None:
        return f"{self.vendor.url}/files/{project}.mp4" if self._percent(project) >= 100 else None

    def _row(self, project: str) -> dict[str, Any]:
        state = "exported" if self._url(project) else "draft"
        return {
            "id": project,
            "name": self.vendor.projects[project].name,
            "state": state,
            "download_url": self._url(project),
        }

    def _read(self, call: Call) -> Answer:
        project = str(call.key)
        if project not in self.vendor.projects or not self._shown(project):
            return failure(404, "404", "no such project")
        percent = self._percent(project)
        if call.name == "progress":
            return success({"progress": percent, "downloadUrl": self._url(project)})
        as_read = {
            "_id": project,
            "progress": percent,
            "creditSubstracted": percent > 0,
            "download_url": self._url(project),
        }
        return success({**as_read, "name": self.vendor.projects[project].name})


@dataclasses.dataclass
class LateVendorScenario:
    """A local worker, that vendor, and the clock."""

    local_worker: LocalWorker
    vendor: LateVendor
    clock: Clock

    def run(self, *, until: Callable[[], bool] = lambda: False, seconds: float = 4000.0) -> dict[str, Any]:
        """Do what tasks and pumps would do, and let the time between pass, until the render has ended."""
        end = self.clock.now + seconds
        ticket: tuple[int, int] | None = None
        while (
            (record := self.local_worker.record(RENDER))["state"] not in FINAL and self.clock.now < end and not until()
        ):
            self.local_worker.ledger.overdue()
            if record["state"] in ("accepted", "submitting"):
                self.local_worker.submit(RENDER)
            if self.local_worker.wakes:
                wake = self.local_worker.wakes.pop()
                ticket = (wake.slot, wake.ticket)
                self.clock.forward(wake.delay)
            elif ticket is None:
                self.clock.forward(1.0)
                continue
            assert ticket
            rest = self.local_worker.poller.run(
                "main",
                slot=ticket[0],
                ticket=ticket[1],
            )
            ticket = (ticket[0], rest.ticket) if rest else None
            if rest:
                self.clock.forward(rest.delay)
        self.vendor.carry_out()
        return self.local_worker.record(RENDER)

    @property
    def redis(self) -> Any:
        return self.local_worker.redis

    record_key = f"renderline:render:{RENDER}"

    @property
    def paid(self) -> int:
        """How many renders the vendor began, once whatever stands in its queue has been carried out too."""
        self.clock.forward(3600.0)
        self.vendor.carry_out()
        return sum(one.exports for one in self.vendor.vendor.projects.values())

    @property
    def drafts(self) -> list[str]:
        return [one.name.rpartition("[")[2] for one in self.vendor.vendor.projects.values()]


@pytest.fixture
def scenario(redis):
    with FakeVendor() as vendor:
        clock = Clock()
        local_worker = LocalWorker(redis, vendor, clock=clock)
        policy = PollPolicy()
        window = Confirmation(local_worker.ledger, policy, window=WINDOW, lease=30.0)
        local_worker.poller = dataclasses.replace(
            local_worker.poller, policy=policy, confirmation=window, patience=60.0, lease=30.0
        )
        yield LateVendorScenario(local_worker, LateVendor(vendor, clock), clock)
        local_worker.close()


LATE = (0.0, 5.0, 21.0, 48.0, 100.0, 150.0, 177.0, 181.0, 200.0, 240.0, 300.0)
LAGS = {25.0: (5.0, 150.0, 177.0, 240.0), 60.0: (21.0, 100.0, 150.0, 200.0), 180.0: (0.0, 48.0, 181.0)}
"""Reads that lag, with exports of each kind: seen in time, begun but not shown in time, come too late."""


@pytest.mark.parametrize(
    ("late", "lag"),
    [
        pytest.param(late, lag, marks=[] if not lag or late in LAGS[lag] else pytest.mark.chaos)
        for late, lag in product(LATE, (0.0, *LAGS))
    ],
)
def test_an_export_that_is_carried_out_late_is_not_paid_twice(scenario, late, lag):
    scenario.vendor.late, scenario.vendor.lag = late, lag
    scenario.local_worker.accept(REQUEST, RENDER, deadline=3600.0)
    record = scenario.run()
    seen_in_time = late + lag <= WINDOW
    overtaken = late < WINDOW < late + lag  # begun, but not shown before its draft was deleted
    assert record["state"] in (("delivered", "failed") if overtaken else ("delivered",)), record
    assert scenario.vendor.exports_called == (1 if seen_in_time or overtaken else 2)
    assert scenario.paid == 1


def test_an_export_that_reads_show_only_after_the_window_is_lost_once_and_said_so(scenario):
    scenario.vendor.late, scenario.vendor.lag = 150.0, 60.0
    scenario.local_worker.accept(REQUEST, RENDER, deadline=3600.0)
    with capture_logs() as logs:
        record = scenario.run()
    assert (record["state"], record["error"]["code"]) == ("failed", "404")
    assert (scenario.vendor.exports_called, scenario.paid) == (1, 1)
    assert any("paid for in vain" in str(line) for line in logs)


def test_an_export_that_never_came_is_made_again_with_another_draft(scenario):
    began = scenario.clock.now
    scenario.local_worker.accept(REQUEST, RENDER, deadline=3600.0)
    record = scenario.run()
    assert (record["state"], scenario.paid) == ("delivered", 1)
    assert scenario.drafts == [f"{RENDER}]", f"{RENDER}.1.2]"]
    assert scenario.vendor.deleted.keys() == {"p000001"}
    assert record["project_id"] == "p000002"
    # What a lost export costs: the window, a second or two to see the draft gone, and the second render's time.
    assert scenario.vendor.started["p000002"] - began < WINDOW + 5


def test_a_draft_that_is_not_seen_to_be_gone_is_not_made_again(scenario):
    scenario.vendor.deletes = False
    scenario.local_worker.accept(REQUEST, RENDER, deadline=WINDOW + 90.0)
    record = scenario.run()
    assert (record["state"], record["error"]["code"]) == ("expired", "unconfirmed")
    assert (scenario.vendor.exports_called, scenario.drafts) == (1, [f"{RENDER}]"])


def test_a_deadline_inside_the_window_expires_the_render_and_repeats_nothing(scenario):
    scenario.vendor.late = 150.0
    scenario.local_worker.accept(REQUEST, RENDER, deadline=90.0)
    record = scenario.run()
    assert (record["state"], record["error"]["code"]) == ("expired", "unconfirmed")
    assert (scenario.vendor.exports_called, scenario.vendor.deleted) == (1, {})


def test_a_draft_that_the_vendor_does_not_show_yet_is_waited_for(scenario):
    scenario.vendor.late, scenario.vendor.created_lag = 0.0, 60.0
    scenario.local_worker.accept(REQUEST, RENDER, deadline=3600.0)
    assert scenario.run()["state"] == "delivered"
    assert scenario.paid == 1


def test_a_render_whose_project_is_not_shown_for_long_is_not_declared_failed(scenario):
    """Its export was answered, and it is paid for: the reads lag behind its making."""
    scenario.vendor.answers, scenario.vendor.created_lag = True, 150.0
    scenario.local_worker.accept(REQUEST, RENDER, deadline=3600.0)
    record = scenario.run()
    assert record["state"] == "delivered", record
    assert (scenario.vendor.exports_called, scenario.paid) == (1, 1)


def test_a_project_list_that_cannot_be_read_revokes_nothing(scenario):
    override = scenario.vendor

    def no_list(call: Call) -> Answer | None:
        return failure(500, "500", "too long") if call.name == "list" else override(call)

    scenario.vendor.vendor.override = no_list
    scenario.local_worker.accept(REQUEST, RENDER, deadline=600.0)
    assert scenario.run()["state"] == "expired"
    assert (scenario.vendor.exports_called, scenario.vendor.deleted) == (1, {})


@pytest.mark.parametrize("dies", ["before the deletion", "after the deletion"])
def test_a_worker_that_dies_in_the_middle_of_a_revocation_is_followed_by_another(scenario, dies):
    scenario.local_worker.accept(REQUEST, RENDER, deadline=3600.0)
    override = scenario.vendor

    def die(call: Call) -> Answer | None:
        if call.name == "delete" and not scenario.redis.hget(scenario.record_key, "died"):
            # What the poll that made this call shows is never recorded.
            scenario.redis.hincrby(scenario.record_key, "epoch", 1)
            scenario.redis.hset(scenario.record_key, "died", 1)
            if dies == "before the deletion":
                raise Drop
        return override(call)

    scenario.vendor.vendor.override = die
    assert scenario.run()["state"] == "delivered"
    assert (scenario.paid, scenario.drafts) == (1, [f"{RENDER}]", f"{RENDER}.1.2]"])


def test_a_look_that_was_overtaken_deletes_nothing(scenario):
    scenario.local_worker.accept(REQUEST, RENDER, deadline=3600.0)
    scenario.run(until=lambda: scenario.local_worker.record(RENDER)["state"] == "unconfirmed")
    assert not scenario.local_worker.ledger.begin_revocation(RENDER, epoch=99, project_id="p000001")
    assert scenario.vendor.deleted == {}


def test_signs_of_a_start_that_come_during_a_revocation_end_it(scenario):
    """The deletion is not carried out, and the late export is."""
    scenario.vendor.deletes, scenario.vendor.late = False, 200.0
    scenario.local_worker.accept(REQUEST, RENDER, deadline=3600.0)
    assert scenario.run()["state"] == "delivered"
    assert (scenario.vendor.exports_called, scenario.paid) == (1, 1)


def shown_only_by(vendor: LateVendor, where: str) -> Callable[[Call], Answer | None]:
    """Override the vendor so that of all reads only one tells that a render has begun."""

    def override(call: Call) -> Answer | None:
        if call.name not in {"progress", "project", "list"} - {where}:
            return vendor(call)
        vendor.carry_out()
        kept, vendor.started = vendor.started, {}
        answer = vendor(call)
        vendor.started = kept
        return answer

    return override


@pytest.mark.parametrize("where", ["progress", "project", "list"])
def test_a_start_that_only_one_of_the_reads_shows_is_not_paid_twice(scenario, where):
    scenario.vendor.late = 48.0
    scenario.vendor.vendor.override = shown_only_by(scenario.vendor, where)
    scenario.local_worker.accept(REQUEST, RENDER, deadline=3600.0)

    def go_on() -> bool:
        if scenario.local_worker.record(RENDER)["state"] == "rendering":
            scenario.vendor.vendor.override = scenario.vendor
        return False

    assert scenario.run(until=go_on)["state"] == "delivered"
    assert (scenario.vendor.exports_called, scenario.vendor.deleted, scenario.paid) == (1, {}, 1)


@pytest.mark.parametrize("deletes", [True, False])
def test_a_list_that_hides_drafts_proves_nothing(scenario, deletes):
    """Gone is what get-project does not know."""
    override = scenario.vendor
    override.deletes = deletes
    override.vendor.override = lambda call: success([]) if call.name == "list" else override(call)
    scenario.local_worker.accept(REQUEST, RENDER, deadline=WINDOW + 90.0)
    assert scenario.run()["state"] == ("delivered" if deletes else "expired")
    assert scenario.vendor.exports_called == (2 if deletes else 1)
    assert scenario.paid == (1 if deletes else 0)


@pytest.mark.parametrize("exported", [False, True])
def test_a_project_that_is_not_ours_is_neither_deleted_nor_exported_again(scenario, exported):
    """As long as the operator has not allowed it, whatever its reads show."""
    body = {"name": "Base", "scenes": []}
    base = scenario.local_worker.v3.create_project(body, export=False)
    if exported:
        scenario.vendor.started[base] = scenario.clock.now - 600.0
    scenario.local_worker.accept({"kind": "export", "project_id": base}, RENDER, deadline=900.0)
    record = scenario.run()
    assert (record["state"], record["error"]["code"]) == ("expired", "unconfirmed")
    assert "not ours" in record["error"]["message"]
    assert (scenario.vendor.exports_called, scenario.vendor.deleted) == (1, {})


def test_an_export_that_never_left_is_made_at_once(scenario):
    """Nobody took the connection: there is nothing to be looked for."""
    export, refused = scenario.local_worker.v3.export_project, []

    def refuse_once(*given: Any, **options: Any) -> str:
        if not refused:
            refused.append(given)
            raise VendorUnavailable("the connection was refused", endpoint="export")
        return export(*given, **options)

    scenario.vendor.answers = True
    scenario.local_worker.v3.export_project = refuse_once
    scenario.local_worker.accept(REQUEST, RENDER, deadline=600.0)
    record = scenario.run()
    assert record["state"] == "delivered"
    assert "unconfirmed" not in record["times"]
    assert (scenario.vendor.exports_called, scenario.paid, scenario.drafts) == (1, 1, [f"{RENDER}]"])
