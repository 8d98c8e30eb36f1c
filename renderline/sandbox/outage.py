"""An outage of the whole vendor API: every call gets the proxy's 503, or hangs."""

from renderline.sandbox import faults
from renderline.sandbox.exchange import Exchange


class VendorOutage:
    """Whether there is an outage, and the calls that hang in it."""

    def __init__(self) -> None:
        self.on = False
        self._hangs = False
        self._retry_after: float | None = None
        self._hanging: list[Exchange] = []

    def begin(self, *, hangs: bool = False, retry_after: float | None = None) -> None:
        """Process no call from now on. Calls that hang in an earlier outage are cut."""
        self.end()
        self.on, self._hangs, self._retry_after = True, hangs, retry_after

    def end(self) -> None:
        """Serve calls again; the connections of hanging calls are closed."""
        self.on = False
        hanging, self._hanging = self._hanging, []
        for exchange in hanging:
            exchange.cut()

    def apply(self, exchange: Exchange) -> None:
        """Answer a call with 503, or leave it hanging."""
        if self._hangs:
            self._hanging.append(exchange)
        else:
            exchange.send(faults.service_unavailable(self._retry_after))
