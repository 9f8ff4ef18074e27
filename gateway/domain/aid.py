"""Who is owed how much living allowance in a term, and where what was paid differs from it. Pure; three-valued.

Source: 城乡义务教育补助经费管理办法 (财教〔2021〕56号); the county's own figures are in `policies/aid.yaml`. A silent
source makes nobody unpaid and nobody wrongly paid: where one is missing, what hangs on it is unknown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, NamedTuple

from gateway.domain.money import FEN

PAYMENTS = "aid-payments"
RELIEF = "relief-register"

Direction = Literal["entitled_unpaid", "underpaid", "paid_not_entitled"]
Basis = Literal["hardship", "relief"]

_TERMS_A_YEAR = 2
_AUTUMN = 1


class MonthDay(NamedTuple):
    """A day of every year."""

    month: int
    day: int

    def after(self, start: date) -> date:
        """The first such day on or after `start`."""
        found = date(start.year, self.month, self.day)
        return found if found >= start else date(start.year + 1, self.month, self.day)


@dataclass(frozen=True, slots=True)
class TermDates:
    """When a term begins and ends, and by when its allowance is paid; every year alike."""

    starts: MonthDay
    ends: MonthDay
    paid_by: MonthDay


@dataclass(frozen=True, slots=True)
class Term:
    """One term: its code (``2026-2027-1``), first and last day, and the last day for paying."""

    code: str
    starts: date
    ends: date
    paid_by: date


@dataclass(frozen=True, slots=True)
class AidBook:
    """`policies/aid.yaml` as read.

    `yearly`: stage → boarding code → yuan a year; `stages`: grade → stage; `flags`, `relief_classes`: what entitles;
    `schemes`: which payments count; `terms`: 1 autumn, 2 spring.
    """

    version: str
    yearly: Mapping[str, Mapping[str, int]]
    stages: Mapping[int, str]
    hardship_entitles: bool
    relief_classes: frozenset[str]
    schemes: frozenset[str]
    terms: Mapping[int, TermDates]

    def owed(self, grade: int, boarding: str, entitled: bool) -> int:
        """Fen a term; 0 for who is not entitled, or in no grade of compulsory schooling."""
        stage = self.stages.get(grade)
        if not entitled or stage is None:
            return 0
        return self.yearly[stage][boarding] * FEN // _TERMS_A_YEAR

    def term(self, year: int, number: int) -> Term:
        """The term of the school year that begins in `year`."""
        dates = self.terms[number]
        autumn = self.terms[_AUTUMN].starts
        starts = dates.starts.after(date(year, autumn.month, autumn.day))
        paid_by, ends = dates.paid_by.after(starts), dates.ends.after(starts)
        return Term(f"{year}-{year + 1}-{number}", starts, ends, paid_by)

    def open_terms(self, today: date) -> tuple[Term, ...]:
        """The terms of the school year that have begun, the newest last: for older ones grade and boarding of then
        are not known any more."""
        autumn = self.terms[_AUTUMN].starts
        year = today.year if today >= date(today.year, autumn.month, autumn.day) else today.year - 1
        return tuple(
            term for number in sorted(self.terms) if (term := self.term(year, number)).starts <= today
        )

    def current(self, today: date) -> Term:
        """The term that began last."""
        return self.open_terms(today)[-1]


class PupilAid(NamedTuple):
    """What the registers say of a pupil as far as aid goes; `paid` fen, of every payment that counts in the term."""

    region: str
    status: str
    status_date: date
    confirmed_on: date
    grade: int
    boarding: str
    hardship: bool
    relief: bool
    paid: int


class Told(NamedTuple):
    """Which of a county's sources have spoken: the register's hardship column, relief, payments of the term."""

    hardship: bool
    relief: bool
    payments: bool


class Gap(NamedTuple):
    """Where paid and owed differ; `owed` and `paid` fen, `basis` why the pupil is entitled."""

    direction: Direction
    stage: str | None
    owed: int
    paid: int
    basis: tuple[Basis, ...]


def basis_of(pupil: PupilAid, book: AidBook) -> tuple[Basis, ...]:
    """What entitles the pupil."""
    hardship: tuple[Basis, ...] = ("hardship",) if pupil.hardship and book.hardship_entitles else ()
    return (*hardship, "relief") if pupil.relief else hardship


def entitled(
    pupil: PupilAid, term: Term, book: AidBook, told: Told, today: date, stale_days: int
) -> bool | None:
    """Whether the pupil is owed aid in the term; None when the sources do not say."""
    if today - pupil.confirmed_on > timedelta(days=stale_days):
        return None
    if (
        pupil.status != "enrolled"
    ):  # who left before the term was not there in it; who left later, was for a while
        return False if pupil.status_date < term.starts else None
    if pupil.grade not in book.stages or pupil.status_date > term.paid_by:
        return None
    if basis_of(pupil, book):
        return True
    silent = not told.relief or (book.hardship_entitles and not told.hardship)
    return None if silent else False


def told_whether(
    pupil: PupilAid, term: Term, book: AidBook, told: Told, today: date, stale_days: int
) -> bool:
    """Whether the sources say if there is a gap; a register that went stale says nothing."""
    return told.payments and entitled(pupil, term, book, told, today, stale_days) is not None


def gap_of(
    pupil: PupilAid, term: Term, book: AidBook, told: Told, today: date, stale_days: int
) -> Gap | None:
    """The gap, if there is one and the sources show it."""
    due = entitled(pupil, term, book, told, today, stale_days)
    if due is None or not told.payments:
        return None
    owed, paid, stage = book.owed(pupil.grade, pupil.boarding, due), pupil.paid, book.stages.get(pupil.grade)
    if not due:
        return Gap("paid_not_entitled", stage, 0, paid, ()) if paid else None
    if paid >= owed:
        return None
    return Gap("underpaid" if paid else "entitled_unpaid", stage, owed, paid, basis_of(pupil, book))
