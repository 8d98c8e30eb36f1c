"""What must be true of the ledger at any moment, read from Redis as it stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from redis import Redis

from renderline.ledger.record import HELD, shown_state
from renderline.renders import FINAL, TRANSITIONS, State

FOLLOWED = frozenset({"rendering", "unconfirmed"})
HOOKED = frozenset({"completed", "failed", "expired", "canceled", "undelivered"})
WAITING = frozenset({"accepted", "submitting"})
SETTLED = frozenset({"delivered", "dead", "skipped"})


@dataclass
class Picture:
    """Everything that the ledger holds of a few renders, read in one transaction."""

    hashes: dict[str, dict[str, str]]
    sets: dict[str, dict[str, float]]
    slots: dict[str, set[str]]
    limits: dict[str, int]
    events: list[tuple[str, str, str]]
    in_flight: set[str] = field(default_factory=set)

    @classmethod
    def take(cls, redis: Redis, prefix: str, ids: Iterable[str], accounts: Iterable[str], *, after: str) -> Picture:
        """Read it; `after` is the last event id known before."""
        ids, accounts = list(ids), list(accounts)
        names = ["renders", "held", "resend", "deadline", "dead_letters", *(f"state:{state}" for state in State)]
        names += [f"{kind}:{account}" for account in accounts for kind in ("due", "parked")]
        names += [f"parked:{account}/acme" for account in accounts]
        with redis.pipeline() as pipe:
            for one in ids:
                pipe.hgetall(f"{prefix}render:{one}")
            for name in names:
                pipe.zrange(f"{prefix}{name}", 0, -1, withscores=True)
            for account in accounts:
                pipe.smembers(f"{prefix}slots:{account}")
            pipe.zunion([f"{prefix}state:{state}@acme" for state in WAITING | FOLLOWED])
            pipe.hgetall(f"{prefix}slot_limits")
            pipe.xrange(f"{prefix}events", f"({after}")
            answers = pipe.execute()
        hashes = dict(zip(ids, answers, strict=False))
        rest = answers[len(ids) :]
        slots = dict(zip(accounts, map(set, rest[len(names) :]), strict=False))
        return cls(
            hashes={one: fields for one, fields in hashes.items() if fields},
            sets={name: dict(rows) for name, rows in zip(names, rest, strict=False)},
            slots=slots,
            limits={name: int(count) for name, count in rest[-2].items()},
            in_flight=set(rest[-3]),
            events=[(event, fields["id"], fields["state"]) for event, fields in rest[-1]],
        )

    def state(self, one: str) -> str:
        return shown_state(self.hashes[one]["state"]) if one in self.hashes else ""

    def held(self, one: str) -> bool:
        return self.hashes[one]["state"] == HELD

    def hooks(self, one: str) -> list[str]:
        fields = self.hashes[one]
        return [fields.get(f"h{index}", "") for index in range(int(fields["hooks"]))]

    def owes(self, one: str) -> bool:
        """Return whether a render that is over, or complete, has hooks that are not settled."""
        return any(hook not in SETTLED for hook in self.hooks(one))

    def unsettled(self) -> list[str]:
        """Return the renders that are not at their end, hooks included."""
        return [one for one in self.hashes if self.state(one) not in FINAL or self.owes(one)]


@dataclass
class Truths:
    """Checks one picture after the other; remembers the last state of each render."""

    grace: float
    lease: float
    states: dict[str, str] = field(default_factory=dict)

    def check(self, picture: Picture, *, now: float) -> None:
        """Fail on the first thing that is not as it must be."""
        self._transitions(picture)
        for one in picture.hashes:
            self._indexes(picture, one)
            self._held(picture, one)
            self._followed(picture, one)
            self._future(picture, one, now=now)
            self._slot(picture, one)
            self._parked(picture, one, now=now)
            self._times(picture, one)
        self._nothing_of_others(picture)
        self._limits(picture)
        self._in_flight(picture)

    def _transitions(self, picture: Picture) -> None:
        for _, one, state in picture.events:
            before = self.states.get(one, "")
            legal = state == before or (before == "" and state == "accepted")
            legal = legal or (before != "" and State(state) in TRANSITIONS[State(before)])
            assert legal, f"{one} went from {before or 'nothing'} to {state}"
            self.states[one] = state
        for one in picture.hashes:
            assert picture.state(one) == self.states[one], f"{one} changed its state unseen"

    @staticmethod
    def _indexes(picture: Picture, one: str) -> None:
        state = picture.state(one)
        standing = {name for name, rows in picture.sets.items() if name.startswith("state:") and one in rows}
        assert standing == {f"state:{state}"}, f"{one} is {state} and stands in {standing}"
        since = float(picture.hashes[one][f"t:{state}"])
        assert picture.sets[f"state:{state}"][one] == since
        assert one in picture.sets["renders"]

    @staticmethod
    def _held(picture: Picture, one: str) -> None:
        assert (one in picture.sets["held"]) == picture.held(one)
        if picture.held(one):
            assert one not in picture.sets["resend"], f"{one} is held and would be sent again"
            places = [name for name in _named(picture, "parked:") if one in picture.sets[name]]
            assert not places, f"{one} is held and parked"
        else:
            assert not [name for name in picture.hashes[one] if name.startswith("held_")]

    @staticmethod
    def _followed(picture: Picture, one: str) -> None:
        account = picture.hashes[one]["account"]
        places = {name for name in ("deadline", *_named(picture, "due:")) if one in picture.sets[name]}
        expected = {"deadline", f"due:{account}"} if picture.state(one) in FOLLOWED else set()
        assert places == expected, f"{one} is {picture.state(one)} and stands in {places}"
        if expected:
            # The sweep puts back renders that it has handled.
            assert picture.sets["deadline"][one] >= float(picture.hashes[one]["deadline_at"])

    def _future(self, picture: Picture, one: str, *, now: float) -> None:
        state, wakes = picture.state(one), picture.sets["resend"]
        if state in FOLLOWED:
            assert one not in wakes, f"{one} is {state} and would be sent again"
        elif picture.held(one):
            pass
        elif state in WAITING or picture.owes(one):
            assert one in wakes, f"{one} is {state} and nobody will ever send it"
            # The longest of: the doubled grace, a lease, a wait that a retry asked for.
            assert wakes[one] <= now + max(32 * self.grace, self.lease + 1, 10_000)
        else:
            assert one not in wakes, f"{one} is {state} with nothing left to do, and would be sent again"

    @staticmethod
    def _slot(picture: Picture, one: str) -> None:
        account, state = picture.hashes[one]["account"], picture.state(one)
        holds = [name for name, members in picture.slots.items() if one in members]
        assert holds in ([], [account])
        if state in FOLLOWED:
            assert holds, f"{one} is {state} and has no slot"
        elif state == "submitting" and "deadline_at" in picture.hashes[one]:
            assert holds, f"{one} lost its slot between two paid stages"
        elif state != "submitting":
            assert not holds, f"{one} is {state} and keeps a slot"

    def _parked(self, picture: Picture, one: str, *, now: float) -> None:
        places = [name for name in _named(picture, "parked:") if one in picture.sets[name]]
        if places:
            fields = picture.hashes[one]
            owner = f"{fields['account']}/{fields['tenant']}" if "tenant" in fields else fields["account"]
            assert places == [f"parked:{owner}"]
            assert picture.state(one) in WAITING, f"{one} is {picture.state(one)} and parked"
            leased = float(picture.hashes[one].get("lease_until", 0)) > now
            assert not leased, f"{one} is parked though a worker has it"

    @staticmethod
    def _times(picture: Picture, one: str) -> None:
        fields, state = picture.hashes[one], picture.state(one)
        times = {name: float(value) for name, value in fields.items() if name.startswith("t:")}
        assert times[f"t:{state}"] == max(times.values()), f"{one} is {state}, and another state is newer: {times}"
        assert times["t:accepted"] == min(times.values()), f"{one}: {times}"
        assert 0 <= float(fields.get("progress", 0)) <= 100

    @staticmethod
    def _nothing_of_others(picture: Picture) -> None:
        for name, rows in picture.sets.items():
            strange = {member.partition(":")[0] for member in rows} - set(picture.hashes)
            assert not strange, f"{name} holds {strange}, of which there is no record"
        for account, members in picture.slots.items():
            assert members <= set(picture.hashes), f"the slots of {account} hold renders of which there is no record"

    @staticmethod
    def _in_flight(picture: Picture) -> None:
        of_acme = {one for one, fields in picture.hashes.items() if fields.get("tenant") == "acme"}
        flying = {one for one in of_acme if picture.state(one) in WAITING | FOLLOWED}
        assert picture.in_flight == flying, "what counts against the quota is what is in flight"

    @staticmethod
    def _limits(picture: Picture) -> None:
        for account, limit in picture.limits.items():
            assert len(picture.slots[account]) <= limit, f"{account} has more renders at the vendor than {limit}"


def _named(picture: Picture, prefix: str) -> list[str]:
    return [name for name in picture.sets if name.startswith(prefix)]
