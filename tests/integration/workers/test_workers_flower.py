"""Flower as the Procfile starts it: behind a password, for reading only, with readable arguments, over a restart."""

import signal

import pytest
import requests
from celery import Celery

from harness import USER_KEY, Flower, until
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
    )
    app = Celery("flower-test", broker=valkey.url, backend=valkey.url, set_as_current=False)
    avatar = {"model": "M000045058", "clothes": "BG00002320"}
    request = {"kind": "project", "scenes": [{"script": SCRIPT, "avatar": avatar}], "hooks": [{"type": "download"}]}
    render_id = app.send_task(contract.REQUEST, kwargs={"request": request}, queue="requests").get(timeout=60)
    app.close()

    def finished():
        return [
            task for task in flower.tasks().values() if task["name"] == contract.HOOK and task["state"] == "SUCCESS"
        ]

    until(finished, what="the hook's task in Flower")
    return flower, render_id


def test_tasks_show_render_ids_and_no_script_and_stay_over_a_restart(rendered, start_flower, tmp_path):
    flower, render_id = rendered
    tasks = flower.tasks()
    by_name = {
        name: [task for task in tasks.values() if task["name"] == name] for name in (contract.SUBMIT, contract.HOOK)
    }
    for shown in by_name.values():
        assert shown
        assert all(render_id in task["args"] + task["kwargs"] for task in shown)
    pages = [flower.ask(path, LOGIN).text for path in ("/tasks", "/workers", "/api/tasks")]
    pages += [flower.ask(f"/task/{task_id}", LOGIN).text for task_id in tasks]
    assert not [page for page in pages if SCRIPT in page or USER_KEY in page]

    flower.stop()
    written = list((tmp_path / "data").rglob("*"))
    assert [path for path in written if path.is_file()]
    assert not [path for path in written if path.stat().st_mode & 0o077]
    assert set(tasks) <= set(start_flower().tasks())


@pytest.mark.parametrize("path", ["/", "/workers", "/tasks", "/broker", "/api/tasks", "/api/workers"])
def test_nothing_is_shown_without_the_password(start_flower, path):
    flower = start_flower()
    assert flower.ask(path).status_code == 401
    assert flower.ask(path, ("ops", "wrong")).status_code == 401
    assert flower.ask(path, LOGIN).status_code == 200


def test_it_is_for_reading_only(start_flower):
    flower = start_flower()
    changes = [
        f"worker/{what}/w1" for what in ("shutdown", "pool/restart", "pool/grow", "pool/shrink", "pool/autoscale")
    ]
    changes += ["worker/queue/add-consumer/w1", "worker/queue/cancel-consumer/w1"]
    changes += [f"task/{what}/{contract.SUBMIT}" for what in ("apply", "async-apply", "send-task")]
    changes += [f"task/{what}/t1" for what in ("revoke", "abort", "timeout", "rate-limit")]
    answers = {change: flower.ask(f"/api/{change}", LOGIN, method="POST").status_code for change in changes}
    assert answers == dict.fromkeys(changes, 403)


@pytest.mark.parametrize("password", ["", "no-colon"])
def test_it_does_not_start_without_a_password(tmp_path, valkey, password):
    flower = Flower(tmp_path / "flower.log", {"REDIS_URL": valkey.url, "FLOWER_BASIC_AUTH": password})
    assert flower.popen.wait(60) == 1
    assert "FLOWER_BASIC_AUTH" in flower.output()
    assert "Traceback" not in flower.output()
    assert "no-colon" not in flower.output()


def test_it_ends_at_a_signal(start_flower):
    flower = start_flower()
    flower.popen.send_signal(signal.SIGTERM)
    assert flower.popen.wait(60) == 0
