"""Every process that explains renders knows when hooks are given up."""

from redis import Redis

from config.settings import load
from harness.gateway_app import gateway_app
from renderline.gateway.board.context import board
from renderline.gateway.context import context
from renderline.retry import HookRetryPolicy
from workers.cli.session import Session
from workers.composition.explanation import explainer
from workers.flower.reading import Reader

GIVEN = {
    "FLOWER_BASIC_AUTH": "someone:a-password-of-32-letters-0a1b2c",
    "RENDERLINE_HOOK_RETRY_FOR": "120",
    "RENDERLINE_HOOK_ATTEMPTS": "9",
    "RENDERLINE_HOOK_WAITS": "5,1m",
}
EXPECTED = HookRetryPolicy(120.0, 9, (5.0, 60.0))


def test_the_board_explains_as_the_api_does():
    chosen = load(GIVEN, role="flower")
    app = gateway_app(Redis(), explainer=explainer(None, chosen))
    with app.app_context():
        assert context().explainer is board().explainer
        assert board().explainer.retries == EXPECTED


def test_flower_and_the_command_line_take_it_from_the_settings(monkeypatch):
    chosen = load(GIVEN, role="flower")
    assert Reader(chosen)._explainer.retries == EXPECTED
    session = Session()
    monkeypatch.setattr(Session, "settings", chosen)
    monkeypatch.setattr(Session, "ledger", None)
    assert session.explainer.retries == EXPECTED
