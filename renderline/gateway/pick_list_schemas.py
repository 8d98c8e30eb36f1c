"""The schemas of the vendor's lists: query parameters and answers."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from renderline.catalogue.pick_lists import CATEGORIES
from renderline.gateway.request_schemas import QuerySchema
from renderline.gateway.response_schemas import Response


def _about(text: str) -> dict[str, Any]:
    return {"description": text}


def _text(about: str = "", *, null: bool = False) -> fields.String:
    return fields.String(required=True, allow_none=null, metadata=_about(about))


class AccountQuery(QuerySchema):
    """The vendor account."""

    account = fields.String(
        load_default="default", validate=validate.Length(1, 100), metadata=_about("The vendor account.")
    )


class ListQuery(AccountQuery):
    """The parameters of every list."""

    search = fields.String(
        load_default="",
        validate=validate.Length(0, 200),
        metadata=_about("Rows in whose ids, names or labels all of these words occur, in any language and case."),
    )
    cursor = fields.Integer(
        load_default=0,
        validate=validate.Range(0, 10_000_000),
        metadata=_about("Where to continue: `next` of the previous page."),
    )
    limit = fields.Integer(load_default=100, validate=validate.Range(1, 500), metadata=_about("At most this many."))


class TemplateQuery(ListQuery):
    """The parameters of the list of templates."""

    category = fields.String(
        validate=validate.OneOf(CATEGORIES),
        metadata=_about("Templates of generated videos in this category, instead of those of kind `template`."),
    )


class ProjectQuery(ListQuery):
    """The parameters of the list of projects."""

    state = fields.String(
        validate=validate.Length(1, 100), metadata=_about("Projects in this state of the vendor, such as exported.")
    )


class RequestTemplateQuery(AccountQuery):
    """The parameters of a request with placeholders."""

    all = fields.Boolean(
        load_default=False, metadata=_about("Also pictures, videos, sounds and avatars without a tag.")
    )


class _Listed(Response):
    """Of which account it is, and how old."""

    account = _text()
    read_at = _text("When it was read from the vendor, ISO 8601.")
    age = fields.Integer(required=True, metadata=_about("Seconds since then."))
    stale = fields.Boolean(required=True, metadata=_about("Whether workers have been asked to read it anew."))
    error = _text("Why the last attempt to read it anew failed.", null=True)


class _Page(_Listed):
    """A page of a list."""

    complete = fields.Boolean(required=True, metadata=_about("False if the vendor's list is too long to keep."))
    next = fields.Integer(required=True, allow_none=True, metadata=_about("The cursor of the next page, or null."))


class Clothes(Response):
    """Clothes of an avatar."""

    id = _text("What a request names as `clothes`.")
    label = fields.Raw(metadata=_about("Its name: a text, or texts by language."))
    thumbnail = fields.String(allow_none=True)


class Model(Response):
    """An avatar."""

    id = _text("What a request names as `model`.")
    label = fields.Raw(metadata=_about("Its name: a text, or texts by language."))
    thumbnail = fields.String(allow_none=True)
    avatarType = fields.String(allow_none=True, metadata=_about("The vendor's word for its type."))  # noqa: N815
    clothes = fields.List(fields.Nested(Clothes), metadata=_about("Left out where the vendor does not say."))


class Models(_Page):
    """Avatars with their clothes."""

    models = fields.List(fields.Nested(Model), required=True)


class Workspace(Response):
    """A workspace."""

    workspaceId = _text("What a request names as `workspace_id`.")  # noqa: N815
    workspaceName = fields.String(allow_none=True)  # noqa: N815


class Workspaces(_Page):
    """Workspaces of the account."""

    workspaces = fields.List(fields.Nested(Workspace), required=True)


class Template(Response):
    """A template."""

    id = _text("What a request names as `template_id`, or in `options.templateId`.")
    name = fields.String(allow_none=True)
    thumbnailUrl = fields.String(allow_none=True)  # noqa: N815
    category = fields.String()
    orientation = fields.String(metadata=_about("`web` or `mobile`."))


class Templates(_Page):
    """Templates that requests of the tenant may name."""

    templates = fields.List(fields.Nested(Template), required=True)


class VendorProject(Response):
    """A project of the vendor."""

    id = _text("What a request names as `project_id`.")
    name = fields.String(allow_none=True)
    state = fields.String(allow_none=True, metadata=_about("The vendor's word for its state."))


class VendorProjects(_Page):
    """Projects that the vendor lists and requests of the tenant may name."""

    projects = fields.List(fields.Nested(VendorProject), required=True)


class ProjectOutline(_Listed):
    """The scenes of a project: which clip, which text, which tag."""

    project = fields.Dict(
        required=True,
        metadata=_about(
            "`id`, `name`, `orientation`, `state`, and `scenes` with their `background`, `clips` and `scripts`; their "
            "numbers are those that `replace` of kind `from_project` uses."
        ),
    )


class RequestTemplate(_Listed):
    """A request of kind `from_project` with placeholders, and what fills them now."""

    request = fields.Dict(required=True, metadata=_about("Its texts hold placeholders such as `{{headline}}`."))
    example = fields.Dict(
        required=True, metadata=_about("What the project has now for each placeholder: the columns of a table of rows.")
    )
