"""`placement-advice` and `placement-outcomes`: what assessments advise, for education; what came of them, for health.

Neither tells where a child lives: a smaller region gives its county's list, as far as the caller reaches.
"""

from collections.abc import Mapping, Sequence
from datetime import date

from gateway.domain.model import SubjectId
from gateway.domain.placement import ASSESSMENTS, Assessed, Assessments, placed, support
from gateway.domain.ports import Clock
from gateway.domain.predicate import TOWNSHIP_DIGITS, Predicate
from gateway.domain.rulebook import Rulebook
from gateway.domain.schooling import REGISTER
from gateway.services.child_lists.making import Gathered, Likely, no_part
from schemas.catalogue import EXCHANGES

ADVICE, OUTCOMES = "placement-advice", "placement-outcomes"


class Placement:
    """`gateway.services.child_lists.making.Noun`, twice: the same children, in the words of either exchange."""

    def __init__(self, exchange: str, assessments: Assessments, clock: Clock, rulebook: Rulebook) -> None:
        self.exchange = exchange
        self.assessments = assessments
        self._clock, self._book = clock, rulebook
        self._names = [field.name for field in EXCHANGES[exchange].fields]

    def part(self, asked: str | None) -> None:
        """There are none."""
        return no_part(asked)

    def parts(self) -> Sequence[None]:
        """The whole list."""
        return (None,)

    def gather(self, rows: Predicate, region: str, part: str | None) -> Gathered:
        """Every assessed child of the region that the rows allow."""
        registers: dict[str, date | None] = {}
        subjects: list[SubjectId] = []
        indexes: list[int] = []
        known: dict[tuple[object, ...], int] = {}
        records: list[Mapping[str, object]] = []
        places: list[str] = []
        for child in self.assessments.find(rows, region):
            if child.county not in registers:
                registers[child.county] = self.assessments.handed_in(child.county)[1]
            record, place = self.record(child, registers[child.county]), child.residence[:TOWNSHIP_DIGITS]
            index = known.setdefault((place, *record.values()), len(records))
            if index == len(records):
                records.append(record)
                places.append(place)
            subjects.append(child.subject)
            indexes.append(index)
        as_of, missing = self.said(region)
        return Gathered(subjects, indexes, records, places, as_of, missing)

    def said(self, region: str) -> tuple[date | None, tuple[str, ...]]:
        """Of when the county's assessments are, and which sources have said nothing, or not for long."""
        assessed, register = self.assessments.handed_in(region)
        age = (self._clock.today() - register).days if register else None
        stale = age is None or age > self._book.limits.register_stale_days
        missing = (*((ASSESSMENTS,) if assessed is None else ()), *((REGISTER,) if stale else ()))
        return assessed, missing

    def record(self, child: Assessed, register_as_of: date | None) -> Mapping[str, object]:
        """The exchange's fields; the pseudonym's place is kept for the mask."""
        advice = child.advice
        whole: Mapping[str, object] = {
            "pseudonym": None,
            "advised_placement": advice.suitability,
            "needs_support": support(advice),
            "placed": placed(child, register_as_of, self._clock.today(), self._book.limits),
            "category": advice.category,
            "grade": advice.grade,
        }
        return {name: whole[name] for name in self._names}

    def nobody(self) -> Mapping[str, object]:
        """What is answered of a child nobody assessed, and of one nobody knows: nothing tells them apart."""
        return {name: None if name == "pseudonym" else "unknown" for name in self._names}

    def population(self, region: str) -> Sequence[Likely]:
        """Every child of the registers: nothing that is told here is known of anybody beforehand."""
        return [
            Likely(self.nobody(), residence[:TOWNSHIP_DIGITS], count)
            for residence, count in self.assessments.population(region)
        ]

    def version(self) -> object:
        """Of the facts."""
        return self.assessments.version()
