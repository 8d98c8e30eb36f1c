"""The sandbox's page names every call, option and stage that there is."""

import asyncio
import re

from harness import ROOT
from renderline.sandbox.backend import Backend
from renderline.sandbox.dispatch import Dispatch
from renderline.sandbox.magic import STAGES
from renderline.sandbox.options import Options, options_parser

PAGE = (ROOT / "renderline/sandbox/README.md").read_text()


def test_every_option_is_on_the_page() -> None:
    options = {name for action in options_parser()._actions for name in action.option_strings} - {"-h", "--help"}
    assert {name for name in options if f"`{name}" not in PAGE and f" {name} " not in PAGE} == set()


def test_every_stage_is_on_the_page() -> None:
    assert {stage for stage in STAGES if f"`{stage}`" not in PAGE} == set()


def test_every_call_is_on_the_page() -> None:
    async def routes() -> list[str]:
        dispatch = Dispatch(Backend(Options(), set_alarm=lambda _: None))
        return [route.template for route in dispatch.routes]

    shown = set(re.findall(r"[a-z_0-9-]+", PAGE))
    ends = {template.partition("{")[0].rstrip("/").rpartition("/")[2] for template in asyncio.run(routes())}
    assert ends - shown == set()
