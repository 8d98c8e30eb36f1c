"""Checks a message before Celery sees it: the envelope, the task's headers, the body and its arguments.

Celery and kombu do not check messages: a malformed one ends the worker, and then the next worker that takes it. The
reasons name the part that is wrong, and never show the content of a body.

A message of a later version is recognised by its header `renderline_version`, by an unknown task, or by arguments that
its task does not take.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from kombu.serialization import loads as deserialise
from kombu.utils.json import loads

from renderline import contract
from renderline.ledger.quarantine import Kind
from workers.message_compression import TooLarge, decompressed
from workers.message_fields import is_count, is_id, is_list_of, is_name, is_signature, is_time, is_time_limits

_ENCODINGS = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
_TEXTS = ("lang", "root_id", "parent_id", "group", "argsrepr", "kwargsrepr", "shadow", "origin", "compression")
_TEXT = (str, type(None))

ARGUMENTS: Mapping[str, Mapping[str, type]] = {
    contract.SUBMIT: {"render_id": str},
    contract.POLL: {"account": str, "slot": int, "ticket": int},
    contract.HOOK: {"render_id": str, "index": int},
}
"""The arguments of our tasks. Those of `renderline.request` are validated by the task, which answers its producer."""
_TASKS = frozenset({contract.REQUEST, *ARGUMENTS})
_REQUEST_ARGUMENTS = ("request", "key", "request_id")

_LINKS = ("callbacks", "errbacks", "chain")
_NO_LINKS = (
    "it names tasks to be sent after it (link, chain or chord), and RENDERLINE_CELERY_HOOKS lists what may be sent: "
    "name them as celery hooks"
)


class InvalidMessage(ValueError):
    """The message is no valid task of ours; the text says why.

    `kind` is `malformed`, or `unknown task` or `later version`: those another version of Renderline may be able to run.
    """

    def __init__(self, why: str, kind: Kind = "malformed") -> None:
        super().__init__(why)
        self.kind: Kind = kind


_MAX_PLAIN_NESTING = 100


def is_plain(raw: bytes) -> bool:
    """Return whether a JSON text can skip the expensive checks. Cheap, and true for most messages.

    False if it may hold half a surrogate pair, a type that only kombu's decoder knows, or deep nesting.
    """
    return b"\\u" not in raw and b"__type__" not in raw and raw.count(b"{") + raw.count(b"[") < _MAX_PLAIN_NESTING


def read(raw: bytes) -> Any:
    """Parse an entry of a broker list as JSON; raises `InvalidMessage`."""
    try:
        return json.loads(raw.decode()) if is_plain(raw) else loads(raw.decode())
    except Exception:
        # Includes the parser's RecursionError and the errors of kombu's date decoder.
        raise InvalidMessage("not JSON") from None


def check_envelope(message: Any, *, plain: bool = False) -> None:
    """Raise `InvalidMessage` unless kombu can make a message of it. `plain`: its JSON text `is_plain`."""
    _require(isinstance(message, dict), "not a JSON object")
    _require(isinstance(message.get("body"), str), "its body is not text")
    _require(isinstance(message.get("headers"), dict), "its headers are not an object")
    properties = message.get("properties")
    _require(isinstance(properties, dict), "its properties are not an object")
    _require(is_id(properties.get("delivery_tag")), "its delivery_tag is not text")
    route = properties.get("delivery_info")
    _require(isinstance(route, dict), "its delivery_info is not an object")
    for name in ("exchange", "routing_key"):
        _require(isinstance(route.get(name), str), f"its {name} is not text")
    for name in ("correlation_id", "reply_to"):
        _require(isinstance(properties.get(name), _TEXT), f"its {name} is not text")
    _require(properties.get("body_encoding") in ("base64", None), "its body_encoding is not base64")
    _require(is_count(properties.get("priority", 0)), "its priority is not a whole number")
    if plain:
        return
    try:
        json.dumps(message, ensure_ascii=False).encode()
    except Exception:
        raise InvalidMessage("its envelope holds text that is not Unicode") from None


def check_broadcast(message: Any, *, plain: bool = False) -> None:
    """Raise `InvalidMessage` unless kombu can decode it: Celery writes a body that it cannot decode into the log."""
    check_envelope(message, plain=plain)
    _body(message)


def check_task(message: dict[str, Any], *, plain: bool = False, links: bool = True) -> None:
    """Raise `InvalidMessage` unless it is one of our tasks, with headers and a body that Celery can process.

    `links`: it may name tasks that the worker sends after it, with the worker's rights.
    """
    check_envelope(message, plain=plain)
    body = _body(message)
    headers = message["headers"]
    if "task" in headers:
        _require(isinstance(body, list) and len(body) == 3, "its body is not [args, kwargs, embed]")
        args, kwargs, embed = body
    else:
        # Celery's first protocol, which clients in other languages still use: the body has everything.
        _require(isinstance(body, dict) and "task" in body, "it names no task")
        headers = embed = body
        args, kwargs = body.get("args"), body.get("kwargs")
    _check_version(message["headers"])
    _check_headers(headers)
    _require(isinstance(args, list), "its args are not a list")
    _require(isinstance(kwargs, dict), "its kwargs are not an object")
    _check_embed(embed, links=links)
    if headers["task"] == contract.REQUEST:
        _check_names(contract.REQUEST, _REQUEST_ARGUMENTS, args, kwargs)
    else:
        _check_arguments(headers["task"], args, kwargs)


def _body(message: dict[str, Any]) -> Any:
    raw: Any = message["body"]
    try:
        if message["properties"].get("body_encoding"):
            raw = base64.b64decode(raw)
        if compression := message["headers"].get("compression"):
            raw = decompressed(raw, compression)
    except TooLarge as error:
        raise InvalidMessage(str(error)) from None
    except Exception:
        raise InvalidMessage("its body cannot be unpacked") from None
    content, encoding = message.get("content-type"), message.get("content-encoding")
    _require(content == "application/json", "its content type is not JSON")
    _require(isinstance(encoding, str) and encoding.lower() in _ENCODINGS, "its content encoding is not UTF-8")
    try:
        if isinstance(raw, bytes) and raw and is_plain(raw):
            return json.loads(raw.decode())
        return deserialise(raw, content, encoding, accept={"application/json"})
    except Exception:
        raise InvalidMessage("its body is not JSON") from None


def _check_headers(headers: dict[str, Any]) -> None:
    name = headers["task"]
    _require(isinstance(name, str), "its task is not text")
    if name not in _TASKS:
        raise InvalidMessage(f"task {name[:100]!r} is not known to this version", "unknown task")
    _require(is_id(headers.get("id")), "its id is not text")
    for text in _TEXTS:
        if not isinstance(headers.get(text), _TEXT):
            raise InvalidMessage(f"its {text} is not text")
    _require(is_count(headers.get("retries", 0)), "its retries are not a whole number")
    _require(headers.get("ignore_result") in (None, True, False), "its ignore_result is not true or false")
    _require(is_count(headers.get("replaced_task_nesting") or 0), "its replaced_task_nesting is not a whole number")
    for moment in ("eta", "expires"):
        _require(is_time(headers.get(moment)), f"its {moment} is not a time")
    _require(is_time_limits(headers.get("timelimit")), "its timelimit is not two numbers")
    _require(isinstance(headers.get("stamps"), dict | None), "its stamps are not an object")
    stamped = headers.get("stamped_headers")
    _require(stamped is None or is_list_of(stamped, str), "its stamped_headers are not a list of texts")


def _check_embed(embed: Any, *, links: bool) -> None:
    if embed is None:
        return
    _require(isinstance(embed, dict), "its embedded options are not an object")
    _require(links or not any(embed.get(name) for name in (*_LINKS, "chord")), _NO_LINKS)
    for name in _LINKS:
        following = embed.get(name)
        _require(
            following is None or (is_list_of(following, dict) and all(map(is_signature, following))),
            f"its {name} are not a list of signatures",
        )
    _require(embed.get("chord") is None or is_signature(embed["chord"]), "its chord is not a signature")


def _check_version(headers: Mapping[str, Any]) -> None:
    version = headers.get(contract.VERSION_HEADER, contract.MESSAGE_VERSION)
    _require(is_count(version), f"its {contract.VERSION_HEADER} is not a whole number")
    if version > contract.MESSAGE_VERSION:
        why = f"it is of message version {version}; this version reads up to {contract.MESSAGE_VERSION}"
        raise InvalidMessage(why, "later version")


def _check_names(task: str, names: Sequence[str], args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments by name; raises `InvalidMessage` if the task takes no such arguments."""
    given = dict(zip(names, args, strict=False))
    if len(args) > len(names) or given.keys() & kwargs.keys() or not kwargs.keys() <= set(names):
        raise InvalidMessage(f"{task} takes other arguments in this version", "later version")
    return {**given, **kwargs}


def _check_arguments(task: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    wanted = ARGUMENTS[task]
    given = _check_names(task, tuple(wanted), args, kwargs)
    if given.keys() != wanted.keys():
        raise InvalidMessage(f"{task} takes other arguments in this version", "later version")
    for name, value in given.items():
        valid = is_name(value) if wanted[name] is str else is_count(value)
        _require(valid, f"its argument {name} is not {'a name' if wanted[name] is str else 'a whole number'}")


def _require(valid: bool, why: str) -> None:
    if not valid:
        raise InvalidMessage(why)
