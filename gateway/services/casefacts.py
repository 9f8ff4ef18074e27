"""Cases move by the facts of registers: after every file, and on every new day. Each step is in the evidence with the child.

What a file does not say moves nothing: where a day of observation comes and no file confirms it, somebody now owes
the confirmation.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from gateway.domain.case import CaseFile, State
from gateway.domain.casefacts import DECEASED, ENROLLED, GRADUATED, Month, OpenCase, attended, proven
from gateway.domain.landing import RegisterTransaction
from gateway.domain.model import ChildFacts, DutyDraft, Enrolment, SubjectId
from gateway.domain.rulebook import Rulebook
from gateway.domain.rules import residence_within
from gateway.services.casework import SYSTEM, Casework, Move
from gateway.services.evidence import Evidence

EXCHANGE = "cases"
CONFIRMATION = "confirm-attendance"
_OVER = frozenset({GRADUATED, DECEASED})
_DEFERRAL_OVER = "缓学或免学期满 The deferral or exemption is over"


class CaseFacts:
    """A `gateway.services.daily.DayTask`; also run after each file."""

    def __init__(self, rulebook: Rulebook, evidence: Evidence) -> None:
        self._book, self._evidence = rulebook, evidence
        self._casework = Casework(rulebook)

    def run(self, transaction: RegisterTransaction, region: str, day: date, now: datetime) -> None:
        """Moves the county's cases as far as its facts carry them."""
        _Run(self._book, self._evidence, self._casework, transaction, region, day, now).run()


class _Run:
    """One county on one day."""

    def __init__(
        self,
        rulebook: Rulebook,
        evidence: Evidence,
        casework: Casework,
        transaction: RegisterTransaction,
        region: str,
        day: date,
        now: datetime,
    ) -> None:
        self._book, self._evidence, self._casework = rulebook.of(region), evidence, casework
        self._transaction, self._region, self._day, self._now = transaction, region, day, now

    def run(self) -> None:
        found = self._transaction.case_facts.open_in(self._region)
        facts = self._transaction.facts([each.case.subject for each in found])
        months = self._transaction.case_facts.months(self._region)
        for each in sorted(found, key=lambda each: each.case.ref):
            self._one(each, facts.get(each.case.subject), months.get(each.case.subject, ()))
        self._exemptions()

    def _one(self, found: OpenCase, child: ChildFacts | None, months: Sequence[Month]) -> None:
        case = found.case
        if child is not None:
            case = self._placed(case, child)
            step = proven(found, child, self._day, self._book.limits)
            if step is not None:
                self._move(case, step.step, step.evidence)
                return
        if case.state is State.OBSERVING and case.observed_from is not None:
            self._observe(case, case.observed_from, found.confirmed, months)

    def _placed(self, case: CaseFile, child: ChildFacts) -> CaseFile:
        """The case goes where the register says the child is, so that the right township and school see it."""
        row = next((row for row in child.enrolments if row.region == case.region), None)
        if row is None:
            return case
        residence, school = residence_within(case.region, row.residence), _school(case, row)
        if (residence, school) == (case.residence, case.school):
            return case
        self._transaction.case_facts.place(case.ref, residence, school)
        self._witness(case, "placed")
        return self._transaction.cases.get(case.ref) or case

    def _observe(
        self, case: CaseFile, since: date, confirmed: frozenset[int], months: Sequence[Month]
    ) -> None:
        """Day after day as far as files confirm; the first that none confirms is owed; after the last, the end."""
        for number in self._book.cases.observation:
            reached = since + timedelta(days=number)
            if number in confirmed:
                continue
            if reached > self._day:
                return
            if not attended(months, since, reached, self._book.limits):
                self._owe(case, number, reached)
                return
            seen = {"day": number, "attended_on": reached.isoformat(), "source": "register"}
            case = self._move(case, "confirm", seen)
        self._move(case, "close", {"closed_on": self._day.isoformat()})

    def _owe(self, case: CaseFile, number: int, reached: date) -> None:
        duties, begin = self._book.duties, max(reached, case.since)
        draft = DutyDraft(
            kind=CONFIRMATION,
            owner=duties.rules[CONFIRMATION].owner_for(case.school, case.residence),
            region=case.region,
            due_on=duties.due(CONFIRMATION, begin),
            lead=None,
            facts={"day": number},
            case=case.ref,
            residence=case.residence,
            school=case.school,
            basis=f"{case.ref}/{case.observed_from}",
        )
        self._transaction.duties.open(draft, self._now)

    def _exemptions(self) -> None:
        """A deferral that is over: the child's case is open again, unless another is, or the register ended it all."""
        over = self._transaction.case_facts.exemptions_over(self._region, self._day)
        facts = self._transaction.facts([case.subject for case in over])
        for case in over:
            gone = any(row.status in _OVER for row in _rows(facts, case.subject))
            cases = self._transaction.cases
            other = cases.open_case_of(case.region, case.subject) or cases.goes_on_in(case.ref)
            if not gone and other is None:
                self._move(case, "reopen", {"note": _DEFERRAL_OVER})

    def _move(self, case: CaseFile, step: str, evidence: Mapping[str, object]) -> CaseFile:
        move = Move(step, evidence, SYSTEM, self._day, self._now)
        changed = self._casework.move(self._transaction, case, move)
        self._witness(case, step)
        return changed

    def _witness(self, case: CaseFile, what: str) -> None:
        detail = f"{what} {case.ref}"
        entry = self._evidence.by_itself(case.region, self._day, EXCHANGE, detail, subject=case.subject)
        self._transaction.write_audit(entry)


def _rows(facts: Mapping[SubjectId, ChildFacts], subject: SubjectId) -> Sequence[Enrolment]:
    child = facts.get(subject)
    return child.enrolments if child else ()


def _school(case: CaseFile, row: Enrolment) -> str | None:
    """The school that the register names, unless the case was told of another one since."""
    newer = row.status == ENROLLED and row.status_date >= case.since
    return row.school_code if case.school is None or newer else case.school
