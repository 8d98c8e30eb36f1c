"""Flower as the Procfile starts it: behind a password, for reading only, with readable arguments, over a restart."""

import pytest
import requests
from celery import Celery

from harness import HOOK_SECRET, USER_KEY, Flower, until
from harness.ports import free_port
from renderline import contract

LOGIN = ("ops", "flower-password-of-the-test")
SCRIPT = "A sentence that only the vendor may read."


class AskedFlower(Flower):
    """Flower, and what it shows."""

    def ask(self, path, auth=None, method="GET"):
        return requests.request(method, self.url + path, auth=auth, timeout=30)

    def tasks(self):
        return self.ask("/api/tasks", LOGIN).json()


@pytest.fixture
def start_flower(tmp_path, valkey):
    started = []

    def start():
        environ = {"RENDERLINE_DATA_DIR": str(tmp_path / "data"), "FLOWER_BASIC_AUTH": ":".join(LOGIN)}
        started.append(AskedFlower(tmp_path / f"flower-{len(started)}.log", {"REDIS_URL": valkey.url, **environ}))
        started[-1].wait_ready()
        return started[-1]

    yield start
    for process in started:
        process.kill()


@pytest.fixture
def rendered(redis, valkey, start_sandbox, start_worker, start_flower):
    """Return Flower after it saw one render go through a worker, and the render's id."""
    flower = start_flower()
    sandbox = start_sandbox("--render-seconds", "0.2")
    start_worker(
        REDIS_URL=valkey.url,
        AISTUDIOS_BASE_URL=sandbox.url,
        AISTUDIOS_APP_ID="studioV3.test",
        AISTUDIOS_USER_KEY=USER_KEY,
        RENDERLINE_POLL_MIN=0.1,
        RENDERLINE_HOOK_ATTEMPTS=1,
        RENDERLINE_HOOK_SECRET=HOOK_SECRET,
        RENDERLINE_ALLOW_PRIVATE_HOOKS="true",
        RENDERLINE_LABELS="customer",
        # The paid call is then made in another thread, after its task has returned.
        RENDERLINE_WAIT_FOR_DISK="auto",
    )
    app = Celery("flower-test", broker=valkey.url, backend=valkey.url, set_as_current=False)
    avatar = {"model": "M000045058", "clothes": "BG00002320"}
    request = {"kind": "project", "scenes": [{"script": SCRIPT, "avatar": avatar}], "hooks": [{"type": "download"}]}
    dead = {"type": "http", "url": f"http://127.0.0.1:{free_port()}/"}
    unpaid = {**request, "name": "[sandbox:credit@export]", "metadata": {"customer": "317"}, "hooks": [dead]}
    refused = {**request, "name": "[sandbox:refuse@draft]", "metadata": {"customer": "317"}, "hooks": [dead]}
    ids = [
        app.send_task(contract.REQUEST, kwargs={"request": one}, queue="requests").get(timeout=60)
        for one in (request, refused, unpaid)
    ]
    app.close()

    def finished():
        ends = [task["state"] for task in flower.tasks().values() if task["name"] == contract.HOOK]
        parked = [task for task in flower.tasks().values() if "parked" in str(task["result"])]
        return {"SUCCESS", "FAILURE"} <= set(ends) and parked

    until(finished, what="the tasks of the hooks in Flower")
    return flower, *ids


def test_tasks_say_what_became_of_them_show_no_script_and_stay_over_a_restart(rendered, start_flower, tmp_path):
    flower, render_id, refused, unpaid = rendered
    tasks = flower.tasks()

    def outcomes(render, name):
        found = [(task["args"], task["state"], str(task["result"])) for task in tasks.values() if task["name"] == name]
        return [(state, text) for args, state, text in found if render in args + text and "nothing" not in text]

    assert outcomes(render_id, contract.REQUEST) == [("SUCCESS", f"accepted: {render_id}")]
    assert outcomes(render_id, contract.SUBMIT) == [("SUCCESS", "rendering")]
    assert any(f"1 completed ({render_id})" in text for _, text in outcomes(render_id, contract.POLL))
    assert ("SUCCESS", "hook 0 delivered") in outcomes(render_id, contract.HOOK)
    ((state, text),) = outcomes(refused, contract.SUBMIT)
    assert (state, text[:15]) == ("FAILURE", "failed: vendor ")
    ((state, text),) = outcomes(refused, contract.HOOK)
    assert (state, text[:21]) == ("FAILURE", "hook 0 dead-lettered:")
    assert any(text.startswith("parked: ") for _, text in outcomes(unpaid, contract.SUBMIT))
    failed = [task for task in tasks.values() if task["state"] == "FAILURE"]
    assert all("'customer': '317'" in task["kwargs"] and "sandbox:refuse" in task["kwargs"] for task in failed)
    assert not [task for task in failed if task["traceback"]]
    by_name = {
        name: [task for task in tasks.values() if task["name"] == name] for name in (contract.SUBMIT, contract.HOOK)
    }
    for shown in by_name.values():
        assert shown
        assert all(any(one in task["args"] for one in (render_id, refused, unpaid)) for task in shown)
    pages = [flower.ask(path, LOGIN).text for path in ("/tasks", "/workers", "/api/tasks")]
    pages += [flower.ask(f"/task/{task_id}", LOGIN).text for task_id in tasks]
    assert not [page for page in pages if SCRIPT in page or USER_KEY in page]

    assert flower.stop() == 0, "it ends at a signal"
    written = list((tmp_path / "data").rglob("*"))
    assert [path for path in written if path.is_file()]
    assert not [path for path in written if path.stat().st_mode & 0o077]
    assert set(tasks) <= set(start_flower().tasks())


def test_it_does_not_start_with_a_password_of_nobody(tmp_path, valkey):
    """Nor without one: `test_workers_run.py`."""
    flower = Flower(tmp_path / "flower.log", {"REDIS_URL": valkey.url, "FLOWER_BASIC_AUTH": "no-colon"})
    assert flower.popen.wait(60) == 78
    assert "FLOWER_BASIC_AUTH" in flower.output()
    assert "Traceback" not in flower.output()
    assert "no-colon" not in flower.output()
