"""The v3 calls that are about no project: token, token check and pick lists."""

from renderline.sandbox.answers import Answer, success
from renderline.sandbox.backend import Backend
from renderline.sandbox.bodies import TOKEN, check
from renderline.sandbox.calls import Call, Route
from renderline.sandbox.catalogue import MODEL_CHOICES, MODELS, WORKSPACES

BASE = "/api/odin/v3"


def routes(backend: Backend) -> list[Route]:
    """The calls and where they are served."""

    def token(call: Call) -> Answer:
        body = call.body()
        check(body, TOKEN)
        return success({"token": backend.tokens.issue(body["appId"], body["userKey"], now=call.now)})

    def authenticated(_: Call) -> Answer:
        return success({"isAuthenticated": True})

    def models(_: Call) -> Answer:
        return success({"models": MODELS})

    def model_choices(_: Call) -> Answer:
        return success(MODEL_CHOICES)

    def workspaces(_: Call) -> Answer:
        return success(WORKSPACES)

    return [
        Route("POST", f"{BASE}/auth/token", token, "open"),
        Route("GET", f"{BASE}/auth", authenticated, "v3"),
        Route("GET", f"{BASE}/model", models, "v3"),
        Route("GET", f"{BASE}/dropdown/models", model_choices, "v3"),
        Route("GET", f"{BASE}/dropdown/workspaces", workspaces, "v3"),
    ]
