"""Which renders a list, a search or a bulk operation wants."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from renderline.contract import key_error, render_id_for_key
from renderline.ledger.indexed import folded, texts_of


@dataclass(frozen=True)
class Filter:
    """Which renders are wanted: those that all the given fields match.

    `after` and `before` are epoch seconds: of acceptance, or of entering `state` if given.
    """

    state: str | None = None
    kind: str | None = None
    account: str | None = None
    tenant: str | None = None
    metadata: tuple[tuple[str, str], ...] = ()
    after: float = float("-inf")
    before: float = float("inf")
    name: str = ""
    """How the name begins, in upper or lower case."""
    error_code: str | None = None
    held: bool | None = None
    """Whether an operator holds it."""
    priority: str | None = None
    ids: tuple[str, ...] = ()
    """One of these ids; empty: any."""
    keys: tuple[str, ...] = ()
    """One of these idempotency keys; empty: any."""
    text: str = ""
    """Words. One matches the id, the key, or how the name, its most telling word or a label begins; the others match
    one of these, or how any word of the name begins. Or all of them together begin one of these."""

    def takes(self, record: dict[str, Any], labels: Sequence[str] = ()) -> bool:
        """Return whether a record matches the filter; state and time are checked elsewhere.

        `labels` are the names of the metadata that words match.
        """
        if not self.owns(record):
            return False
        plain = ((self.kind, "kind"), (self.account, "account"), (self.priority, "priority"))
        if any(wanted and record[name] != wanted for wanted, name in plain):
            return False
        if self.error_code is not None and (record["error"] or {}).get("code") != self.error_code:
            return False
        if self.held is not None and bool(record.get("held")) != self.held:
            return False
        if not all(str(record["metadata"].get(name)) == value for name, value in self.metadata):
            return False
        if (self.ids or self.keys) and record["id"] not in self._ids_for(record["tenant"]):
            return False
        return self._says(record, labels)

    def owns(self, record: dict[str, Any] | None) -> bool:
        """Return whether the record, if there is one, is of the wanted tenant."""
        return self.tenant is None or (record is not None and record["tenant"] == self.tenant)

    def _ids_for(self, tenant: str) -> set[str]:
        return {*self.ids, *ids_of_keys(self.keys, tenant)}

    def _says(self, record: dict[str, Any], labels: Sequence[str]) -> bool:
        """Return whether the name and the words match."""
        if self.name and not folded(record["name"] or "").startswith(folded(self.name)):
            return False
        whole = folded(self.text)
        if not whole:
            return True
        texts = [text for _, text in texts_of(record["name"], record["metadata"], labels)]
        if any(text.startswith(whole) for text in texts):
            return True
        given = self.text.split()
        # One of them is what the index has; the others may begin any word of the name.
        telling = any(self._is_id(word, record) or _begins(texts, word) for word in given)
        loose = [*texts, *folded(record["name"] or "").split()]
        return telling and all(self._is_id(word, record) or _begins(loose, word) for word in given)

    def _is_id(self, word: str, record: dict[str, Any]) -> bool:
        return record["id"] in (word.lower(), *ids_of_keys([word], record["tenant"]))


def _begins(texts: Sequence[str], word: str) -> bool:
    plain = folded(word)
    return not plain or any(text.startswith(plain) for text in texts)


def ids_of_keys(keys: Iterable[str], tenant: str) -> list[str]:
    """Return the ids of a tenant's renders with these idempotency keys; what cannot be a key has none."""
    return [render_id_for_key(key, tenant) for key in keys if not key_error(key)]
