"""What other services may rely on, and keep copies of."""

import json
import subprocess
import sys

import pytest

from harness import ROOT
from renderline import contract


def test_the_public_names_stay():
    assert (contract.REQUEST, contract.SUBMIT, contract.POLL, contract.HOOK) == (
        "renderline.request",
        "renderline.submit",
        "renderline.poll",
        "renderline.hook",
    )
    assert contract.QUEUES == ("requests", "submit", "poll", "hooks")
    assert contract.PRIORITIES == {"high": 0, "normal": 3, "low": 6}
    assert contract.MESSAGE_VERSION == 1


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("order-A-17", "305e78ee6fcb53f48485bea503034926"),
        ("", "22c1ef9925155091ae600e21336a5a55"),
        ("Bestellung/Ä 1", "31e78bcdceec5176a22f3bfff2a5b2de"),
    ],
)
def test_a_key_stands_for_the_same_render_in_every_version(key, expected):
    assert contract.render_id_for_key(key) == expected


def test_a_message_stands_for_the_same_render_in_every_version():
    message = "0b0f9f5c-8f5d-4f55-9f3e-111111111111"
    assert contract.render_id_for_message(message) == "696c66822cf45a109e3a2d0990594680"
    assert contract.render_id_for_key(message) != contract.render_id_for_message(message)


# -S leaves out site-packages, -I the environment and the working directory: what imports here needs nothing else.
ALONE = """
import json, sys
sys.path.insert(0, sys.argv[1])
before = set(sys.modules)
import renderline.{module}
print(json.dumps(sorted(name for name in sys.modules if name.split(".")[0] not in sys.stdlib_module_names)))
"""


@pytest.mark.parametrize("module", ["contract", "producer"])
def test_a_producer_needs_nothing_but_the_standard_library(module):
    done = subprocess.run(
        [sys.executable, "-S", "-I", "-c", ALONE.format(module=module), str(ROOT)],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    foreign = set(json.loads(done.stdout)) - {"__main__"}
    assert foreign <= {"renderline", "renderline.contract", "renderline.producer"}
