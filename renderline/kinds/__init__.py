"""The kinds of render. Each is one module of this package with a `KIND`; the other modules are shared by several."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from typing import Final

from renderline.kinds.body import load_body, named_sources
from renderline.kinds.evidence import render_evidence, started_since
from renderline.kinds.files import NamedFile, named_files, vendor_files
from renderline.kinds.kind import Kind, is_draft
from renderline.kinds.naming import Named, named_in
from renderline.kinds.plan import CallContext, CallResult, RequestUnfit, Stage

__all__ = [
    "APIS",
    "KINDS",
    "PAID_STAGES",
    "CallContext",
    "CallResult",
    "Kind",
    "Named",
    "NamedFile",
    "RequestUnfit",
    "Stage",
    "is_draft",
    "load_body",
    "named_files",
    "named_in",
    "named_sources",
    "render_evidence",
    "started_since",
    "vendor_files",
]


def _find_kinds() -> dict[str, Kind]:
    modules = [import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
    kinds = [module.KIND for module in modules if hasattr(module, "KIND")]
    return {kind.name: kind for kind in kinds}


KINDS: Final[Mapping[str, Kind]] = _find_kinds()
"""Every kind by its name."""

APIS: Final = {kind.name: kind.api for kind in KINDS.values()}
"""The vendor API that the calls of each kind belong to."""

PAID_STAGES: Final = tuple(sorted({stage.name for kind in KINDS.values() for stage in kind.stages if stage.paid}))
"""The names of the paid stages. No kind uses one of them for a free stage."""
