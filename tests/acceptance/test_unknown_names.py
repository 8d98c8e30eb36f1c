"""Names that the vendor does not know, with real processes: refused at the door and behind it, before a call."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from harness import a_request, until
from harness.gateway import ForkedGateway, GatewayProcess, assert_problem
from tests.acceptance.command_line import CommandLineHere

SETTINGS = {"RENDERLINE_UNKNOWN_NAMES": "refuse"}


@pytest.fixture(scope="module")
def system(start_system):
    return start_system("--render-seconds", "0.3", workers=1, **SETTINGS)


@pytest.fixture(scope="module")
def strict(system) -> Iterator[GatewayProcess]:
    """A gateway that refuses unknown names."""
    process = ForkedGateway(system.directory / "strict.log", **system.environ)
    yield process
    process.stop()
    assert "Traceback" not in process.output()


def request(model: str, clothes: str):
    asked = a_request(hooks=[])
    asked["scenes"][0]["avatar"] = {"model": model, "clothes": clothes}
    return asked


def test_an_unknown_name_is_refused_at_the_door_and_behind_it(strict, system):
    lenient = CommandLineHere({**system.environ, "RENDERLINE_UNKNOWN_NAMES": "warn"}, system.directory)
    models = until(lambda: (answer := strict.ask("GET", "/v1/models")).ok and answer.json(), what="the list of models")
    assert "M000004017" in [row["id"] for row in models["models"]]

    problem = assert_problem(strict.submit(request("Ruby", "BG00006160")), 422, "scenes.0.avatar.model")
    assert problem["errors"][0]["message"] == "unknown model 'Ruby'; did you mean 'M000004017'?"

    (accepted,) = lenient.json("submit", "-", given=json.dumps(request("M000045058", "BG9999")))
    render = accepted["id"]
    record = until(lambda: (one := strict.ask("GET", f"/v1/renders/{render}").json())["error"] and one)
    message = "unknown clothes 'BG9999' of model 'M000045058': the vendor's list of this account does not have it"
    assert record["state"] == "failed"
    assert record["error"]["message"] == f"scenes.0.avatar.clothes: {message}"
    assert (record["error"]["code"], record["error"]["origin"]) == ("unknown_name", "caller")
    assert system.sandbox.projects() == [], "nothing was made, and nothing charged"

    fine = strict.accept(request("M000004017", "BG00006160"))
    until(lambda: strict.ask("GET", f"/v1/renders/{fine}").json()["state"] == "delivered", what="the right one")
