"""What the use cases need from outside, as protocols that adapters implement.

What an ask or a lead needs of the store is async, so that an engine behind a socket fits as well as an embedded one.
Lists, jobs, clients and the bulk side (`gateway.domain.landing`) are synchronous and run in worker threads.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple, Protocol, TypeVar

from gateway.domain.audit import AuditEntry
from gateway.domain.case import CaseDesk
from gateway.domain.child_file import ChildFiles
from gateway.domain.duties import DutyDesk
from gateway.domain.errors import HuxueError
from gateway.domain.handover import HandoverDesk
from gateway.domain.instrument_record import InstrumentDesk
from gateway.domain.limits import Quota, Sighting
from gateway.domain.model import (
    AlarmDraft,
    ChildFacts,
    ClientRecord,
    DutyDraft,
    Lead,
    LeadDraft,
    Pseudonym,
    Standings,
    SubjectId,
)
from gateway.domain.owing import DutyWork
from gateway.domain.predicate import Predicate
from gateway.domain.principal import Principal
from gateway.domain.referral import ReferralDesk
from gateway.domain.reporting import ReportDesk
from gateway.domain.resolution import ResolutionDesk

Result = TypeVar("Result")


class Clock(Protocol):
    """Time is passed in. `now` is UTC; `today` is the law date in Asia/Shanghai."""

    def now(self) -> datetime: ...

    def today(self) -> date: ...


class KeyRing(Protocol):
    """Everything done with a secret key. No method returns or logs one."""

    @property
    def index_versions(self) -> Sequence[int]:
        """Versions of the index key under which somebody may be known; the one in use first."""
        ...

    def lookup(self, kind: str, value: str, version: int | None = None) -> bytes:
        """The keyed index of an identifier, 20 bytes; `kind` separates the domains. By default under the key in use."""
        ...

    def lookups(self, kind: str, values: Sequence[str], version: int | None = None) -> list[bytes]: ...

    def pseudonym_versions(self, consumer: str) -> Sequence[int]:
        """Versions whose pseudonyms count as inputs; the one that new lists bear first."""
        ...

    def pseudonym(self, consumer: str, subject: SubjectId, version: int | None = None) -> Pseudonym: ...

    def pseudonyms(
        self, consumer: str, subjects: Sequence[SubjectId], version: int | None = None
    ) -> list[Pseudonym]: ...

    def derived_id(self, prefix: str, *parts: bytes) -> str:
        """A stable id made of its parts under a key of its own: nobody outside can compute or invert it."""
        ...

    def seal_identity(self, subject: SubjectId, identity: bytes) -> tuple[bytes, bytes]:
        """(wrapped data key, sealed identity): erasing the first erases the person."""
        ...

    def seal_identities(
        self, subjects: Sequence[SubjectId], identities: Sequence[bytes]
    ) -> list[tuple[bytes, bytes]]: ...

    def open_identity(self, subject: SubjectId, wrapped: bytes, sealed: bytes) -> bytes: ...

    def seal(self, purpose: str, plain: bytes) -> bytes: ...

    def open(self, purpose: str, sealed: bytes) -> bytes: ...

    @property
    def head_algorithm(self) -> Literal["ed25519", "sm2"]:
        """What signs tree heads: the suite's."""
        ...

    @property
    def head_public_key(self) -> bytes:
        """The key in use: 32 bytes Ed25519, 65 bytes SM2 (uncompressed point)."""
        ...

    def sign_head(self, message: bytes) -> bytes:
        """64 bytes: Ed25519's signature, or SM2's r and s. The same key cosigns heads of other logs."""
        ...


class Identity(NamedTuple):
    """Who a child is. Lives sealed in the vault; `repr` shows nothing."""

    resident_id: str | None
    name: str | None
    student_numbers: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return "Identity(…)"


class Transaction(Protocol):
    """Effects inside one commit. Every one of them shares its transaction with the audit entry."""

    def subject_for(self, lookup: bytes, identity: Identity) -> SubjectId:
        """The child with that keyed identifier; made, sealed, when nobody knew it."""
        ...

    def child(self, lookup: bytes, region: str) -> ChildFacts:
        """The child with that keyed identifier as it stands in this commit; `subject` None when nobody knows it."""
        ...

    def open_lead(self, draft: LeadDraft, at: datetime) -> tuple[str, bool]:
        """Opens or updates the child's lead under that rule: its id, the same every time, and whether it is news."""
        ...

    def open_duty(self, draft: DutyDraft, at: datetime) -> None: ...

    def acknowledge(self, lead_id: str, by: str, at: datetime) -> bool:
        """False when the lead is already closed."""
        ...

    def reveal(self, subject: SubjectId) -> Identity:
        """Who the child is: opened inside the commit that holds the evidence of it. Raises IdentityUnreadable."""
        ...

    @property
    def cases(self) -> CaseDesk:
        """Cases, in this transaction."""
        ...

    @property
    def duties(self) -> DutyDesk:
        """Duties, in this transaction."""
        ...

    def write_audit(self, entry: AuditEntry) -> None:
        """One more entry of evidence, beside the one the commit is performed with."""
        ...

    @property
    def instruments(self) -> InstrumentDesk:
        """Legal instruments, in this transaction."""
        ...

    @property
    def reports(self) -> ReportDesk:
        """Reports, in this transaction."""
        ...

    @property
    def child_files(self) -> ChildFiles:
        """Children's files, in this transaction."""
        ...

    @property
    def duty_work(self) -> DutyWork:
        """What officers do with duties, in this transaction."""
        ...

    @property
    def referrals(self) -> ReferralDesk:
        """Referrals, in this transaction."""
        ...

    @property
    def handovers(self) -> HandoverDesk:
        """Hand-overs between counties, in this transaction."""
        ...

    @property
    def resolutions(self) -> ResolutionDesk:
        """Resolutions of identity, in this transaction."""
        ...

    def raise_alarm(self, draft: AlarmDraft, at: datetime) -> str:
        """The alarm's id, the same every time; an acknowledged one opens again."""
        ...

    def acknowledge_alarm(self, alarm_id: str, by: str, at: datetime) -> None:
        """Marks an open alarm as seen; doing it again keeps the first."""
        ...

    def count_child(self, principal: Principal, quota: Quota, sighting: Sighting) -> str | None:
        """Counts a different child of the law date; the name of the limit it would break, and then nothing is counted."""
        ...

    def claim_mapping(self, who: tuple[str, str, int, int], reference: str, at: datetime) -> bool:
        """(agency, region, from, to) fetches its old → new pseudonyms now; False when it did before."""
        ...


class Possession(Protocol):
    """A proof that the caller holds the key its token is bound to (RFC 9449). It counts once, in all processes."""

    @property
    def key(self) -> bytes:
        """What makes it one of a kind, 16 bytes."""
        ...

    @property
    def expires(self) -> int:
        """When nobody would take it any more anyway, seconds since the epoch."""
        ...

    def pending(self, tell: Callable[[], None]) -> bool:
        """Whether its signature is being looked at elsewhere; then `tell` is called once, when that is over."""
        ...

    def held(self) -> bool:
        """Whether its signature is right; looks for itself where nobody has."""
        ...

    def admitted(self) -> HuxueError | None:
        """Asked once it is spent, as often as the commit is tried: why nothing more may be done for its holder now."""
        ...


class Journal(Protocol):
    """The only way to write inside a request: evidence and effects in one group commit, before the answer leaves."""

    async def record(self, entry: AuditEntry, proof: Possession | None = None) -> None:
        """Raises SourceUnavailable when the entry could not be committed: then nothing may be told.

        A `proof` is spent in the same commit; TokenNotBound, and nothing is written, when it is false or spent.
        """
        ...

    async def perform(
        self, work: Callable[[Transaction], tuple[Result, AuditEntry]], proof: Possession | None = None
    ) -> Result:
        """Runs `work` inside the commit; its effects and its entry land together or not at all. `proof` as above."""
        ...

    async def spend(self, proof: Possession) -> None:
        """Spends a proof in a commit of its own; TokenNotBound when it is false or was spent before."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Likeness:
    """Raw facts that many children of the needy list share, before treatment; compared by identity."""

    standings: Standings
    sex: str | None
    residence: str
    flags: tuple[bool, bool, bool]
    aid: bool = False

    @property
    def county(self) -> str:
        """The county whose register tells of the child."""
        return self.standings.enrolments[0].region


class PaidIn(NamedTuple):
    """Which payments count as aid: of a term, under these schemes."""

    term: str
    schemes: frozenset[str]


class Lists(Protocol):
    """Rows of the list exchanges, limited by the grant's predicate."""

    def needy(
        self, rows: Predicate, region: str, today: date, paid: PaidIn
    ) -> Sequence[tuple[SubjectId, Likeness, date]]:
        """Children of the predicate and region with an id, not gone, with no relief in force."""
        ...

    def paying_counties(self, term: str) -> frozenset[str]:
        """The counties that have handed in payments of the term."""
        ...

    def population(self, region: str, today: date) -> Sequence[tuple[date, str | None, str, int]]:
        """(birth, sex, residence, how many) of every child in the registers: whom a list could be held against."""
        ...

    def register_as_of(self, region: str) -> date | None: ...

    def version(self) -> object:
        """Changes when any fact changes: what a computed list is kept under."""
        ...


@dataclass(frozen=True, slots=True)
class LeadQuery:
    """Filters of the lead list; `after` is the cursor (the last id seen). Without a region, all that `rows` allows."""

    rows: Predicate
    region: str | None = None
    status: str | None = None
    rule: str | None = None
    after: str | None = None
    limit: int = 100


class Leads(Protocol):
    """Leads as they are kept, limited by the grant's predicate."""

    async def find(self, query: LeadQuery) -> list[Lead]: ...

    async def get(self, lead_id: str, rows: Predicate) -> Lead | None: ...

    async def events(self, rows: Predicate, after: int, limit: int) -> list[tuple[int, str, Lead]]:
        """(sequence, kind, lead) after a sequence, oldest first."""
        ...

    async def last_event(self) -> int: ...

    async def wait(self, seconds: float) -> None:
        """Returns when something may have happened, or after `seconds`."""
        ...


class Clients(Protocol):
    """Registered clients and the assertions they have used."""

    def get(self, client_id: str) -> ClientRecord | None: ...

    def is_active(self, client_id: str) -> bool: ...

    def add(self, client: ClientRecord, audit: AuditEntry) -> None: ...

    def revoke(self, client_id: str, at: datetime, audit: AuditEntry) -> bool:
        """False, and nothing is written, when there is none to revoke."""
        ...

    def use_assertion(self, client_id: str, jti: str, expires_at: datetime) -> bool:
        """False when that assertion was used before."""
        ...
