"""The readings of a message that quotes something: as it is, and with escapes of JSON, URLs, HTML and repr undone."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

_ROUNDS = 3  # a text may be JSON inside JSON inside a URL

_ESCAPE = re.compile(
    r"""(?P<units>(?:\\+u[0-9a-fA-F]{4})+)
      | (?P<point>\\+U[0-9a-fA-F]{8})
      | (?P<hex>(?:\\+x[0-9a-fA-F]{2})+)
      | (?P<percent>(?:%[0-9a-fA-F]{2})+)
      | (?P<entity>&(?:\#[0-9]{1,7}|\#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,30});)
      | (?P<blank>\\+[nrtbfv])
      | (?P<backslash>\\+)""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Form:
    """One reading of a message. Character i of `text` was read from the message's `starts[i]:ends[i]`."""

    text: str
    starts: list[int]
    ends: list[int]


def forms(message: str) -> list[Form]:
    """Return the readings of a message: as it is, with escapes undone up to three times, and with `+` for a blank."""
    found = [Form(message, list(range(len(message))), list(range(1, len(message) + 1)))]
    for _ in range(_ROUNDS):
        further = _undone(found[-1])
        if further.text == found[-1].text:
            break
        found.append(further)
    if "+" in message:
        found += [_one_line(Form(form.text.replace("+", " "), form.starts, form.ends)) for form in found]
    return found


def undone(text: str) -> str:
    """Return the text with the escapes in it undone once."""
    return _ESCAPE.sub(_meant, text)


def _undone(form: Form) -> Form:
    text, starts, ends = "", [], []
    at = 0
    for escape in _ESCAPE.finditer(form.text):
        begin, end = escape.span()
        meant = _meant(escape)
        text += form.text[at:begin] + meant
        starts += [*form.starts[at:begin], *[form.starts[begin]] * len(meant)]
        ends += [*form.ends[at:begin], *[form.ends[end - 1]] * len(meant)]
        at = end
    return _one_line(Form(text + form.text[at:], starts + form.starts[at:], ends + form.ends[at:]))


def _meant(escape: re.Match[str]) -> str:
    written = escape[0]
    match escape.lastgroup:
        case "units":
            units = re.findall(r"[0-9a-fA-F]{4}", written.replace("\\", ""))
            return bytes.fromhex("".join(units)).decode("utf-16-be", errors="replace")
        case "point":
            point = int(written[-8:], 16)
            return chr(point) if point <= 0x10FFFF else "\ufffd"
        case "hex":
            return _decoded(bytes.fromhex(written.replace("\\", "").replace("x", "")))
        case "percent":
            return _decoded(unquote_to_bytes(written))
        case "entity":
            return html.unescape(written)
        case "blank":
            return " "
    return ""


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _one_line(form: Form) -> Form:
    """Return the reading with one blank for each run of blanks, as secrets are compared."""
    kept = list(_single_blanks(form.text))
    text = "".join(" " if form.text[at].isspace() else form.text[at] for at in kept)
    return Form(text, [form.starts[at] for at in kept], [form.ends[at] for at in kept])


def _single_blanks(text: str) -> Iterator[int]:
    blank = True
    for at, letter in enumerate(text):
        if not (blank and letter.isspace()):
            yield at
        blank = letter.isspace()
