"""docs/redis.md: its addresses are read, and its figures are those of the newest runs."""

from __future__ import annotations

import json
import re

import pytest

from config import redis_address
from harness import ROOT
from renderline.ledger.server_kind import TRIED

PAGE = (ROOT / "docs" / "redis.md").read_text()
RESULTS = ROOT / "benchmarks" / "results"


def rows(name: str) -> dict[str, list[str]]:
    """Return the rows of a table of figures by their first cell."""
    (table,) = re.findall(rf"<!-- figures of {re.escape(name)} -->\n(.*?)<!-- end", PAGE, flags=re.DOTALL)
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines()]
    return {first: rest for first, *rest in cells[2:]}


@pytest.mark.parametrize("url", re.findall(r"^\|[^|]+\| `((?:redis|rediss|unix|sentinel)://[^`]+)`", PAGE, flags=re.M))
def test_each_address_is_one(url: str) -> None:
    url = url.replace("/etc/renderline/ca.pem", __file__)
    assert redis_address.read(redis_address.parse(url)).password == "password"


def test_the_servers_are_those_that_were_tried() -> None:
    tried = json.loads((RESULTS / "redis_servers.json").read_text())
    assert all(one["delivered"] for one in tried)
    assert set(rows("benchmarks.redis_servers")) == {one["server"] for one in tried}
    for name, version in (one["server"].split() for one in tried):
        assert version.rpartition(".")[0] in TRIED.partition(name)[2].partition("," if name == "Redis" else "\n")[0]


def test_the_figures_are_those_of_the_failovers() -> None:
    runs = json.loads((RESULTS / "sentinel_failover.json").read_text())["runs"]
    assert [one["settings"] for one in runs] == ["recommended", "defaults"]

    def probe(number: int) -> list[str]:
        happened = [run["failovers"][number] for run in runs]
        return [f"{one['of these lost']} of {one['acknowledged writes']}" for one in happened]

    assert rows("benchmarks.sentinel_failover") == {
        "renders accepted": [str(run["accepted"]) for run in runs],
        "delivered": [str(run["delivered"]) for run in runs],
        "accepted and lost": [str(run["accepted and lost"]) for run in runs],
        "of these, the promoted replica had": [str(run["had by the promoted replica and lost"]) for run in runs],
        "credits charged": [str(run["credits charged"]) for run in runs],
        "renders paid for twice": [str(run["renders paid for twice"]) for run in runs],
        "acknowledged writes lost by SIGKILL": probe(0),
        "acknowledged writes lost by SIGSTOP and SIGCONT": probe(1),
    }
