"""Renders by the clock, without one: time is a value here."""

import random
from typing import Any

import pytest

from renderline.sandbox.magic import find_tags
from renderline.sandbox.options import Options
from renderline.sandbox.projects import Project, ProjectStore
from renderline.sandbox.renders import Renders, task_id


class RenderTimeline:
    """Renders of 100 seconds that start at time 1000."""

    def __init__(self, **options: Any) -> None:
        self.marks: list[tuple[str, int]] = []
        self.alarms: list[float] = []
        self.store = ProjectStore(random.Random(1))
        self.renders = Renders(
            Options(**{"render_seconds": 100.0, **options}),
            rng=random.Random(1),
            on_mark=lambda project, mark: self.marks.append((project.id, mark)),
            set_alarm=self.alarms.append,
        )

    def project(self, *, scenes: int = 1, webhook: bool = False, api: str = "v3") -> Project:
        project = self.store.create("a", api=api, name="n", body=b"{}", now=1000.0)
        project.scene_count = scenes
        project.base_url = "http://host"
        project.webhook_url = "http://hook/" if webhook else None
        return project

    def start(self, project: Project, text: str = "", *, now: float = 1000.0) -> None:
        self.renders.start(project, now=now, tags=find_tags("a", name="", texts=[text]))


def test_a_render_from_start_to_end() -> None:
    timeline = RenderTimeline()
    project = timeline.project(scenes=2)
    assert (project.state, project.progress_at(1000.0), task_id(project)) == ("draft", 0.0, None)
    timeline.start(project)
    assert (project.state, project.progress_at(1033.333), timeline.renders.rendering_now) == ("exporting", 33.33, 1)
    assert timeline.alarms == [1100.0]
    assert project.progress_at(1099.9999) == 99.99
    timeline.renders.advance(1099.9)
    assert project.download_url(1099.9) is None
    timeline.renders.advance(1100.0)
    assert (project.state, project.progress_at(1100.0)) == ("exported", 100.0)
    assert project.download_url(1100.0) == f"http://host/files/{project.id}.mp4"
    assert (project.credits, timeline.renders.credits, project.credit_subtracted) == (2, 2, True)
    assert (project.completed_at, timeline.renders.rendering_now, timeline.renders.rendering_peak) == (1100.0, 0, 1)


def test_a_second_export_is_charged_again() -> None:
    timeline = RenderTimeline()
    project = timeline.project()
    timeline.start(project)
    first_task = task_id(project)
    timeline.start(project, now=1050.0)
    assert (task_id(project) == first_task, timeline.renders.rendering_now) == (False, 2)
    timeline.renders.advance(1120.0)
    assert (project.state, project.credits, timeline.renders.rendering_now) == ("exporting", 1, 1)
    timeline.renders.advance(1150.0)
    assert (project.state, project.credits, project.exports) == ("exported", 2, 2)


def test_marks_only_with_a_webhook() -> None:
    timeline = RenderTimeline()
    silent, with_webhook = timeline.project(), timeline.project(webhook=True)
    timeline.start(silent)
    timeline.start(with_webhook)
    timeline.renders.advance(1060.0)
    assert timeline.marks == [(with_webhook.id, 0), (with_webhook.id, 25), (with_webhook.id, 50)]
    timeline.renders.advance(1100.0)
    assert timeline.marks[3:] == [(with_webhook.id, 75), (silent.id, 100), (with_webhook.id, 100)] or timeline.marks[
        3:
    ] == [
        (with_webhook.id, 75),
        (with_webhook.id, 100),
        (silent.id, 100),
    ]


@pytest.mark.parametrize(("text", "ends_at"), [("[sandbox:slow]", 1300.0), ("[sandbox:slow=5]", 1500.0)])
def test_slow(text: str, ends_at: float) -> None:
    timeline = RenderTimeline()
    project = timeline.project()
    timeline.start(project, text)
    timeline.renders.advance(ends_at - 0.1)
    assert project.state == "exporting"
    timeline.renders.advance(ends_at)
    assert project.state == "exported"


def test_fail_freezes_and_costs_nothing() -> None:
    timeline = RenderTimeline()
    project = timeline.project(webhook=True)
    timeline.start(project, "[sandbox:fail=30]")
    timeline.renders.advance(1031.0)
    assert (project.state, project.progress_at(1500.0), project.credits) == ("failed", 30.0, 0)
    assert project.error is not None
    assert timeline.marks == [(project.id, 0), (project.id, 25)]
    assert timeline.renders.rendering_now == 0


def test_stuck_never_ends_until_completed_by_hand() -> None:
    timeline = RenderTimeline()
    project = timeline.project()
    timeline.start(project, "[sandbox:stuck]")
    timeline.renders.advance(99999.0)
    assert (project.state, project.progress_at(99999.0)) == ("exporting", 42.0)
    assert timeline.renders.complete(project, now=99999.0)
    assert (project.state, project.credits) == ("exported", 1)
    assert not timeline.renders.complete(project, now=99999.0)


def test_late_url_holds_the_final_callback_back_too() -> None:
    timeline = RenderTimeline()
    project = timeline.project(webhook=True)
    timeline.start(project, "[sandbox:late-url=20]")
    timeline.renders.advance(1110.0)
    assert (project.progress_at(1110.0), project.state, project.download_url(1110.0)) == (100.0, "exported", "")
    assert timeline.marks[-1] == (project.id, 75)
    timeline.renders.advance(1120.0)
    assert project.download_url(1120.0)
    assert timeline.marks[-1] == (project.id, 100)


def test_v2_is_charged_at_once() -> None:
    timeline = RenderTimeline()
    project = timeline.project(scenes=3, api="v2")
    timeline.start(project)
    assert project.credits == 3
    timeline.renders.advance(1100.0)
    assert project.credits == 3


def test_spread_and_mixed_curves_are_repeatable() -> None:
    def ends(seed: int) -> list[float]:
        timeline = RenderTimeline(spread=0.8, curve="mixed", seed=seed)
        found = []
        for _ in range(20):
            project = timeline.project()
            timeline.start(project)
            assert project.render is not None
            found.append(project.render.duration)
        return found

    first = ends(1)
    assert first == ends(1)
    assert min(first) >= 20.0
    assert max(first) <= 180.0
    assert len(set(first)) == 20
