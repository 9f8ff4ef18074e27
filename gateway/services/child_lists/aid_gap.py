"""`aid-gap`: who is owed aid in a term and was not paid it, and who was paid it and is not owed it.

A county that handed in no payments of the term has nobody on the list: silence makes no child unpaid.
"""

from collections.abc import Sequence
from datetime import date

from gateway.domain.aid import PAYMENTS, RELIEF, Gap, PupilAid, Term, Told, gap_of
from gateway.domain.aid_rows import AidRows
from gateway.domain.errors import Malformed
from gateway.domain.model import SubjectId
from gateway.domain.money import yuan
from gateway.domain.ports import Clock
from gateway.domain.predicate import COUNTY_DIGITS, TOWNSHIP_DIGITS, Predicate
from gateway.domain.rulebook import Rulebook
from gateway.domain.schooling import REGISTER
from gateway.domain.terms import term_code
from gateway.services.child_lists.making import Gathered, Likely


class AidGap:
    """`gateway.services.child_lists.making.Noun`; its parts are the terms of this school year that have begun."""

    exchange = "aid-gap"

    def __init__(self, rows: AidRows, clock: Clock, rulebook: Rulebook) -> None:
        self._rows, self._clock, self._book = rows, clock, rulebook

    def part(self, asked: str | None) -> str:
        """The term's code; by default the one that began last."""
        if asked is None:
            return self._book.aid.current(self._clock.today()).code
        try:
            code = term_code(asked)
        except ValueError:
            raise _no_such_term() from None
        if code not in self.parts():
            raise _no_such_term()
        return code

    def parts(self) -> Sequence[str]:
        """The terms that may be asked for."""
        return [term.code for term in self._book.aid.open_terms(self._clock.today())]

    def gather(self, rows: Predicate, region: str, part: str | None) -> Gathered:
        """Every gap of the region that the rows allow."""
        today = self._clock.today()
        term = self._term(part, today)
        told = self._rows.told("", term, today, self._book.limits.register_stale_days)
        kinds = _Kinds()
        subjects: list[SubjectId] = []
        indexes: list[int] = []
        known: dict[tuple[PupilAid, str], int] = {}
        for subject, pupil, place in self._rows.pupils(rows, region, self._book.aid, term, today):
            index = known.get((pupil, place))
            if index is None:
                index = known[pupil, place] = kinds.index_of(self._gap(pupil, term, told, today), place)
            if index >= 0:
                subjects.append(subject)
                indexes.append(index)
        as_of = self._rows.register_as_of(region)
        return Gathered(
            subjects, indexes, kinds.records, kinds.places, as_of, self._missing(region, told, as_of, today)
        )

    def _term(self, part: str | None, today: date) -> Term:
        return next(term for term in self._book.aid.open_terms(today) if term.code == self.part(part))

    def _gap(self, pupil: PupilAid, term: Term, told: dict[str, Told], today: date) -> Gap | None:
        said = told.get(pupil.region, Told(hardship=False, relief=False, payments=False))
        return gap_of(pupil, term, self._book.aid, said, today, self._book.limits.register_stale_days)

    def _missing(
        self, region: str, told: dict[str, Told], as_of: date | None, today: date
    ) -> tuple[str, ...]:
        """The sources of which a county of the region has nothing to say; the whole of them when nobody spoke."""
        stale = as_of is None or (today - as_of).days > self._book.of(region).limits.register_stale_days
        nothing = Told(hardship=False, relief=False, payments=False)
        counties = [each for county, each in told.items() if county.startswith(region[:COUNTY_DIGITS])]
        said = counties or [nothing]
        silent = {
            REGISTER: stale or not all(each.hardship for each in said),
            RELIEF: not all(each.relief for each in said),
            PAYMENTS: not all(each.payments for each in said),
        }
        return tuple(name for name, so in silent.items() if so)

    def population(self, region: str) -> Sequence[Likely]:
        """Every pupil of the registers, as somebody who was paid nothing would be told of."""
        return [
            Likely(
                _record(_nothing_paid(self._book.aid.stages.get(grade), owed), residence[:TOWNSHIP_DIGITS]),
                residence[:TOWNSHIP_DIGITS],
                count,
            )
            for residence, grade, boarding, count in self._rows.population(region)
            for owed in (self._book.aid.owed(grade, boarding, True),)
        ]

    def version(self) -> object:
        """Of the facts."""
        return self._rows.version()


def _nothing_paid(stage: str | None, owed: int) -> Gap:
    return Gap("entitled_unpaid", stage, owed, 0, ())


class _Kinds:
    """What is told of a gap besides the pseudonym; each different telling is made once."""

    def __init__(self) -> None:
        self._indexes: dict[tuple[Gap, str], int] = {}
        self.records: list[dict[str, object]] = []
        self.places: list[str] = []

    def index_of(self, gap: Gap | None, residence: str) -> int:
        """The index of what is told of it; -1 of no gap."""
        if gap is None:
            return -1
        place = residence[:TOWNSHIP_DIGITS]
        found = self._indexes.get((gap, place))
        if found is None:
            found = self._indexes[gap, place] = len(self.records)
            self.records.append(_record(gap, place))
            self.places.append(place)
        return found


def _record(gap: Gap, township: str) -> dict[str, object]:
    return {
        "pseudonym": None,
        "township": township,
        "stage": gap.stage,
        "direction": gap.direction,
        "basis": list(gap.basis),
        "entitled_yuan": yuan(gap.owed),
        "paid_yuan": yuan(gap.paid),
    }


def _no_such_term() -> Malformed:
    zh = "学期须为本学年已开始的学期，格式如 2026-2027-1。"
    en = "The term is one of this school year that has begun, written like 2026-2027-1."
    return Malformed.of("bad_code", zh, en, "/term")
