"""Taking in a file: the ports of the bulk side, and the values that cross them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple, Protocol

from gateway.domain.aid_duties import AidDesk
from gateway.domain.audit import AuditEntry
from gateway.domain.case import CaseDesk, CaseFile
from gateway.domain.casefacts import Month, OpenCase, Unheeded
from gateway.domain.duties import DutyDesk
from gateway.domain.handover import HandoverDesk
from gateway.domain.inspections import InspectionDesk
from gateway.domain.jobs import StoredFile
from gateway.domain.model import ChildFacts, DutyDraft, LeadDraft, SubjectId
from gateway.domain.ports import Identity
from gateway.domain.referral import ReferralDesk
from gateway.domain.reporting import ReportDesk
from gateway.domain.rules import Assessment


class Person(NamedTuple):
    """Somebody named in a row: the keyed look-ups of their identifiers (the resident id's first), and who they are.

    `own`: the student number is G and the row's own id number, so that it need not be kept beside it. `inside`: the
    look-up of another id number inside the student number, under which its owner may be known. `former`: while the
    index key turns, each of these look-ups with the same under an older key.
    """

    lookups: tuple[bytes, ...]
    kinds: tuple[str, ...]
    identity: Identity
    own: bool = False
    inside: bytes | None = None
    former: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two identifiers of one row belong to two different children."""


@dataclass(frozen=True, slots=True)
class Settled:
    """For each person a subject, a conflict, or None when nobody knows them; whose identity was corrected; who is new."""

    subjects: Sequence[SubjectId | Conflict | None]
    renamed: set[SubjectId]
    fresh: set[SubjectId]


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows were written, and how many were there already."""

    accepted: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class LandedUpload:
    """An upload as it is kept: its receipt, and the Idempotency-Key that guards it until `expires_at`."""

    id: str
    region: str
    exchange: str
    agency: str
    client: str
    law_date: date
    received_at: datetime
    body_digest: str
    receipt: Mapping[str, Any]
    idempotency_key: str | None
    expires_at: datetime


Effect = tuple[str, str]
"""An exchange and what was done to one of its things: ("duties", "opened")."""


class RuleTransaction(Protocol):
    """What the rules read and write, inside the transaction that changed the facts."""

    @property
    def done(self) -> Counter[Effect]:
        """What was written in it so far, counted where it is written: of this a day's evidence is made."""
        ...

    def regions(self) -> list[str]: ...

    def doubtful_children(self, region: str, absence_days: int) -> dict[SubjectId, ChildFacts]: ...

    def assessments(self, region: str) -> Iterator[tuple[Assessment, bool]]: ...

    def standing_leads(self, region: str, rules: Sequence[str]) -> dict[tuple[SubjectId, str], str]: ...

    def facts(self, subjects: Sequence[SubjectId]) -> dict[SubjectId, ChildFacts]: ...

    def open_lead(self, draft: LeadDraft, at: datetime) -> tuple[str, bool]: ...

    def close_lead(self, lead_id: str, fact: Mapping[str, object], at: datetime) -> None: ...

    def open_duty(self, draft: DutyDraft, at: datetime) -> None: ...

    @property
    def cases(self) -> CaseDesk: ...

    @property
    def duties(self) -> DutyDesk: ...

    @property
    def reports(self) -> ReportDesk: ...

    @property
    def referrals(self) -> ReferralDesk: ...

    @property
    def handovers(self) -> HandoverDesk: ...

    def write_audit(self, entry: AuditEntry) -> None: ...


class CaseFactsDesk(Protocol):
    """What registers and histories say of a county's cases, inside one write transaction."""

    def open_in(self, region: str) -> Sequence[OpenCase]:
        """The county's open cases."""
        ...

    def months(self, region: str) -> Mapping[SubjectId, Sequence[Month]]:
        """The attendance of the children under observation."""
        ...

    def exemptions_over(self, region: str, day: date) -> Sequence[CaseFile]:
        """Exempt cases whose last day lies before `day`."""
        ...

    def unheeded(self, region: str, day: date) -> Sequence[Unheeded]:
        """Reminders before enforcement whose last day lies before `day`, of cases in which nobody returned."""
        ...

    def place(self, ref: str, residence: str, school: str | None) -> None:
        """Where the child of the case lives and learns by now."""
        ...


class RegisterTransaction(RuleTransaction, Protocol):
    """One write transaction for a whole file, or for a day of a county."""

    @property
    def today(self) -> date:
        """The law date as of which it writes."""
        ...

    def as_of(self, day: date) -> "RegisterTransaction":
        """The same transaction, writing as of another day."""
        ...

    def lived(self, region: str) -> date | None:
        """The last day that the county has lived through; None for one of which nothing is known."""
        ...

    def mark_lived(self, region: str) -> None:
        """The tasks of this transaction's day are done."""
        ...

    @property
    def aid(self) -> AidDesk: ...

    @property
    def case_facts(self) -> CaseFactsDesk: ...

    def settle(self, prepared: Any, rename: bool, region: str) -> Settled: ...

    def merge(
        self,
        dataset: str,
        region: str,
        rows: Sequence[tuple[SubjectId, tuple[object, ...]]],
        upload_id: str,
        settled: Settled,
    ) -> Tally: ...

    def schools_of(self, region: str, subjects: Sequence[SubjectId]) -> Mapping[SubjectId, str]:
        """Each child's school in the county's register."""
        ...

    def name_schools(self, region: str, schools: Mapping[str, str]) -> None: ...

    @property
    def inspections(self) -> InspectionDesk:
        """What labour inspection found, in this transaction."""
        ...

    def save_upload(self, upload: LandedUpload) -> None: ...

    def save_file(self, file: StoredFile) -> None: ...

    def write_audit(self, entry: AuditEntry) -> None: ...


class Registers(Protocol):
    """The store's bulk side; synchronous, for worker threads."""

    def replay(
        self, client: str, exchange: str, key: str, now: datetime
    ) -> tuple[str, Mapping[str, object]] | None: ...

    def prepare(self, people: Sequence[Person], create: bool) -> Any: ...

    def transaction(self) -> AbstractContextManager[RegisterTransaction]: ...
