"""The v3 calls without a project: token, token check and pick lists."""

from typing import Any

from renderline.sandbox.backend import Backend
from renderline.sandbox.calls import Call, Route
from renderline.sandbox.catalogue import AUTOMATION_TEMPLATES, BUSINESS_TEMPLATES, MODEL_CHOICES, MODELS, WORKSPACES
from renderline.sandbox.responses import WITHDRAWN, Refusal, Response, success, success_list
from renderline.sandbox.v3_validation import TOKEN, check
from renderline.sandbox.validation import Table, boolean, either, one_of

BASE = "/api/odin/v3"
THUMBNAILS = "https://cdn.aistudios.com/automation/thumbnails"
TEMPLATE_LIST: Table = {
    "category": (one_of(["social", "business", "education"]), True),
    "orientation": (one_of(["web", "mobile"]), False),
    "fileBackground": (either(one_of(["true", "false"]), boolean, "must be true or false"), False),
}


def routes(backend: Backend) -> list[Route]:
    """The calls and their handlers."""

    def listed(rows: list[dict[str, Any]], name: str) -> Response:
        return success_list(rows, name, named=backend.options.named_lists)

    def token(call: Call) -> Response:
        body = call.body()
        check(body, TOKEN)
        return success({"token": backend.tokens.issue(body["appId"], body["userKey"], now=call.now)})

    def authenticated(_: Call) -> Response:
        return success({"isAuthenticated": True})

    def models(_: Call) -> Response:
        return success({"models": MODELS})

    def model_choices(_: Call) -> Response:
        return listed(MODEL_CHOICES, "models")

    def workspaces(_: Call) -> Response:
        return listed(WORKSPACES, "workspaces")

    def business_templates(_: Call) -> Response:
        return listed(BUSINESS_TEMPLATES, "templates")

    def automation_templates(call: Call) -> Response:
        wish = call.merged()
        check(wish, TEMPLATE_LIST)
        orientation = wish.get("orientation") or "web"
        background = str(wish.get("fileBackground") or "false").lower() == "true"
        shown = [
            {"id": template, "name": known.name, "thumbnailUrl": f"{THUMBNAILS}/{template}.png"}
            for template, known in AUTOMATION_TEMPLATES.items()
            if (known.category, known.orientation, known.file_background) == (wish["category"], orientation, background)
        ]
        return listed(shown, "templates")

    def withdrawn(_: Call) -> Response:
        raise Refusal(WITHDRAWN, "this call was withdrawn; edit the project, or create a new one from its scenes")

    return [
        Route("POST", f"{BASE}/auth/token", token, "open"),
        Route("GET", f"{BASE}/auth", authenticated, "v3"),
        Route("GET", f"{BASE}/model", models, "v3"),
        Route("GET", f"{BASE}/dropdown/models", model_choices, "v3"),
        Route("GET", f"{BASE}/dropdown/workspaces", workspaces, "v3"),
        Route("GET", f"{BASE}/dropdown/templates_business", business_templates, "v3"),
        Route("POST", f"{BASE}/dropdown/templates_automation", automation_templates, "v3"),
        Route("POST", f"{BASE}/editor/project/modify", withdrawn, "v3"),
        Route("POST", f"{BASE}/editor/template/modify", withdrawn, "v3"),
    ]
