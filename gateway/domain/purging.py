"""Deletion: the ports of the purge and of the notices, and the values that cross them."""

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from gateway.domain.audit import AuditEntry
from gateway.domain.ports import Transaction
from gateway.domain.predicate import Predicate
from gateway.domain.retention import Period, Removed, Since, Span

Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class NoticeTerms:
    """What every notice of a run says besides the child: the day, the moment, and by when it is to be confirmed."""

    today: date
    now: datetime
    due_on: date


@dataclass(frozen=True, slots=True)
class Notice:
    """A child that a recipient must forget too, under the recipient's own pseudonyms."""

    id: str
    region: str
    exchanges: Sequence[str]
    pseudonyms: Sequence[str]
    deleted_on: date
    due_on: date
    received_at: datetime | None


@dataclass(frozen=True, slots=True)
class Overdue:
    """Receipts that one agency of a region has not sent in time: how many, and since when the first was due."""

    agency: str
    region: str
    count: int
    since: date


@dataclass(frozen=True, slots=True)
class NoticeQuery:
    """One agency's notices in one region; `received` None for both kinds, `after` the last id seen."""

    agency: str
    region: str
    rows: Predicate
    received: bool | None = None
    after: str | None = None
    limit: int = 100


class PurgeTransaction(Transaction, Protocol):
    """One short write transaction of a purge."""

    def spans_of(self, subjects: Collection[bytes]) -> list[Span]: ...

    def open_work_of(self, subjects: Collection[bytes]) -> set[bytes]: ...

    def still_orphans(self, subjects: Collection[bytes]) -> list[bytes]: ...

    def lapse(self, subjects: Collection[bytes], fact: dict[str, object], at: datetime) -> list[Removed]:
        """Close the children's open leads, cases and duties, with the fact that says why."""
        ...

    def shred(self, subjects: Collection[bytes], terms: NoticeTerms) -> list[Removed]:
        """Notices to recipients first; then everything about the children, their data keys last."""
        ...

    def drop_facts(self, dataset: str, subjects: Collection[bytes]) -> list[Removed]: ...

    def drop_rows(self, dataset: str, keys: Sequence[Key]) -> list[Removed]: ...

    def drop_work(self, subjects: Collection[bytes], before: datetime, terms: NoticeTerms) -> list[Removed]:
        """Leads and cases over at or before that moment; notices to those who learnt by them, once the last goes."""
        ...

    def drop_expired(
        self, now: datetime, periods: Callable[[str], Period]
    ) -> tuple[list[Removed], list[str]]:
        """Rows past their own clock, and the ids of files whose cards went."""
        ...

    def write_audit(self, entry: AuditEntry) -> None:
        """The evidence of what removed nothing."""
        ...

    def record(self, entry: AuditEntry) -> None:
        """The evidence; lists computed from what was there count as old from here on."""
        ...


class PurgeStore(Protocol):
    """What a purge reads, and its transactions; synchronous, for worker threads."""

    def spans(self, today: date, age: int) -> list[Span]:
        """Children who may have ended schooling: of that age, deceased, or in no register."""
        ...

    def open_work(self) -> set[bytes]: ...

    def orphans(self, made_before: date) -> list[bytes]:
        """Children the vault made before that day, about whom nothing is held any more."""
        ...

    def values(self, dataset: str) -> tuple[Since, list[str]] | None:
        """What a dataset's rows count from by themselves, and its different values."""
        ...

    def rows_with(self, dataset: str, values: Collection[str]) -> list[Key]: ...

    def work_over(self, before: datetime) -> list[bytes]:
        """Children with a lead or case whose period was over at or before that moment."""
        ...

    def anything_expired(self, now: datetime, periods: Callable[[str], Period]) -> bool: ...

    def learn_recipients(self) -> None:
        """Read on in the evidence: who was told of which children."""
        ...

    def transaction(self, keep: bool) -> AbstractContextManager[PurgeTransaction]:
        """Committed at the end when it is to be kept, undone otherwise."""
        ...

    def wipe(self, tables: Iterable[str], most_rows: int | None) -> None:
        """Rewrite the tables, so that no page holds what was deleted from it."""
        ...

    def truncate(self) -> bool:
        """Empty the log of the store; False when somebody still reads old pages: try again later."""
        ...

    def last_run(self) -> date | None: ...

    def ran(self, day: date) -> None: ...


class Notices(Protocol):
    """Notices as they are kept."""

    def find(self, query: NoticeQuery) -> list[Notice]: ...

    def overdue(self, today: date) -> list[Overdue]:
        """By agency and region: receipts that were due before today."""
        ...

    def one(self, notice_id: str, query: NoticeQuery) -> Notice | None:
        """The notice of that id, if it is among those of the query."""
        ...

    def receive(self, notice_id: str, by: str, at: datetime, entry: AuditEntry) -> None:
        """Keep the first receipt, with the evidence, in one transaction."""
        ...

    def deleted_since_export(self, client: str, agency: str, exchange: str, region: str) -> list[str]:
        """Pseudonyms of children deleted since the client last exported that list; none before its first export."""
        ...

    def exported(self, client: str, exchange: str, region: str, at: datetime) -> None: ...
