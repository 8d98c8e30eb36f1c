"""Which render writes which stored file, so that none overwrites another's."""

from __future__ import annotations

from renderline.ledger.store import Ledger

_KEPT = 2 * 86_400
"""Seconds for which a claim is kept. Longer than the longest wait between two tries of a download, which renew it."""


class FileClaims:
    """Claims of file names. Each is in the ledger before its file is, so that a crash leaves no file without one."""

    def __init__(self, ledger: Ledger) -> None:
        self._redis, self._keys = ledger.redis, ledger.keys

    def claim(self, url: str, render_id: str, *, taken: bool) -> bool:
        """Return whether the render may write the file at `url`; `taken` says whether there is a file.

        A name without a file goes to the first render that claims it, and stays its own, so that a second delivery may
        replace what the first one wrote. A file without a claim belongs to a render whose record, and claim, have
        expired, or was not written by Renderline: nobody may replace it.
        """
        key = self._keys.stored_file(url)
        with self._redis.pipeline(transaction=False) as pipe:
            if not taken:
                pipe.set(key, render_id, nx=True, ex=_KEPT)
            pipe.get(key)
            pipe.hexists(self._keys.render(render_id), "forgotten")
            *_, owner, forgotten = pipe.execute()
        # Of a forgotten render nothing is stored any more, however late its download ends.
        if owner != render_id or forgotten:
            return False
        if taken:
            self._redis.expire(key, _KEPT)
        return True
