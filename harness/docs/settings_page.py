"""The settings as docs/settings.md lists them, from their declarations and the comments of .env.example.

`python -m harness.docs.settings_page` writes its tables anew.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from config.account_variables import ACCOUNT_VARIABLES
from config.settings import VARIABLES, Settings

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "settings.md"
EXAMPLE: Final = ROOT / ".env.example"
_TABLES: Final = re.compile(r"(?s)(<!-- settings -->\n).*?(<!-- end of settings -->)")
_ASSIGNED: Final = re.compile(r"^(?:# )?([A-Z][A-Z0-9_]+)=(\S*)$")

WORKER, GATEWAY, FLOWER, CLI = "worker", "gateway", "Flower", "command line"
PROCESSES: Final = {
    "config.celery": (WORKER,),
    "config.flower": (FLOWER,),
    "workers.application": (WORKER,),
    "workers.cli": (CLI,),
    "workers.composition.acceptance": (WORKER, GATEWAY, CLI),
    "workers.composition.accounts": (WORKER, CLI),
    "workers.composition.catalogue": (WORKER, GATEWAY),
    "workers.composition.cleanup": (WORKER,),
    "workers.composition.connection": (WORKER, GATEWAY, CLI),
    "workers.composition.explanation": (WORKER, GATEWAY, FLOWER, CLI),
    "workers.composition.hooks": (WORKER, GATEWAY),
    "workers.composition.polling": (WORKER,),
    "workers.composition.services": (WORKER,),
    "workers.composition.submission": (WORKER,),
    "workers.composition.tenants": (WORKER, GATEWAY, CLI),
    "workers.composition.uploads": (WORKER, GATEWAY, CLI),
    "workers.composition.webhooks": (WORKER, GATEWAY),
    "workers.embedded_redis": ("embedded Redis",),
    "workers.flower": (FLOWER,),
    "workers.gateway": (GATEWAY,),
    "workers.gateway_worker": (GATEWAY,),
    "workers.lifecycle": (WORKER,),
    "workers.processes.addresses": (CLI,),
    "workers.repairs": (WORKER,),
    "workers.startup": (WORKER,),
}
"""Which processes run a module (or package) that reads settings."""

_ALL: Final = "all"
_NOT_IN_CODE: Final = {
    "RENDERLINE_ENV_FILE": _ALL,
    "RENDERLINE_GATEWAY_BIND": f"{GATEWAY} (Procfile), {CLI}",
    "RENDERLINE_GRAFANA_PASSWORD": "docker compose",
    "RENDERLINE_REDIS_PASSWORD": "docker compose",
    "RENDERLINE_SANDBOX_PORT": "sandbox (Procfile)",
    "RENDERLINE_SANDBOX_RENDER_SECONDS": "sandbox (Procfile)",
    "RENDERLINE_SETTINGS_VERSION": _ALL,
}
"""Who reads what the code reads elsewhere, or not at all."""

_VIA: Final = {"account_names": ("accounts",), "uploads_folder": ("uploads_url", "storage_url")}
_SETTINGS_NAMES: Final = {"settings", "chosen"}
_TYPES: Final = {
    "bool": "true or false",
    "float": "number",
    "int": "whole number",
    "str": "text",
    "tuple[str, ...]": "list, with commas",
}


class Described(NamedTuple):
    """A variable as .env.example lists it: the heading above it, its comment, the value shown."""

    section: str
    text: str
    shown: str


@cache
def described() -> dict[str, Described]:
    """Return every variable of .env.example by name; a variable directly below another shares its comment."""
    section, comment, found, last = "", [], {}, False
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"# --- (.+) ---$", line):
            section, comment, last = heading[1], [], False
        elif assigned := _ASSIGNED.match(line):
            found[assigned[1]] = Described(section, " ".join(comment), assigned[2])
            last = True
        else:
            comment = [] if last or not line else comment
            comment += [line.removeprefix("#").strip()] if line else []
            last = False
    return found


@cache
def readers() -> dict[str, tuple[str, ...]]:
    """Return for each field of the settings the processes that read it.

    Raises KeyError for a module that reads settings and is not in PROCESSES.
    """
    found: dict[str, set[str]] = {one.name: set() for one in fields(Settings)}
    for folder in ("config", "tasks", "workers"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            if module == "config.settings" or module.startswith("workers.demo"):
                continue
            for name in _read_in(path):
                for one in _VIA.get(name, (name,)):
                    if one in found:
                        found[one] |= set(_processes(module))
    order = list(dict.fromkeys(one for names in PROCESSES.values() for one in names))
    return {name: tuple(sorted(who, key=order.index)) for name, who in found.items()}


def _processes(module: str) -> tuple[str, ...]:
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        if known := PROCESSES.get(".".join(parts[:length])):
            return known
    raise KeyError(f"{module} reads settings: name its processes in PROCESSES of harness/docs/settings_page.py")


def _read_in(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    if "settings" in text or "chosen" in text:
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Attribute):
                owner = ast.unparse(node.value).rpartition(".")[2].lstrip("_")
                if owner in _SETTINGS_NAMES:
                    yield node.attr


def read_by(name: str) -> str:
    """Return the processes that read a variable."""
    if (secret := name.removesuffix("_FILE")) in VARIABLES:
        name = secret
    if name in _NOT_IN_CODE:
        return _NOT_IN_CODE[name]
    if name == "REDIS_URL":
        return _ALL
    return ", ".join(readers()[_VARIABLE_FIELDS[name]])


def kind_of(name: str) -> str:
    """Return the type of a variable's value."""
    declared = {} if name in _ACCOUNT_NAMES else _ANNOTATIONS
    annotation = declared.get(_VARIABLE_FIELDS.get(name, ""), "str").removesuffix(" | None")
    if annotation.startswith("Literal"):
        return "choice"
    if "number" in VARIABLES[name].allowed.partition(",")[0]:
        return "whole number" if "whole" in VARIABLES[name].allowed else "number"
    return _TYPES.get(annotation, "list, with commas" if annotation.startswith("tuple") else "text")


def tables() -> str:
    """Return a heading and a table for each section of .env.example, in its order."""
    lines, section, text = [], "", ""
    for name, one in described().items():
        if one.section != section:
            section = one.section
            lines += ["", f"## {section}", "", "| variable | does | value | default | read by |"]
            lines += ["|:--|:--|:--|:--|:--|"]
        wanted, kind = VARIABLES[name], kind_of(name)
        default = f"`{one.shown}`" if one.shown else ""
        cells = (
            f'<a id="{name}"></a>`{name}`' + (" (secret)" if wanted.secret else ""),
            "as above" if one.text == text else _plain(one.text),
            _plain(wanted.allowed if kind in wanted.allowed else f"{kind}: {wanted.allowed}"),
            default,
            read_by(name),
        )
        lines.append("| " + " | ".join(cells) + " |")
        text = one.text
    return "\n".join([*lines, "", ""])


def _plain(text: str) -> str:
    """Return a text with what Markdown would take for its own escaped; names of variables and commands become code."""
    text = re.sub(r"([|*<])", r"\\\1", text)
    text = re.sub(r"(?<![\w`/])((?:RENDERLINE|AISTUDIOS|FLOWER|REDIS)_[A-Z0-9_]+)", r"`\1`", text)
    return re.sub(r"(?<![\w`])docs/([\w-]+\.md)", _linked, text)


def _linked(page: re.Match[str]) -> str:
    return f"[{page[1]}]({page[1]})" if (ROOT / page[0]).is_file() else page[1]


def with_tables(page: str) -> str:
    """Return the page with the present tables."""
    return _TABLES.sub(lambda marks: marks[1] + tables() + marks[2], page)


_ANNOTATIONS: Final = {one.name: str(one.type) for one in fields(Settings)}
_VARIABLE_FIELDS: Final = {
    **{one.metadata["variable"].name: one.name for one in fields(Settings) if "variable" in one.metadata},
    **dict.fromkeys((one.name for one in ACCOUNT_VARIABLES), "accounts"),
    "RENDERLINE_TENANTS": "tenants",
}
_ACCOUNT_NAMES: Final = {one.name for one in ACCOUNT_VARIABLES}


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
