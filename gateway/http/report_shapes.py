"""The shapes of reports in the OpenAPI document."""

from typing import Any, Literal

from pydantic import BaseModel, Field


class ReportModel(BaseModel):
    """A report. `figures` are the facts of the day on which it was made; `disagreements` name what differs from them."""

    id: str
    kind: str
    title_zh: str
    title_en: str
    level: Literal["school", "township", "county", "prefecture", "province"]
    region: str
    school: str | None = None
    period: str = Field(examples=["2026-10", "2026-Q4", "2026-2027-1", "2026"])
    first: str
    last: str
    status: Literal["due", "overdue", "signed"]
    due_on: str
    made_on: str
    signed_by: str | None = None
    signed_on: str | None = None
    missing: list[str]
    figures: dict[str, int]
    stated: dict[str, int] | None = None
    disagreements: list[dict[str, Any]]
