"""`make screenshots`: the pictures of the board in the documentation, made anew from the demo's renders."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from playwright.sync_api import Page

from harness.browser import open_browser, open_page
from harness.gateway import GatewayProcess
from harness.hook_endpoint import HookEndpoint
from harness.processes import SandboxProcess, Valkey, Worker
from harness.samples import HOOK_SECRET, ROOT, USER_KEY
from harness.waiting import until
from workers.demo.scenario import renders

IMAGES: Final = ROOT / "docs" / "images"
WIDE: Final = {"width": 1280, "height": 800}
_FAILING: Final = "[sandbox:fail] Hello."
_CUSTOMERS: Final = 317


def main() -> None:
    """Run the demo's renders with one that fails, and take the pictures while some of them still render."""
    with tempfile.TemporaryDirectory(prefix="renderline-screenshots-") as name, HookEndpoint() as endpoint:
        folder = Path(name)
        with Valkey(folder) as valkey:
            sandbox = SandboxProcess(folder / "sandbox.log", "--render-seconds", "12")
            environ = {
                "REDIS_URL": valkey.url,
                "AISTUDIOS_BASE_URL": sandbox.url,
                "AISTUDIOS_V2_BASE_URL": sandbox.url,
                "AISTUDIOS_APP_ID": "studioV3.screenshots",
                "AISTUDIOS_USER_KEY": USER_KEY,
                "AISTUDIOS_V2_SECRET_KEY": "v2-secret-of-the-screenshots",
                "RENDERLINE_HOOK_SECRET": HOOK_SECRET,
                "RENDERLINE_ALLOW_PRIVATE_HOOKS": "true",
                "RENDERLINE_ALLOW_PRIVATE_DOWNLOADS": "true",
                "RENDERLINE_STORAGE_URL": (folder / "videos").as_uri(),
                "RENDERLINE_LABELS": "customer",
                "RENDERLINE_SECRET_KEY": "the secret key of the screenshots, 32 and more",
            }
            gateway = GatewayProcess(folder / "gateway.log", **{**environ, "RENDERLINE_PUBLIC_URL": "http://127.0.0.1"})
            environ["RENDERLINE_PUBLIC_URL"] = gateway.url
            worker = Worker(folder / "worker.log", queues="requests,submit,poll,hooks", environ=environ)
            try:
                worker.wait_ready()
                failed = _submit(gateway, endpoint.url)
                _take(gateway, failed)
            finally:
                for process in (worker, gateway, sandbox):
                    process.kill()


def _submit(gateway: GatewayProcess, hooks: str) -> str:
    """Accept the demo's renders and one that fails; wait until that has, and return its id. The others follow later."""
    every = renders(hooks)
    scene = {**next(one.request for one in every if one.key == "hello")["scenes"][0], "script": _FAILING}
    requests = [one.request if "payload" in one.request else {**one.request, "name": one.title} for one in every]
    failing = {"kind": "project", "name": "Welcome, customer 317", "scenes": [scene]}
    ids = []
    for number, request in enumerate([failing, *requests]):
        customer = {"customer": str(_CUSTOMERS + number)}
        ids.append(gateway.accept({**request, "metadata": {**request.get("metadata", {}), **customer}}))
    until(lambda: _state(gateway, ids[0]) == "failed", what="the failed render", seconds=90)
    for number, request in enumerate(requests[:8]):
        customer = {"customer": str(_CUSTOMERS + len(ids) + number)}
        gateway.accept({**request, "metadata": customer})
    until(lambda: _counted(gateway, "rendering") >= 3, what="renders at the vendor", seconds=60)
    return ids[0]


def _state(gateway: GatewayProcess, render_id: str) -> str:
    return str(gateway.ask("GET", f"/v1/renders/{render_id}").json()["state"])


def _counted(gateway: GatewayProcess, state: str) -> int:
    return len(gateway.ask("GET", f"/v1/renders?state={state}").json()["renders"])


def _take(gateway: GatewayProcess, failed: str) -> None:
    with open_browser() as browser:
        with open_page(browser, gateway.url, viewport=WIDE, color_scheme="light") as page:
            page.goto("/")
            page.wait_for_selector(".state-rendering")
            page.wait_for_timeout(5000)  # until bars have moved
            _picture(page, "board")
        with open_page(browser, gateway.url, viewport=WIDE, color_scheme="dark") as page:
            page.goto(f"/renders/{failed}")
            _picture(page, "board-render")


def _picture(page: Page, name: str) -> None:
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
