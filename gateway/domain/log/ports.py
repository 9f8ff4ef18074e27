"""What the use cases around the log need of the store. Synchronous: they run in worker threads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from gateway.domain.log.checkpoint import Head
from gateway.domain.log.note import Vkey
from gateway.domain.log.tiles import Tile
from gateway.domain.predicate import Predicate


@dataclass(frozen=True, slots=True)
class Placed:
    """An entry as it is kept; `index` is its place in the tree, None while it is not sealed."""

    seq: int
    body: bytes
    leaf: bytes
    index: int | None


@dataclass(frozen=True, slots=True)
class EntryQuery:
    """Filters of the auditor's view, oldest first; `after` is the last row seen."""

    rows: Predicate
    equal: Mapping[str, str]
    since: datetime | None = None
    until: datetime | None = None
    reference: str | None = None
    region: str | None = None
    after: int = 0
    limit: int = 100


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Rows as (seq, decoded body); `next_after` is where to go on, None at the end of the log."""

    entries: Sequence[tuple[int, Mapping[str, Any]]]
    next_after: int | None


class LogStore(Protocol):
    """The sealed log: heads, tiles, places."""

    def head(self) -> Head | None:
        """The newest head; None before the first."""
        ...

    def tile(self, level: int, index: int) -> bytes:
        """A tile's hashes; empty when there is none."""
        ...

    def unsealed(self, after: int, limit: int) -> Sequence[tuple[int, bytes]]:
        """(seq, leaf hash) of entries after a row, in commit order."""
        ...

    def append(self, before: Head | None, tiles: Sequence[Tile], head: Head) -> bool:
        """All of it in one transaction, if `before` is still the newest head; False, and nothing, when it is not."""
        ...

    def placed(self, reference: str) -> Placed | None: ...

    def cosignatures(self, size: int) -> Sequence[str]:
        """Witnesses' signature lines under that head."""
        ...

    def add_cosignature(self, size: int, witness: str, line: str, at: datetime) -> None: ...

    def last_cosigned(self, witness: str) -> int:
        """The size of the newest head that witness cosigned; 0 when none."""
        ...

    def index_subjects(self, limit: int) -> int:
        """Fill the side index by at most `limit` entries, in a transaction of its own; how many were looked at."""
        ...


class Lease(Protocol):
    """Who of several workers does a piece of work: for the length of some seconds, and longer while renewed."""

    def take(self, name: str, now: datetime) -> bool:
        """Whether this process has it now; it is renewed by that."""
        ...


class AuditTrail(Protocol):
    """Entries and alarms as the auditor may see them."""

    def entries(self, query: EntryQuery) -> EntryPage: ...

    def alarms(
        self, rows: Predicate, status: str | None, after: str | None, limit: int
    ) -> Sequence[Mapping[str, Any]]: ...

    def alarm(self, alarm_id: str, rows: Predicate) -> Mapping[str, Any] | None: ...


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest head of another log that this gateway has cosigned."""

    size: int
    root: bytes
    note: str


FORKED, UNPROVEN = "same-size", "no-proof"
"""Why two heads were kept: they contradict each other; or the proof that the one continues the other did not hold."""


class WitnessStore(Protocol):
    """What a witness remembers: every head it has cosigned, proofs of forks, and heads that came without a proof."""

    def newest(self, origin: str) -> Seen | None: ...

    def signed_at(self, origin: str, size: int) -> Sequence[Seen]:
        """The heads of that size that the log is known to have signed: the one cosigned, and those without a proof."""
        ...

    def accept(self, origin: str, before: Seen | None, new: Seen, at: datetime) -> bool:
        """Keep `new` if `before` is still the newest; False, and nothing, when it is not."""
        ...

    def is_new_fork(self, origin: str, known: str, offered: str, reason: str) -> bool:
        """Whether two notes are not kept yet for that reason, and not enough others are."""
        ...

    def keep_fork(self, origin: str, known: str, offered: str, reason: str, at: datetime) -> None:
        """Keep them, once."""
        ...


@dataclass(frozen=True, slots=True)
class Reply:
    """What a witness answered: an HTTP status and its text."""

    status: int
    text: str


class Peer(Protocol):
    """A witness to reach."""

    @property
    def key(self) -> Vkey:
        """By which its cosignatures are checked."""

    async def post(self, body: str) -> Reply:
        """Raises OSError when it cannot be reached."""
        ...
