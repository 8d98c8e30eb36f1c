"""`renderline generate`: texts, pictures, clips and voices that the vendor makes in the call itself."""

from __future__ import annotations

import click

from workers.cli import generated_file
from workers.cli.errors import plain_lines
from workers.cli.generated_file import store_option
from workers.cli.session import Session, json_option, pass_session
from workers.cli.vendor import studio
from workers.cli.vendor_effects import Spoken, account_option, may_cost

_TOPIC = click.argument("topic", type=Spoken(or_input=True))
# The vendor's allowed values, as `renderline.studio` has them (a test compares): importing that is slow.
STYLES = ("PHOTOGRAPHIC", "VECTOR_IMAGE", "ILLUSTRATION", "3D")
SIZES = ("LANDSCAPE", "PORTRAIT", "SQUARE")


@click.group()
def generate() -> None:
    """Have the vendor make a text, picture, clip or voice.

    Each call may cost credits; the vendor documents no price, and an answer takes up to a minute or more.
    """


@generate.command()
@_TOPIC
@account_option
@json_option
@pass_session
def text(session: Session, topic: str, account: str) -> None:
    """Write a script on TOPIC (- is standard input)."""
    client = studio(session, account)
    with may_cost("the text"):
        script = client.generate_text(topic)
    session.answer({"script": script}, lambda: click.echo(plain_lines(script)))


@generate.command()
@_TOPIC
@click.option("--style", type=click.Choice(STYLES, case_sensitive=False), default=STYLES[0], show_default=True)
@click.option("--size", type=click.Choice(SIZES, case_sensitive=False), default=SIZES[0], show_default=True)
@store_option
@account_option
@json_option
@pass_session
@click.pass_context
def image(
    context: click.Context, session: Session, topic: str, style: str, size: str, store: bool, account: str
) -> None:
    """Draw a picture on TOPIC (- is standard input); the answer is its URL."""
    client, storage = studio(session, account), generated_file.storage(session) if store else None
    with may_cost("the image"):
        url = client.generate_image(topic, style, size)
    generated_file.answer(context, session, url, what="image", account=account, store=storage)


@generate.command()
@_TOPIC
@store_option
@account_option
@json_option
@pass_session
@click.pass_context
def video(context: click.Context, session: Session, topic: str, store: bool, account: str) -> None:
    """Make a clip on TOPIC (- is standard input); the answer is its URL."""
    client, storage = studio(session, account), generated_file.storage(session) if store else None
    with may_cost("the video"):
        url = client.generate_video(topic)
    generated_file.answer(context, session, url, what="video", account=account, store=storage)


@generate.command()
@click.argument("script", type=Spoken(or_input=True))
@click.option("--model", type=Spoken(), required=True, help="The voice's id.")
@click.option(
    "--type", "maker", type=Spoken(), required=True, help="Who makes the voice: deepbrainai, elevenlabs, google ..."
)
@click.option("--language", type=Spoken(), required=True, help="The language of SCRIPT: en, ko, ja ...")
@store_option
@account_option
@json_option
@pass_session
@click.pass_context
def voice(
    context: click.Context,
    session: Session,
    script: str,
    model: str,
    maker: str,
    language: str,
    store: bool,
    account: str,
) -> None:
    """Speak SCRIPT (- is standard input); the answer is the URL of the sound."""
    client, storage = studio(session, account), generated_file.storage(session) if store else None
    with may_cost("the voice"):
        url = client.generate_voice(script, model, maker, language)
    generated_file.answer(context, session, url, what="voice", account=account, store=storage)


COMMANDS = (generate,)
