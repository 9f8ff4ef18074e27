"""Tables of legal instruments: what was issued and served, and how far the numbers have come."""

from datetime import date, datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from gateway.adapters.db.columns import fixed_bytes


class InstrumentRow(SQLModel, table=True):
    """One instrument. `content` (the wording), `service` and `void_reason` are sealed under the id."""

    __tablename__ = "instrument"
    __table_args__ = (
        Index("ix_instrument_id", "id", unique=True),
        Index("ix_instrument_number", "office", "year", "kind", "serial", unique=True),
        Index("ix_instrument_case", "case_ref"),
    )
    county: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    subject_id: bytes = Field(sa_column=fixed_bytes(16))
    case_ref: str
    kind: str
    office: str
    year: int
    serial: int
    number: str
    role: str
    client: str
    officer: str
    issued_at: datetime
    issued_on: date
    state: str
    due_on: date | None
    content: bytes
    service: bytes | None
    void_reason: bytes | None


class InstrumentCounterRow(SQLModel, table=True):
    """The last running number of an office, year and kind. It outlives the instruments: no number comes twice."""

    __tablename__ = "instrument_counter"
    office: str = Field(primary_key=True)
    year: int = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    last: int
