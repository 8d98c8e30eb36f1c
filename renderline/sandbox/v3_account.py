"""The v3 calls without a project: token, token check and pick lists."""

from renderline.sandbox.backend import Backend
from renderline.sandbox.calls import Call, Route
from renderline.sandbox.catalogue import MODEL_CHOICES, MODELS, WORKSPACES
from renderline.sandbox.responses import Response, success
from renderline.sandbox.v3_validation import TOKEN, check

BASE = "/api/odin/v3"


def routes(backend: Backend) -> list[Route]:
    """The calls and their handlers."""

    def token(call: Call) -> Response:
        body = call.body()
        check(body, TOKEN)
        return success({"token": backend.tokens.issue(body["appId"], body["userKey"], now=call.now)})

    def authenticated(_: Call) -> Response:
        return success({"isAuthenticated": True})

    def models(_: Call) -> Response:
        return success({"models": MODELS})

    def model_choices(_: Call) -> Response:
        return success(MODEL_CHOICES)

    def workspaces(_: Call) -> Response:
        return success(WORKSPACES)

    return [
        Route("POST", f"{BASE}/auth/token", token, "open"),
        Route("GET", f"{BASE}/auth", authenticated, "v3"),
        Route("GET", f"{BASE}/model", models, "v3"),
        Route("GET", f"{BASE}/dropdown/models", model_choices, "v3"),
        Route("GET", f"{BASE}/dropdown/workspaces", workspaces, "v3"),
    ]
