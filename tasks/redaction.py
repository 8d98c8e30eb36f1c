"""What may be seen of a task's arguments in events, logs and Flower: ids yes, request bodies never."""

from __future__ import annotations

from renderline import contract
from tasks.timing import TimedRequest

REDACTED = "<redacted>"


class RedactedRequest(TimedRequest):
    """A task message whose arguments are shown as this worker decides, whatever its producer put in the headers."""

    def __init__(self, message, **options) -> None:  # type: ignore[no-untyped-def]
        super().__init__(message, **options)
        # By the task that runs, not by the name shown: a producer may give its message another one.
        if self._task.name != contract.REQUEST:
            return
        arguments = self._request_dict["kwargs"]
        key = arguments.get("key") if isinstance(arguments, dict) else None
        shown = f"{{'request': {REDACTED!r}, 'key': {key!r}}}"
        self._argsrepr, self._kwargsrepr = "()", shown
        for headers in (self._request_dict, self._message.headers):
            headers["argsrepr"], headers["kwargsrepr"] = "()", shown
