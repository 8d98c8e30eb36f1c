"""The product's worker with other libraries: `celery -A tests.acceptance.faults.other_libraries worker`; tests only.

KOMBU_VERSION=5.8.0 is what the package metadata then says. UNFIT="shared_client event_batching" names repairs that miss
a name which they use, as after a change in kombu or Celery.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from importlib import import_module, metadata

# A forked worker has them already, and they looked at the libraries when they were imported.
for _name in [_name for _name in sys.modules if _name.partition(".")[0] == "workers"]:
    del sys.modules[_name]

_version = metadata.version


def _pretended(name: str) -> str:
    return os.environ.get(f"{name.upper()}_VERSION") or _version(name)


metadata.version = _pretended
for _name in os.environ.get("UNFIT", "").split():
    _module = import_module(f"workers.repairs.{_name}")
    _module.REPAIR = replace(_module.REPAIR, touches=("kombu.transport.redis:Channel.renamed",))

app = import_module("workers.app").app
