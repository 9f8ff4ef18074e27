"""The tables. Region (the county whose register a fact is from) leads every fact key, so that the store can be
partitioned and sharded by it. Only `subject` knows who a child is, and only sealed.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from gateway.adapters.db.columns import CLUSTERED, fixed_bytes, key_bytes


class Subject(SQLModel, table=True):
    """The identity vault: a random id, and a sealed identity under a data key of its own.

    `tag` is a keyed digest of the identity, to see that it did not change without opening it; `has_id` whether
    a resident id is among the child's identifiers.
    """

    __table_args__ = CLUSTERED
    id: bytes = Field(sa_column=key_bytes(16))
    data_key: bytes
    sealed: bytes
    tag: bytes
    has_id: bool
    created_on: date


class Identifier(SQLModel, table=True):
    """Keyed look-up of an identifier (resident id, student number) to its subject."""

    __table_args__ = CLUSTERED
    lookup: bytes = Field(sa_column=key_bytes(20))
    kind: str
    subject_id: bytes


class StudentRegister(SQLModel, table=True):
    """A child's row in one county's student register, as last handed in."""

    __tablename__ = "student_register"
    __table_args__ = (
        Index("ix_student_register_subject", "subject_id"),
        CLUSTERED,
    )
    region: str = Field(primary_key=True)
    subject_id: bytes = Field(sa_column=key_bytes(16))
    school_code: str
    grade: int
    boarding: str
    status: str
    status_date: date
    residence: str
    economic_hardship: bool
    left_behind: bool
    single_parent: bool
    sex: str | None
    birth_date: date
    has_id: bool
    confirmed_on: date
    upload_id: str


class School(SQLModel, table=True):
    """A school's name by its code."""

    region: str = Field(primary_key=True)
    code: str = Field(primary_key=True)
    name: str


class Attendance(SQLModel, table=True):
    """A child's days absent in one month; `excused` when a reason was given (the reason itself is not kept)."""

    __table_args__ = (Index("ix_attendance_subject", "subject_id", "month"), CLUSTERED)
    region: str = Field(primary_key=True)
    subject_id: bytes = Field(sa_column=key_bytes(16))
    month: str = Field(primary_key=True)
    days_expected: int
    days_absent: int
    longest_absence: int
    excused: bool
    upload_id: str


class ReliefRegister(SQLModel, table=True):
    """Relief of one class granted to a child."""

    __tablename__ = "relief_register"
    __table_args__ = (Index("ix_relief_register_subject", "subject_id"), CLUSTERED)
    region: str = Field(primary_key=True)
    subject_id: bytes = Field(sa_column=key_bytes(16))
    relief_class: str = Field(primary_key=True)
    from_date: date = Field(primary_key=True)
    to_date: date | None
    residence: str
    upload_id: str


class DisabilityAssessment(SQLModel, table=True):
    """One assessment of a child."""

    __tablename__ = "disability_assessment"
    __table_args__ = (Index("ix_disability_assessment_subject", "subject_id"), CLUSTERED)
    region: str = Field(primary_key=True)
    subject_id: bytes = Field(sa_column=key_bytes(16))
    assessed_on: date = Field(primary_key=True)
    category: str
    grade: str
    suitability: str
    residence: str
    assessor: str | None
    needs_support: bool | None
    upload_id: str


class Upload(SQLModel, table=True):
    """One file taken in, with its receipt."""

    __table_args__ = (Index("ix_upload_source", "region", "exchange", "law_date"),)
    id: str = Field(primary_key=True)
    region: str
    exchange: str
    agency: str
    client: str
    law_date: date
    received_at: datetime
    body_digest: str
    receipt: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))


class Idempotency(SQLModel, table=True):
    """An Idempotency-Key that was used, the content it came with and the upload that answered it."""

    client: str = Field(primary_key=True)
    exchange: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    body_digest: str
    upload_id: str
    expires_at: datetime


class LeadRow(SQLModel, table=True):
    """A lead: one per child and rule; `episode` counts how often it was opened anew."""

    __tablename__ = "lead"
    __table_args__ = (
        UniqueConstraint("region", "subject_id", "rule"),
        Index("ix_lead_residence", "residence"),
    )
    id: str = Field(primary_key=True)
    region: str
    subject_id: bytes = Field(sa_column=fixed_bytes(16))
    rule: str
    rule_version: str
    case_ref: str
    episode: int = Field(sa_column_kwargs={"server_default": "0"})
    residence: str
    school: str | None
    owner: str | None
    sealed: bool
    status: str
    opened_at: datetime
    updated_at: datetime
    due_on: date
    facts: list[Any] = Field(sa_column=Column(JSON, nullable=False))
    acknowledged_by: str | None
    acknowledged_at: datetime | None


class CaseRow(SQLModel, table=True):
    """A child's case; leads of the same child share the open one. `ended_on` is null while it is open."""

    __tablename__ = "case_file"
    __table_args__ = (
        Index("ix_case_subject", "subject_id"),
        Index("ix_case_residence", "residence", "ref"),
    )
    ref: str = Field(primary_key=True)
    region: str
    subject_id: bytes = Field(sa_column=fixed_bytes(16))
    state: str
    opened_at: datetime
    opened_on: date
    since: date
    residence: str
    school: str | None
    previous: str | None
    observed_from: date | None
    merged_into: str | None
    ended_on: date | None
    owner: str | None
    sealed: bool


class CaseEntryRow(SQLModel, table=True):
    """A line of a case's history; free text is sealed in `words`."""

    __tablename__ = "case_entry"
    __table_args__ = CLUSTERED
    case_ref: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    region: str
    kind: str
    on_date: date
    at: datetime
    client: str
    officer: str | None
    agency: str
    role: str
    step: str | None
    origin: str | None
    state: str | None
    body: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    words: bytes | None


class DutyRow(SQLModel, table=True):
    """Work an agency owes by a date. Without `lead_id` and `case_ref` it is owed for no single child."""

    __tablename__ = "duty"
    __table_args__ = (
        Index("ix_duty_owner", "owner", "region", "due_on"),
        Index("ix_duty_case", "case_ref"),
        Index("ix_duty_open", "region", "status", "due_on"),
        Index("ix_duty_kind", "region", "kind", "status"),
    )
    id: str = Field(primary_key=True)
    kind: str
    owner: str
    region: str
    residence: str
    school: str | None
    lead_id: str | None
    case_ref: str | None
    due_on: date
    status: str
    opened_at: datetime
    facts: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    assignee: str | None
    reminded_on: date | None
    escalated_to: str | None
    escalated_on: date | None
    above: str | None
    waiting_for: str | None
    waiting_since: date | None
    waiting_why: str | None
    waited: int = Field(sa_column_kwargs={"server_default": "0"})
    done_on: date | None
    done_by: str | None
    done_what: str | None


class LeadEvent(SQLModel, table=True):
    """What happened to leads, in order: what the stream and the webhooks are fed from."""

    __tablename__ = "lead_event"
    __table_args__ = {"sqlite_autoincrement": True}
    seq: int | None = Field(default=None, primary_key=True)
    region: str
    lead_id: str
    kind: str
    at: datetime


class AuditRow(SQLModel, table=True):
    """The evidence, append-only (triggers refuse updates and deletes).

    `members` is the digest of the set of children concerned, where there are several. No index on the subject: random
    keys would double the pages of every commit on the hot path.
    """

    __tablename__ = "audit_entry"
    __table_args__ = {"sqlite_autoincrement": True}
    seq: int | None = Field(default=None, primary_key=True)
    reference: str = Field(unique=True)
    subject_id: bytes | None
    members: bytes | None
    body: bytes
    leaf: bytes


class DisclosedSet(SQLModel, table=True):
    """The children of a list, a file or a batch, kept once under the digest of their ids (`disclosed_sets`)."""

    __tablename__ = "disclosed_set"
    digest: bytes = Field(sa_column=key_bytes(32))
    members: bytes


class AlarmRow(SQLModel, table=True):
    """Something the auditor must look at; `raised` how often."""

    __tablename__ = "alarm"
    __table_args__ = (Index("ix_alarm_region", "region", "status"),)
    id: str = Field(primary_key=True)
    kind: str
    region: str
    about: str
    facts: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    raised: int
    first_at: datetime
    last_at: datetime
    status: str
    acknowledged_by: str | None
    acknowledged_at: datetime | None


class Client(SQLModel, table=True):
    """A registered client and its public key."""

    id: str = Field(primary_key=True)
    agency: str
    role: str
    region: str
    school: str | None
    public_key: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    created_at: datetime
    revoked_at: datetime | None


class Assertion(SQLModel, table=True):
    """Client assertions already used; kept until they would have expired anyway."""

    client: str = Field(primary_key=True)
    jti: str = Field(primary_key=True)
    expires_at: datetime


class JobRow(SQLModel, table=True):
    """Work that outlives its request."""

    __tablename__ = "job"
    id: str = Field(primary_key=True)
    client: str
    exchange: str
    purpose: str
    region: str
    format: str
    state: str
    progress: float
    created_at: datetime
    expires_at: datetime
    manifest: dict[str, Any] | None = Field(sa_column=Column(JSON))
    error: str | None


class StoredFileRow(SQLModel, table=True):
    """The card of a file that one client may fetch; its bytes are sealed in the file store."""

    __tablename__ = "stored_file"
    id: str = Field(primary_key=True)
    client: str
    media_type: str
    name: str
    size: int
    sha256: str
    expires_at: datetime


class Meta(SQLModel, table=True):
    """Facts about the store itself; a probe of whether it can be written to stands here."""

    key: str = Field(primary_key=True)
    value: str
