"""From facts to leads: which rule fires for a child, and what the lead says. The rules' figures are in `policies/`.

A lead's facts say what triggered it and nothing that identifies the child; a placement lead says what was advised
and never the category or grade of the disability (残疾人教育条例 art. 20).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from gateway.domain.model import ChildFacts, SubjectId
from gateway.domain.schooling import Thresholds, judge

CAN_ATTEND = frozenset({"mainstream", "special_school", "home_delivery"})


@dataclass(frozen=True, slots=True)
class Rule:
    """A lead rule of `policies/rules.yaml`: `duty` starts with the lead and sets its due date; `further_duties` are
    owed by other agencies at the same time."""

    id: str
    title_zh: str
    title_en: str
    duty: str
    further_duties: tuple[str, ...]
    version: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """A child's newest disability assessment, as far as placement needs it."""

    subject: SubjectId
    region: str
    residence: str
    assessed_on: date
    suitability: str


def register_facts(
    child: ChildFacts, today: date, limits: Thresholds
) -> tuple[str, Mapping[str, object]] | None:
    """The register rule that fires for a child, with its fact; None when none does."""
    if not child.enrolments:
        return None
    answer = judge(child, today, limits)
    newest = max(child.enrolments, key=lambda row: row.status_date)
    match answer.because:
        case "registered-dropout" | "transfer-not-arrived":
            return answer.because, {"fact": answer.because, "since": newest.status_date.isoformat()}
        case "absence-threshold":
            return answer.because, _absence_fact(child)
    return None


def _absence_fact(child: ChildFacts) -> Mapping[str, object]:
    absence = child.absence
    assert absence is not None, "absence-threshold without an absence"  # noqa: S101 - judge() saw one
    return {
        "fact": "absence-threshold",
        "month": absence.month,
        "consecutive_days": absence.longest_unexcused,
    }


def placement_fact(assessment: Assessment, enrolled: bool) -> Mapping[str, object] | None:
    """A child assessed able to attend and in no register waits for a placement."""
    if enrolled or assessment.suitability not in CAN_ATTEND:
        return None
    return {
        "fact": "placement-missing",
        "assessed_on": assessment.assessed_on.isoformat(),
        "advised_placement": assessment.suitability,
    }


def residence_within(region: str, residence: str) -> str:
    """Where a lead belongs: the child's home when it lies in the county of the register, else that county."""
    return residence if residence.startswith(region) else region
