"""`renderline v2`: the calls of the older v2 API that render nothing: look up, duplicate, change scenes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, BinaryIO

import click

from workers.cli import views
from workers.cli.errors import CommandError, ExitCode, plain
from workers.cli.request_files import Unreadable, items
from workers.cli.session import Session, json_option, pass_session
from workers.cli.vendor import studio_v2

# A v2 key may begin with a hyphen. A short option would take letters out of it, so there is none, -h neither.
_SETTINGS = {"ignore_unknown_options": True, "help_option_names": ["--help"]}
_KEY = click.argument("key")
_INDEX = click.argument("index", type=click.IntRange(min=0))
_SCENE = click.argument("scene", metavar="FILE", type=click.File("rb"))
_ACCOUNT = click.option("--account", default="default", show_default=True, help="Ask with this account.")


@click.group("v2")
def v2() -> None:
    """Look up and change what the vendor's older v2 API has; nothing here renders."""


@v2.command(context_settings=_SETTINGS)
@_KEY
@_ACCOUNT
@json_option
@pass_session
def find(session: Session, key: str, account: str) -> None:
    """Find a simple video or audio by its KEY, with its URL if the vendor tells it."""
    with _explained(key):
        found = asdict(studio_v2(session, account).find_simple(key))
    session.answer(found, lambda: _fields(found))


@v2.command(context_settings=_SETTINGS)
@_KEY
@_ACCOUNT
@json_option
@pass_session
def get(session: Session, key: str, account: str) -> None:
    """Show the scenes of the project with this KEY."""
    with _explained(key):
        found = studio_v2(session, account).read_project(key)
    session.answer(found, lambda: _project(found))


@v2.command("get-by-name", context_settings=_SETTINGS)
@click.argument("name")
@_ACCOUNT
@json_option
@pass_session
def get_by_name(session: Session, name: str, account: str) -> None:
    """Show the scenes of the newest project with this NAME."""
    with _explained(name):
        found = studio_v2(session, account).read_project_by_name(name)
    session.answer(found, lambda: _project(found))


@v2.command(context_settings=_SETTINGS)
@_KEY
@_ACCOUNT
@json_option
@pass_session
def duplicate(session: Session, key: str, account: str) -> None:
    """Copy the project with this KEY; shows the copy's key if the vendor tells it."""
    with _explained(key):
        copy = asdict(studio_v2(session, account).duplicate(key))
    session.answer(copy, lambda: _fields({"key": copy["key"]}))


@v2.command("scene-add", context_settings=_SETTINGS)
@_KEY
@_INDEX
@_SCENE
@_ACCOUNT
@json_option
@pass_session
def scene_add(session: Session, key: str, index: int, scene: BinaryIO, account: str) -> None:
    """Insert a scene into the project KEY at INDEX, from 0; the scenes there and after it move on.

    FILE holds the scene as JSON, in the v2 form; - is standard input.
    """
    content = _load_scene(scene)
    with _explained(key):
        studio_v2(session, account).add_scene(key, index, content)
    _changed(session, key, index, "added")


@v2.command("scene-update", context_settings=_SETTINGS)
@_KEY
@_INDEX
@_SCENE
@_ACCOUNT
@json_option
@pass_session
def scene_update(session: Session, key: str, index: int, scene: BinaryIO, account: str) -> None:
    """Replace the scene at INDEX, from 0, of the project KEY.

    FILE holds the scene as JSON, in the v2 form; - is standard input.
    """
    content = _load_scene(scene)
    with _explained(key):
        studio_v2(session, account).update_scene(key, index, content)
    _changed(session, key, index, "updated")


@v2.command("scene-delete", context_settings=_SETTINGS)
@_KEY
@_INDEX
@_ACCOUNT
@json_option
@pass_session
def scene_delete(session: Session, key: str, index: int, account: str) -> None:
    """Delete the scene at INDEX, from 0, of the project KEY. The vendor's answer may report cubes that it cost."""
    with _explained(key):
        key = studio_v2(session, account).delete_scene(key, index)
    _changed(session, key, index, "deleted")


@contextlib.contextmanager
def _explained(key: str) -> Iterator[None]:
    """Turn the two faults that need another answer than "the vendor said so" into errors of the command."""
    from renderline.studio import OutcomeUnknown, ProjectMissing

    try:
        yield
    except ProjectMissing as fault:
        raise CommandError(f"the vendor: {fault}", ExitCode.NOT_FOUND) from None
    except OutcomeUnknown as fault:
        advice = f"it may have taken effect, so look first: renderline v2 get {key}"
        raise CommandError(f"the vendor: {fault}; {advice}") from None


def _load_scene(file: BinaryIO) -> dict[str, Any]:
    """Return the checked scene of a file; raises CommandError with the path of every wrong field."""
    from marshmallow import ValidationError

    from renderline.kinds.v2_scenes import SCENE
    from renderline.validation.errors import flattened

    name = getattr(file, "name", "<stdin>")
    try:
        found = items(name, file.read())
    except Unreadable as error:
        raise CommandError(error.lines, ExitCode.REFUSED) from None
    if len(found) != 1:
        raise CommandError(f"{name}: must hold one scene, not {len(found)}", ExitCode.REFUSED)
    try:
        scene: dict[str, Any] = SCENE().load(found[0].data)
    except ValidationError as error:
        wrong = flattened(error.normalized_messages(), "scene")
        lines = [f"{name}: {path}: {text}" for path, texts in wrong.items() for text in texts]
        raise CommandError(lines, ExitCode.REFUSED) from None
    return scene


def _changed(session: Session, key: str, index: int, what: str) -> None:
    result = {"key": key, "scene": index, "done": what}
    session.answer(result, lambda: f"scene {index} of {plain(key)} {what}")


def _fields(fields: Mapping[str, Any]) -> Any:
    return views.plain_table(("FIELD", "VALUE"), ((name, plain(value or "")) for name, value in fields.items()))


def _project(project: Mapping[str, Any]) -> Any:
    rows = (_scene(index, scene) for index, scene in enumerate(project.get("scenes", ())))
    return views.plain_table(("SCENE", "MODEL", "CLOTHES", "SCRIPT", "CLIPS"), rows)


def _scene(index: int, scene: Any) -> tuple[str, ...]:
    avatar, clips = (scene.get("AIModel"), scene.get("clips")) if isinstance(scene, dict) else (None, None)
    avatar = avatar if isinstance(avatar, dict) else {}
    shown = [_clip(clip) for clip in clips] if isinstance(clips, list) else []
    said = tuple(plain(avatar.get(name) or "") for name in ("model", "clothes", "script"))
    return (str(index), *said, ", ".join(shown))


def _clip(clip: Any) -> str:
    detail = clip.get("detail") if isinstance(clip, dict) else None
    text = detail.get("textSource") or detail.get("url") if isinstance(detail, dict) else None
    kind = clip.get("type") if isinstance(clip, dict) else None
    return plain(f"{kind or '?'} {text or ''}").strip()


COMMANDS = (v2,)
