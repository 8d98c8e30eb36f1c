"""A Prometheus server with the alert rules of `deploy/observe`, their times shortened."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any, Final

from harness import Server, call, free_port
from harness.samples import ROOT

RULES: Final = ROOT / "deploy/observe/alerts.yml"
_WINDOW: Final = "20s"
_SECONDS: Final = 5
"""What a rule's limit in seconds becomes."""


def shortened(rules: str) -> str:
    """Return the rules with windows of 20 s, limits of 5 s for those of 100 s or more, and hardly any `for`."""
    rules = re.sub(r"\[\d+[smh]\]", f"[{_WINDOW}]", rules)
    rules = re.sub(r"for: [1-9]\d*[smh]", "for: 2s", rules)
    return re.sub(r"([<>]=?) \d{3,}\b", rf"\1 {_SECONDS}", rules)


def program() -> str | None:
    """Return the path of the installed Prometheus; None if there is none."""
    return shutil.which("prometheus")


class Prometheus(Server):
    """A Prometheus that asks these targets every second; `targets` are addresses by job."""

    alive = "/-/ready"

    def __init__(self, directory: Path, targets: dict[str, list[str]]) -> None:
        rules, config, port = directory / "alerts.yml", directory / "prometheus.yml", free_port()
        rules.write_text(shortened(RULES.read_text(encoding="utf-8")))
        jobs = [{"job_name": job, "static_configs": [{"targets": found}]} for job, found in targets.items()]
        often = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
        # JSON is YAML.
        config.write_text(json.dumps({"global": often, "rule_files": [str(rules)], "scrape_configs": jobs}))
        command = [str(program()), f"--config.file={config}", f"--storage.tsdb.path={directory / 'prometheus'}"]
        command += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"]
        super().__init__(command, port=port, log=directory / "prometheus.log")
        self.wait_ready()

    def firing(self) -> dict[str, dict[str, Any]]:
        """Return the alerts that fire, by name."""
        answer = call("GET", f"{self.url}/api/v1/alerts", timeout=5).json()
        return {one["labels"]["alertname"]: one for one in answer["data"]["alerts"] if one["state"] == "firing"}
