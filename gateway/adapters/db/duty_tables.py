"""Who acts on duties: officers by the names in which their clients act."""

from datetime import date

from sqlmodel import Field, SQLModel

from gateway.adapters.db.columns import CLUSTERED


class DutyOfficer(SQLModel, table=True):
    """An officer (or a client that names none) who has worked on an agency's duties in a region, and through whom."""

    __tablename__ = "duty_officer"
    __table_args__ = CLUSTERED
    region: str = Field(primary_key=True)
    agency: str = Field(primary_key=True)
    school: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    client: str
    seen_on: date
