"""一生一档: one child, one file. All that is known of a child, by source and date, as the contract shows it before the mask.

Of an assessment the advice alone is here, never category or grade (残疾人教育条例 art. 20); of another county's registers
nothing: what it knows comes with the child when it hands it over.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

from gateway.domain.case import CaseEntry, CaseFile, LeadLine
from gateway.domain.case_record import entry_of, history_shown
from gateway.domain.model import SubjectId
from gateway.domain.moments import to_second
from gateway.domain.predicate import Predicate

NOT_YET = ("focus-groups", "sightings")
"""Sources that no agency hands in yet."""
FLAGS = ("economic_hardship", "left_behind", "single_parent")
_REGISTER, _RELIEF = "student-register", "relief-register"


@dataclass(frozen=True, slots=True)
class Kept:
    """What a child's own county keeps: rows by dataset as names and values, cases with their history, leads.

    `handed_in`: the datasets of which the county has handed in a file at all.
    """

    registers: Sequence[Mapping[str, object]]
    attendance: Sequence[Mapping[str, object]]
    relief: Sequence[Mapping[str, object]]
    advice: Sequence[Mapping[str, object]]
    cases: Sequence[tuple[CaseFile, Sequence[CaseEntry]]]
    leads: Sequence[LeadLine]
    handed_in: frozenset[str]


class ChildFiles(Protocol):
    """Children's files inside one write transaction."""

    def of(self, subject: SubjectId, region: str, rows: Predicate) -> Kept:
        """Facts of that county; cases and leads of it that are among the rows the caller may see."""
        ...


def shown_of(kept: Kept, rules: Collection[str]) -> Kept:
    """Without the leads of other rules than `rules`, nor that one of them opened a case."""
    cases = [(case, history_shown(entries, rules)) for case, entries in kept.cases]
    return replace(kept, cases=cases, leads=[lead for lead in kept.leads if lead.rule in rules])


def record_of(ref: str, pseudonym: str | None, kept: Kept, today: date) -> dict[str, object]:
    """The file, newest first where there is an order."""
    return {
        "case": ref,
        "pseudonym": pseudonym,
        "registers": [{name: row[name] for name in row if name not in FLAGS} for row in kept.registers],
        "attendance": kept.attendance,
        "relief": kept.relief,
        "placement_advice": kept.advice,
        "focus_groups": list(_groups(kept, today)),
        "misconduct": None,
        "leads": [_lead(each) for each in kept.leads],
        "cases": [_case(case) for case, _ in kept.cases],
        "history": [
            {"case": case.ref, **entry_of(entry)} for case, entries in kept.cases for entry in entries
        ],
    }


def _groups(kept: Kept, today: date) -> Iterator[Mapping[str, object]]:
    """重点关注群体, each from its own source. Disability is not among them: placement advice says what is needed."""
    for row in kept.registers:
        for flag in FLAGS:
            if row[flag]:
                yield {"group": flag, "source": _REGISTER, "since": row["confirmed_on"]}
    for row in kept.relief:
        until = row["to_date"]
        if str(row["from_date"]) <= today.isoformat() <= str(until or today.isoformat()):
            yield {"group": "relief", "source": _RELIEF, "since": row["from_date"]}


def _lead(lead: LeadLine) -> dict[str, object]:
    return {
        "id": lead.id,
        "rule": lead.rule,
        "status": lead.status,
        "opened_at": to_second(lead.opened_at),
        "facts": lead.facts,
    }


def _case(case: CaseFile) -> dict[str, object]:
    return {
        "ref": case.ref,
        "state": case.state.value,
        "since": case.since.isoformat(),
        "opened_at": to_second(case.opened_at),
        "ended_on": case.ended_on.isoformat() if case.ended_on else None,
    }


def missing(kept: Kept, told: frozenset[str]) -> tuple[str, ...]:
    """Which of the sources that the caller is told of say nothing, because nobody handed them in."""
    silent = sorted(told - kept.handed_in)
    return (*silent, *NOT_YET)
