"""Logging of all processes: structlog over the standard library, in one format, with secrets masked."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
from collections.abc import Iterable
from typing import Any, TextIO
from urllib.parse import quote

import structlog
from structlog.typing import Processor

MASK = "***"

# Secrets that are unknown when logging is set up: the vendor issues tokens while the process runs.
_HOOK_SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]{16,}")
# A token of the vendor (JWT): three parts joined by dots. Each run of parts is read once, from its beginning: a search
# from every `eyJ` in it would take quadratic time.
_PARTS = re.compile(r"(?<![\w-])[\w-]{11,}+(?:\.[\w-]{8,}+){2,}+")
_JWT = "eyJ"
_PART_LENGTH = 8
# Masking a very short value would hide parts of ordinary words.
_MIN_LENGTH = 6
# Our own lines say the same better than these loggers at INFO.
_NOISY = (
    "urllib3",
    "kombu",
    "amqp",
    "fsspec",
    "asyncio",
    # At DEBUG it writes the bodies of messages.
    "celery.pool",
    # Two lines for every task; one line for every step of a render says more and costs less.
    "celery.worker.strategy",
    "celery.app.trace",
)

# Extra fields of other libraries' records are not logged: Celery puts task arguments there.
_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
# One list for every set-up: loggers keep it from their first line on.
_PROCESSORS: list[Processor] = [
    structlog.stdlib.filter_by_level,
    *_SHARED,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.StackInfoRenderer(),
    structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
]


def _spellings(secret: str) -> tuple[str, ...]:
    """Return the secret as plain text, inside a URL, inside JSON and inside Python's repr."""
    return (
        secret,
        quote(secret, safe=""),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        repr(secret.encode())[2:-1],
    )


class Mask:
    """Masks known secrets and everything in the form of a token; the last processor of a log line."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        spellings = {text for secret in secrets if len(secret) >= _MIN_LENGTH for text in _spellings(secret)}
        # The longest first, so that a secret that contains another one is masked as a whole.
        known = "|".join(re.escape(text) for text in sorted(spellings, key=len, reverse=True))
        self._known = re.compile(known) if known else None

    def text(self, line: str) -> str:
        """Return the line without the secrets."""
        if self._known is not None:
            line = self._known.sub(MASK, line)
        if _JWT in line:
            line = _PARTS.sub(_without_tokens, line)
        return _HOOK_SECRET.sub(MASK, line)

    def __call__(self, _logger: Any, _method: str, event: Any) -> Any:
        return self.text(event) if isinstance(event, str) else event


def _without_tokens(found: re.Match[str]) -> str:
    kept: list[str] = []
    parts = found[0].split(".")
    at = 0
    while at < len(parts):
        start = parts[at].find(_JWT)
        if start < 0 or len(parts[at]) < start + len(_JWT) + _PART_LENGTH or at + 2 >= len(parts):
            kept.append(parts[at])
            at += 1
        else:
            kept.append(parts[at][:start] + MASK)
            at += 3
    return ".".join(kept)


def configure(
    *, level: str = "INFO", fmt: str = "console", secrets: Iterable[str] = (), stream: TextIO | None = None
) -> None:
    """Send every log line of this process to `stream` (default: standard error), masked, from `level` upwards.

    `fmt` is "console" for people or "json" for one JSON object per line. Calling it again replaces the former set-up.
    """
    output = stream or sys.stderr
    structlog.configure(
        processors=_PROCESSORS,
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_render(fmt, output),
                Mask(secrets),
            ],
        )
    )
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for name in _NOISY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(True)


def _render(fmt: str, output: TextIO) -> list[Processor]:
    if fmt == "json":
        return [
            structlog.processors.EventRenamer("message"),
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    return [
        _one_line,
        structlog.dev.ConsoleRenderer(colors=output.isatty(), pad_event_to=0, exception_formatter=_indented_traceback),
    ]


def _one_line(_logger: Any, _method: str, event: Any) -> Any:
    """Write a line break or control character of a foreign text as an escape, so that it forges no line."""
    event["event"] = _escaped(str(event.get("event", "")))
    return event


def _indented_traceback(output: TextIO, exc_info: Any) -> None:
    # Plain tracebacks: rich ones print local variables, which hold scripts and keys. No line of them can pass for
    # another log line, whatever the text of the exception.
    plain = io.StringIO()
    structlog.dev.plain_traceback(plain, exc_info)
    output.writelines(f"\n  {_escaped(line)}" for line in plain.getvalue().rstrip("\n").split("\n") if line)


def _escaped(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
