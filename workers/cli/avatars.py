"""`renderline avatars`: avatars and voices of the account's own, made from a video, a picture or a recording."""

from __future__ import annotations

from typing import Any

import click

from workers.cli import views
from workers.cli.errors import plain
from workers.cli.session import Session, json_option, pass_session
from workers.cli.vendor import studio
from workers.cli.vendor_effects import MediaUrl, Spoken, account_option, may_cost

# The vendor's allowed values, as `renderline.studio` has them (a test compares): importing that is slow.
GENDERS = ("MALE", "FEMALE")
LOCALES = ("en", "ko", "zh")

_URL = click.argument("url", type=MediaUrl())
_NAME = click.option("--name", type=Spoken(), required=True, help="What to call it.")
_GENDER = click.option("--gender", type=click.Choice(GENDERS, case_sensitive=False), required=True)


@click.group()
def avatars() -> None:
    """Have the vendor make an avatar or a voice of your own.

    Each call may cost; the vendor documents no price. Make them only of people who agreed.
    """


@avatars.command()
@_URL
@_NAME
@_GENDER
@click.option("--locale", type=click.Choice(LOCALES), default=LOCALES[0], show_default=True)
@click.option("--per-frame/--no-per-frame", default=True, show_default=True, help="Sent as the vendor's perFrame.")
@click.option("--webcam", is_flag=True, help="The video was made with a webcam.")
@account_option
@json_option
@pass_session
def custom(
    session: Session, url: str, name: str, gender: str, locale: str, per_frame: bool, webcam: bool, account: str
) -> None:
    """Make an avatar and its voice from the video at URL."""
    client = studio(session, account)
    with may_cost("the avatar"):
        made = client.create_custom_avatar(url, name, gender, locale=locale, per_frame=per_frame, is_webcam=webcam)
    _answer(session, {"avatar_id": made.avatar_id, "voice_id": made.voice_id})


@avatars.command()
@_URL
@_NAME
@_GENDER
@account_option
@json_option
@pass_session
def dream(session: Session, url: str, name: str, gender: str, account: str) -> None:
    """Make an avatar from the picture at URL."""
    client = studio(session, account)
    with may_cost("the avatar"):
        avatar_id = client.create_dream_avatar(url, name, gender)
    _answer(session, {"avatar_id": avatar_id})


@avatars.command("voice-clone")
@_URL
@_NAME
@_GENDER
@click.option("--locale", type=Spoken(), default=LOCALES[0], show_default=True)
@account_option
@json_option
@pass_session
def voice_clone(session: Session, url: str, name: str, gender: str, locale: str, account: str) -> None:
    """Make a voice from the recording at URL."""
    client = studio(session, account)
    with may_cost("the voice"):
        voice_id = client.clone_voice(url, name, gender, locale=locale)
    _answer(session, {"voice_id": voice_id})


def _answer(session: Session, found: dict[str, Any]) -> None:
    columns = [column.upper().replace("_ID", "") for column in found]
    session.answer(found, lambda: views.plain_table(columns, [[plain(value or "") for value in found.values()]]))


COMMANDS = (avatars,)
