"""From an accepted request to its end, against the sandbox: what it costs, whatever goes wrong on the way."""

from __future__ import annotations

import pytest
from redis import Redis

from harness import SandboxProcess
from harness.local_worker import LocalWorker

TEMPLATE = "65fa6b07dca2e367461a2925"
MODES = ("two_phase", "direct")


def scenes(tag=""):
    avatar = {"model": "M000045058", "clothes": "BG00002320", "language": "en"}
    return [{"script": f"Hello. {tag}", "avatar": avatar, "background": {"color": "#12355b"}}]


def project(tag="", **more):
    return {"kind": "project", "name": "Welcome", "scenes": scenes(tag), **more}


@pytest.fixture
def base(examples):
    """Make a project that was there before us, rendered `exports` times; returns its id."""

    def make(local_worker, *, exports=0, tag=""):
        body = examples("v3-create-project-1.6.json")
        made = local_worker.v3.create_project({**body, "name": f"Base {tag}", "webhookUrl": None}, export=False)
        for _ in range(exports):
            local_worker.v3.export_project(made)
            local_worker.sandbox.control("POST", "complete", id=made)
        return made

    return make


def request_of(kind, examples, base_id):
    """Return a plain request of each kind."""
    return {
        "project": lambda: project(),
        "edit": lambda: {"kind": "edit", "project_id": base_id, "updates": edits("Changed.")},
        "export": lambda: {"kind": "export", "project_id": base_id},
        "template": lambda: {"kind": "template", "template_id": TEMPLATE, "name": "From a template"},
        "simple_video": lambda: {
            "kind": "simple_video",
            "language": "en",
            "text": "Hello.",
            "model": "M000045058",
            "clothes": "BG00002320",
        },
        "v2_project": lambda: {"kind": "v2_project", "name": "Old", "payload": examples("v2-seed-minimal.json")},
    }[kind]()


def edits(words):
    return {"value": [{"sceneIdx": 0, "type": "aiModel", "values": {"script": words}}]}


# -- every kind


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", ["project", "edit", "export", "template", "simple_video", "v2_project"])
def test_each_kind_is_rendered_once(new_local_worker, examples, base, kind, mode):
    local_worker = new_local_worker(mode=mode)
    base_id = base(local_worker) if kind in ("edit", "export") else None
    local_worker.accept(request_of(kind, examples, base_id), "r1")
    record = local_worker.poll_until("r1", "delivered", "failed", "expired")
    assert record["state"] == "delivered", record["error"]
    assert (record["progress"], record["attempts"]) == (100, 1)
    assert record["download_url"].endswith(".mp4")
    assert "unconfirmed" not in record["times"]
    (seen,) = local_worker.seen()
    assert (seen["id"], seen["exports"]) == (record["project_id"], 1)
    assert seen["credits"] >= 1
    assert local_worker.exports() == 1
    if kind in ("project", "template"):
        assert "[r1" in seen["name"]
    if kind in ("edit", "export"):
        assert seen["id"] == base_id


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", ["edit", "export"])
def test_a_project_that_was_rendered_before_is_followed_to_its_new_end(new_local_worker, examples, base, kind, mode):
    local_worker = new_local_worker(mode=mode)
    base_id = base(local_worker, exports=2)
    local_worker.accept(request_of(kind, examples, base_id), "r1")
    record = local_worker.poll_until("r1", "delivered", "failed", "expired")
    assert record["state"] == "delivered", record["error"]
    (seen,) = local_worker.seen()
    assert (seen["exports"], seen["deleted"]) == (3, False)
    assert record["times"]["delivered"] > record["times"]["rendering"]


# -- every fault of the sandbox, all at once in one ledger

LATE = {"deadline": 4}
ONCE_ANYWAY = ["429", "503", "500", "500-after", "malformed", "drop", "drop-before", "hang=3"]
FAULTS = {
    # name: (tag, the states it may end in, exports, an extra of the request)
    "none": ("", "delivered", 1, {}),
    "slow": ("[sandbox:slow=2]", "delivered", 1, {}),
    "late-url": ("[sandbox:late-url=0.5]", "delivered", 1, {}),
    "fail": ("[sandbox:fail]", "failed", 1, {}),
    "stuck": ("[sandbox:stuck]", "expired", 1, LATE),
    "refuse": ("[sandbox:refuse=40077]", "failed", 0, {}),
    "refuse@export": ("[sandbox:refuse@export]", "failed", 0, {}),
    "401": ("[sandbox:401]", "delivered", 1, {}),
    **{
        f"{tag}@{at}": (f"[sandbox:{tag}@{at}#{tag}]", "delivered", 1, {})
        for tag in ONCE_ANYWAY
        for at in ("export", "create", "progress", "project")
    },
    "drop-before*3": ("[sandbox:drop-before*3]", "delivered", 1, {}),
    "503*3": ("[sandbox:503*3]", "delivered", 1, {}),
    "many": ("[sandbox:429@create#m] [sandbox:drop@create#m] [sandbox:500-after@export#m]", "delivered", 1, {}),
}
UNSEEN = ("500", "500-after", "malformed", "drop", "drop-before", "hang", "503")
"""Faults of a paid call after which nobody knows."""


def direct_outcome(name, state, exports):
    """Return what a fault comes to where one call creates and exports, which is never repeated when it was not seen."""
    tag, _, at = name.partition("@")
    kind = tag.partition("=")[0].partition("*")[0]
    if kind in UNSEEN and at in ("", "export", "create"):
        processed = kind in ("500-after", "malformed", "drop", "hang")
        return ("delivered", 1) if processed else ("expired", 0)
    if name == "many":
        return "delivered", 1
    return state, exports


@pytest.fixture(scope="module", params=MODES)
def aftermath(request, valkey, tmp_path_factory):
    """Run a render with each fault through the core.

    Returns the mode, the records, the sandbox's projects, and the names of what was submitted again.
    """
    log = tmp_path_factory.mktemp("sandbox") / "faults.log"
    sandbox = SandboxProcess(log, "--render-seconds", "0.3", "--list", "all")
    with Redis.from_url(valkey.url, decode_responses=True) as redis:
        redis.flushall()
        # A draft whose deletion was given up on a busy machine would be left to the cleanup, which does not run here.
        read_timeout = 2.0 if request.param == "two_phase" else 1.0
        local_worker = LocalWorker(redis, sandbox, mode=request.param, read_timeout=read_timeout)
        names = {}
        for index, (name, (tag, _, _, extra)) in enumerate(FAULTS.items()):
            one = f"{index:032x}"
            names[name] = one
            deadline = {"deadline": 5} if request.param == "direct" else {}
            local_worker.accept(project(f"{tag} {name.replace('@', ' at ')}", **{**deadline, **extra}), one)
        try:
            local_worker.run_all(names.values(), seconds=90.0)
            records = {name: local_worker.record(one) for name, one in names.items()}
            projects = {
                name: [project for project in sandbox.projects() if one in project["name"]]
                for name, one in names.items()
            }
        finally:
            local_worker.close()
            sandbox.stop()
    again = {one for one, state in local_worker.moved if state == "submitting"}
    return request.param, records, projects, {name for name, one in names.items() if one in again}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_ends_as_it_should_and_nothing_is_paid_twice(aftermath, name):
    mode, records, projects, _ = aftermath
    _, state, exports, _ = FAULTS[name]
    if mode == "direct":
        state, exports = direct_outcome(name, state, exports)
    record, made = records[name], projects[name]
    context = (record["error"], record["note"], record["times"], made)
    assert record["state"] == state, context
    assert sum(project["exports"] for project in made) == exports, context
    assert sum(project["credits"] for project in made) == (1 if state == "delivered" else 0), context
    assert len([project for project in made if project["draft"] and not project["deleted"]]) == 0, context
    if state in ("failed", "expired"):
        assert record["error"]["message"]
    else:
        assert record["error"] is None
        assert (record["note"] or "").startswith("no answer to the paid call" if state == "unconfirmed" else "")
        assert record["note"] is None or state == "unconfirmed"


def test_the_vendors_reasons_are_kept(aftermath):
    _, records, _, _ = aftermath
    assert (records["refuse"]["error"]["code"], records["refuse"]["error"]["origin"]) == ("40077", "vendor")
    assert records["refuse@export"]["error"]["origin"] == "vendor"
    assert records["fail"]["error"]["origin"] == "vendor"
    assert records["fail"]["progress"] == pytest.approx(60, abs=1)
    assert records["stuck"]["error"]["code"] == "deadline"
    assert "42" in records["stuck"]["error"]["message"]


def test_a_draft_whose_export_was_refused_is_deleted(aftermath):
    mode, _, projects, _ = aftermath
    drafts = projects["refuse@export"]
    if mode == "two_phase":
        assert [(one["exports"], one["deleted"]) for one in drafts] == [(0, True)]
    else:
        assert drafts == []


def test_an_unseen_paid_call_was_settled_by_reading(aftermath):
    mode, records, projects, again = aftermath
    for name in ("drop@export", "500-after@export", "malformed@export", "hang=3@export"):
        assert {"unconfirmed", "rendering"} <= set(records[name]["times"]), name
        assert len(projects[name]) == 1
    # Not processed: the draft was revoked, another one exported. A direct call leaves nothing to look at.
    expected = {"500@export", "drop-before@export", "503@export", "drop-before*3", "503*3"}
    assert again == (expected if mode == "two_phase" else set())


def test_a_lost_draft_is_found_by_its_name(aftermath):
    mode, records, projects, _ = aftermath
    for name in ("drop@create", "500-after@create", "malformed@create", "hang=3@create"):
        assert len(projects[name]) == 1, "a second draft beside the first"
        assert ("unconfirmed" in records[name]["times"]) == (mode == "direct")


# -- what the aftermath cannot show


def test_a_render_without_any_trace_expires_with_its_reason(new_local_worker, examples):
    local_worker = new_local_worker(read_timeout=1.0)
    create = "POST /api/odin/editor/project"
    local_worker.sandbox.control("POST", "faults", call=create, fault="drop", times=1)
    local_worker.accept({"kind": "v2_project", "payload": examples("v2-seed-minimal.json"), "deadline": 1}, "r1")
    record = local_worker.poll_until("r1", "delivered", "failed", "expired")
    assert record["state"] == "expired"
    assert record["error"]["code"] == "unconfirmed"
    assert record["error"]["origin"] == "renderline"
    assert "no trace" in record["error"]["message"]
    assert local_worker.exports() == 1
    assert local_worker.sandbox.counts()[create] == 1
    assert record["times"]["expired"] > record["times"]["unconfirmed"]


@pytest.mark.parametrize("exports", [0, 1])
@pytest.mark.parametrize("fault", ["drop", "drop-before"])
def test_an_export_of_a_named_project_is_settled_by_reading_it(new_local_worker, base, fault, exports):
    # It is not ours to delete, so it is exported again only where the operator allowed it.
    local_worker = new_local_worker(read_timeout=1.0, resubmit_after=1.0)
    base_id = base(local_worker, exports=exports)
    call = "POST /api/odin/v3/editor/project/export"
    local_worker.sandbox.control("POST", "faults", call=call, fault=fault, times=1)
    before = local_worker.sandbox.counts().get(call, 0)
    local_worker.accept({"kind": "export", "project_id": base_id}, "r1")
    record = local_worker.poll_until("r1", "delivered", "failed", "expired")
    assert record["state"] == "delivered", record["error"]
    assert "unconfirmed" in record["times"]
    (seen,) = local_worker.seen()
    assert (seen["exports"], seen["deleted"]) == (exports + 1, False)
    assert local_worker.sandbox.counts()[call] - before == (1 if fault == "drop" else 2)


def test_a_refused_export_leaves_the_callers_project_alone(local_worker, base):
    base_id = base(local_worker, tag="[sandbox:refuse@export]")
    local_worker.accept({"kind": "export", "project_id": base_id}, "r1")
    record = local_worker.poll_until("r1", "failed")
    assert record["error"]["origin"] == "vendor"
    (seen,) = local_worker.seen()
    assert (seen["exports"], seen["deleted"]) == (0, False)


def test_a_project_that_the_vendor_forgot_fails_after_three_polls(new_local_worker):
    local_worker = new_local_worker()
    local_worker.accept(project("[sandbox:stuck]"), "r1")
    record = local_worker.poll_until("r1", "rendering")
    local_worker.v3.delete_projects([record["project_id"]])
    record = local_worker.poll_until("r1", "failed")
    assert record["error"]["origin"] == "vendor"
    assert record["error"]["message"]


def test_an_account_that_is_no_longer_configured_waits_for_a_worker_that_knows_it(local_worker):
    local_worker.accept(project(), "r1", account="gone")
    local_worker.submit("r1")
    record = local_worker.record("r1")
    assert (record["state"], record["error"]) == ("accepted", None)
    assert record["note"] == "waits for a worker that knows its account"
    assert local_worker.seen() == []


def test_a_render_is_polled_a_few_times(local_worker):
    local_worker.accept(project(), "r1")
    local_worker.submit("r1")
    local_worker.poll_until("r1", "delivered")
    assert 1 <= local_worker.record("r1")["polls"] < 30
