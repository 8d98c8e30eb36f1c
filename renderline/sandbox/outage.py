"""An outage of the whole vendor API: every call refused by the proxy in front of it, or taken and never answered."""

from renderline.sandbox import faults
from renderline.sandbox.exchange import Exchange


class Outage:
    """Whether there is an outage, and the lines of the calls that it leaves without an answer."""

    def __init__(self) -> None:
        self.on = False
        self._hangs = False
        self._retry_after: float | None = None
        self._lines: list[Exchange] = []

    def begin(self, *, hangs: bool = False, retry_after: float | None = None) -> None:
        """Process no call from now on. Those that hung in an outage before this one are cut."""
        self.end()
        self.on, self._hangs, self._retry_after = True, hangs, retry_after

    def end(self) -> None:
        """Serve calls again; the lines of those that hang are cut."""
        self.on = False
        lines, self._lines = self._lines, []
        for line in lines:
            line.cut()

    def strike(self, exchange: Exchange) -> None:
        """Answer a call, or leave it hanging."""
        if self._hangs:
            self._lines.append(exchange)
        else:
            exchange.send(faults.service_unavailable(self._retry_after))
