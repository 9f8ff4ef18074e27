"""What the gateway knows about a child: facts by source, each with the day it was last confirmed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NewType

import msgspec

from gateway.domain.alarms import TITLES

SubjectId = NewType("SubjectId", bytes)
"""A child's random id, 16 bytes; made by the vault only. It says nothing about the child."""

Pseudonym = NewType("Pseudonym", str)
"""A child as one consumer knows it, e.g. ``ca1-…``; made by the key ring only."""

Schooling = Literal["yes", "no", "unknown", "completed"]
"""Whether the child is OUT of school."""


class Standing(msgspec.Struct, frozen=True):
    """What a register says of a child's schooling. `region` is the county whose register it is."""

    region: str
    status: str
    status_date: date
    confirmed_on: date


class Enrolment(Standing, frozen=True):
    """One register's row about a child, as far as rules need it."""

    residence: str
    school_code: str
    birth_date: date


class Absence(msgspec.Struct, frozen=True):
    """A child's newest attendance row: the month, the longest run of unexcused days absent, and whether the child was
    there on any day at all (a short month, or one wholly excused, says nothing of a return)."""

    month: str
    longest_unexcused: int
    attended: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Standings:
    """All that schooling is judged by; compared by identity, so that one judgement serves many alike children."""

    enrolments: tuple[Standing, ...] = ()
    absence: Absence | None = None
    register_as_of: date | None = None


class ChildFacts(msgspec.Struct, frozen=True):
    """One child's rows. `register_as_of` is the newest day a register of the region was handed in."""

    subject: SubjectId | None
    enrolments: tuple[Enrolment, ...] = ()
    absence: Absence | None = None
    register_as_of: date | None = None


class SchoolingAnswer(msgspec.Struct, frozen=True):
    """Three-valued and a fourth for graduates; `because` names the rule of `gateway.domain.schooling` that decided."""

    out_of_school: Schooling
    because: str
    as_of: date | None
    missing_sources: tuple[str, ...] = ()


LeadStatus = Literal["open", "acknowledged", "closed"]


class LeadDraft(msgspec.Struct, frozen=True):
    """A lead about to be opened or updated: one per child and rule. `facts` hold no identity."""

    subject: SubjectId
    rule: str
    region: str
    residence: str
    due_on: date
    facts: tuple[Mapping[str, object], ...]
    school: str | None = None
    rule_version: str = ""


@dataclass(frozen=True, slots=True)
class Lead:
    """A lead as it is kept; `subject` is for the evidence only."""

    id: str
    subject: SubjectId
    rule: str
    case: str
    region: str
    status: LeadStatus
    opened_at: datetime
    due_on: date
    facts: tuple[Mapping[str, object], ...]
    school: str | None = None
    owner: str | None = None
    sealed: bool = False
    rule_version: str = ""


class DutyDraft(msgspec.Struct, frozen=True):
    """Work that an agency now owes: what, who, by when; `facts` hold no identity.

    For a lead, its case, place and school come from there. Without a lead, `case`, `residence` and `school` say it, and
    `basis` what makes it one duty: the case by default.
    """

    kind: str
    owner: str
    region: str
    due_on: date
    lead: str | None
    facts: Mapping[str, object]
    case: str | None = None
    residence: str = ""
    school: str | None = None
    basis: str = ""


@dataclass(frozen=True, slots=True)
class AlarmDraft:
    """Something the auditor must look at. `kind`, `region` and `key` make it one alarm; raised again, it is counted.

    `about` is a client, an officer or a log, never a child; `facts` hold no identity.
    """

    kind: str
    region: str
    about: str
    key: str
    facts: Mapping[str, object]

    def __post_init__(self) -> None:
        if self.kind not in TITLES:
            raise ValueError(f"no kind of alarm: {self.kind}")


@dataclass(frozen=True, slots=True)
class ClientRecord:
    """A registered client: what its tokens will say, and its public key (JWK)."""

    id: str
    agency: str
    role: str
    region: str
    school: str | None
    public_key: Mapping[str, str]
    created_at: datetime
    revoked_at: datetime | None = None
