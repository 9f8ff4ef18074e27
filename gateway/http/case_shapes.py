"""Shapes of cases for the OpenAPI document; a test holds the answers to them."""

from typing import Any

from pydantic import BaseModel


class CaseModel(BaseModel):
    """A case; fields that the caller is not granted are left out."""

    reference: str
    ref: str
    pseudonym: str | None = None
    region: str | None = None
    township: str | None = None
    school: str | None = None
    state: str | None = None
    since: str
    opened_at: str
    owner: str | None = None
    ended_on: str | None
    merged_into: str | None = None
    history: list[dict[str, Any]] | None = None
    plan: dict[str, Any] | None = None
    leads: list[dict[str, Any]] | None = None
    duties: list[dict[str, Any]] | None = None
    observation: list[dict[str, Any]] | None = None
    steps: list[dict[str, Any]] | None = None


class ChildFileModel(BaseModel):
    """One child, one file (一生一档): what the reader may see, by source; `missing_sources` hand in nothing yet."""

    reference: str
    as_of: str
    answer: dict[str, Any]
    missing_sources: list[str]


CASE_MODELS: tuple[type[BaseModel], ...] = (CaseModel, ChildFileModel)
