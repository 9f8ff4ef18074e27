"""一生一档: one child, one file. All that is known of a child, by source and date, as the contract shows it before the mask.

Of an assessment the advice alone is here, never category or grade (残疾人教育条例 art. 20); of a sighting at work what was
found and done, never the employer or the place; of another county's registers nothing: what it knows comes with the child
when it hands it over.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

from gateway.domain.case import CaseEntry, CaseFile, LeadLine
from gateway.domain.case_record import entry_of, history_shown
from gateway.domain.focus import DISABILITY, MISCONDUCT, OF_SCHOOL, Focus, only
from gateway.domain.model import SubjectId
from gateway.domain.moments import to_second
from gateway.domain.money import yuan
from gateway.domain.predicate import Predicate
from schemas.catalogue import EXCHANGES

EXCHANGE = "child-file"
_OF_OFFICERS = frozenset({"cases", "history"})
"""What officers did themselves: no source is silent about it."""
_OF_WORK = _OF_OFFICERS | {"case", "pseudonym", "leads"}
"""Parts of the file that the gateway itself keeps; the others are an agency's, and without its files unknown."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a child's own county keeps: rows by dataset as names and values, cases with their history, leads.

    `handed_in`: the datasets of which the county, or a school that the child is of, has handed in anything.
    """

    registers: Sequence[Mapping[str, object]]
    attendance: Sequence[Mapping[str, object]]
    relief: Sequence[Mapping[str, object]]
    payments: Sequence[Mapping[str, object]]
    sightings: Sequence[Mapping[str, object]]
    advice: Sequence[Mapping[str, object]]
    groups: Sequence[Focus]
    cases: Sequence[tuple[CaseFile, Sequence[CaseEntry]]]
    leads: Sequence[LeadLine]
    handed_in: frozenset[str]


class ChildFiles(Protocol):
    """Children's files inside one write transaction."""

    def of(self, subject: SubjectId, region: str, today: date, rows: Predicate) -> Kept:
        """Facts of that county; cases and leads of it that are among the rows the caller may see."""
        ...


def shown_of(kept: Kept, rules: Collection[str]) -> Kept:
    """Without the leads of other rules than `rules`, nor that one of them opened a case."""
    cases = [(case, history_shown(entries, rules)) for case, entries in kept.cases]
    return replace(kept, cases=cases, leads=[lead for lead in kept.leads if lead.rule in rules])


def record_of(ref: str, pseudonym: str | None, kept: Kept) -> dict[str, object]:
    """The file, newest first where there is an order."""
    return {
        "case": ref,
        "pseudonym": pseudonym,
        "registers": kept.registers,
        "attendance": kept.attendance,
        "relief": kept.relief,
        "aid": [_payment(row) for row in kept.payments],
        "sightings": kept.sightings,
        "placement_advice": kept.advice,
        "focus_groups": only(kept.groups, OF_SCHOOL),
        "disability": only(kept.groups, {DISABILITY}),
        "misconduct": only(kept.groups, {MISCONDUCT}),
        "leads": [_lead(each) for each in kept.leads],
        "cases": [_case(case) for case, _ in kept.cases],
        "history": [
            {"case": case.ref, **entry_of(entry)} for case, entries in kept.cases for entry in entries
        ],
    }


def _payment(row: Mapping[str, object]) -> dict[str, object]:
    """A payment, its amount in yuan with two decimals."""
    shown = {name: value for name, value in row.items() if name != "amount"}
    return {**shown, "amount_yuan": yuan(int(str(row["amount"])))}


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


def missing(kept: Kept, told: Collection[str]) -> tuple[str, ...]:
    """Which sources of the fields that are told, in whatever form, say nothing because nobody handed them in."""
    return tuple(sorted(_sources(name for name in told if name not in _OF_OFFICERS) - kept.handed_in))


def unknown(kept: Kept, record: Mapping[str, object]) -> dict[str, None]:
    """Empty parts that one of their sources is silent about: nobody knows, which is not none."""
    return {
        name: None
        for name, value in record.items()
        if name not in _OF_WORK and not value and _sources([name]) - kept.handed_in
    }


def _sources(names: Iterable[str]) -> frozenset[str]:
    exchange = EXCHANGES[EXCHANGE]
    return frozenset(source for name in names for source in exchange.field(name).derived_from)
