"""What a rule would have done over a history: whom it would have named, how often rightly, and what that is in work.

Pure figures. A child is named on a day when the rule's condition holds for the facts of that day, and is new in a
month when it did not hold at the end of the month before: one lead. Precision is of those newly named; recall is of
those who began to be out of school in the month; both are undefined where there is nobody to divide by, never 1.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple, Protocol

from gateway.domain.model import Absence, ChildFacts, Enrolment, SubjectId
from gateway.domain.predicate import TOWNSHIP_DIGITS
from gateway.domain.rules import Condition
from gateway.domain.schooling import Thresholds

_ENROLLED = "enrolled"
_MONTHS = 12


class Spell(NamedTuple):
    """A time out of school: from a day until a day (exclusive), or still."""

    since: date
    until: date | None


class Period(NamedTuple):
    """A month, or what of it lies in the time that was asked for; both days count."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class ChildHistory:
    """One child's rows as they are kept: registers with the status they show now, attendance month by month."""

    subject: SubjectId
    enrolments: tuple[Enrolment, ...]
    absences: tuple[Absence, ...]

    def on(self, day: date) -> ChildFacts:
        """What was known on a day: months that were over, and no status of a later day. Before its status the child was
        enrolled, if attendance shows it; otherwise nothing is known."""
        over = (day + timedelta(days=1)).isoformat()[:7]
        known = [row for row in self.absences if row.month < over]
        rows = [
            row if row.status_date <= day else _before(row, day)
            for row in self.enrolments
            if row.status_date <= day or known
        ]
        return ChildFacts(self.subject, tuple(rows), known[-1] if known else None)

    def officer(self) -> str:
        """Who would get the lead: the school of the newest register, else the township of the home."""
        row = max(self.enrolments, key=lambda row: row.status_date)
        return row.school_code or row.residence[:TOWNSHIP_DIGITS]


def _before(row: Enrolment, day: date) -> Enrolment:
    return Enrolment(
        row.region, _ENROLLED, day, min(day, row.confirmed_on), row.residence, row.school_code, row.birth_date
    )


@dataclass(frozen=True, slots=True)
class Truth:
    """Who was out of school and when; and the last days on which a person found a child's report to be wrong."""

    out: Mapping[SubjectId, Sequence[Spell]]
    wrong: Mapping[SubjectId, date]


class History(Protocol):
    """The kept history, read without any identity."""

    def newest(self) -> date | None:
        """The last law date on which a file was handed in; None when none was."""

    def children(self, when: Condition, least: int, until: date) -> Iterable[ChildHistory]:
        """Those for whom the condition can have held, with `least` days of absence where absence counts."""

    def truth(self, registered: bool) -> Truth:
        """From cases, and with `registered` from registers that show a child as dropped out."""

    def officers(self) -> int:
        """How many schools (townships where no school is given) have a child in a register."""


@dataclass(frozen=True, slots=True)
class Named:
    """A child newly named in a period, and who would have had the work."""

    subject: SubjectId
    officer: str


@dataclass(frozen=True, slots=True)
class Load:
    """Leads of one month an officer: the mean over all officers (None without any), and the most of one."""

    mean: float | None
    most: int


@dataclass(frozen=True, slots=True)
class Figures:
    """One period: `confirmed`, `wrong` and `unverified` add up to `named`; of `out` children `caught` had been named."""

    period: Period
    named: int
    confirmed: int
    wrong: int
    out: int
    caught: int
    load: Load

    @property
    def unverified(self) -> int:
        """Named, and nobody ever found out."""
        return self.named - self.confirmed - self.wrong

    @property
    def precision(self) -> float | None:
        """Of those named, the part that was out of school; None when nobody was named."""
        return ratio(self.confirmed, self.named)

    @property
    def recall(self) -> float | None:
        """Of those who were out, the part that was named by then; None when nobody was out."""
        return ratio(self.caught, self.out)


def ratio(part: int, whole: int) -> float | None:
    """None where there is nothing to divide by: not known is neither all nor nothing."""
    return part / whole if whole else None


def months(first: date, last: date) -> list[Period]:
    """The months between two days, the first and the last one cut off there."""
    found = []
    while first <= last:
        year, month = divmod(first.year * _MONTHS + first.month, _MONTHS)
        end = min(date(year, month + 1, 1) - timedelta(days=1), last)
        found.append(Period(first, end))
        first = end + timedelta(days=1)
    return found


def merged(spells: Iterable[Spell]) -> list[Spell]:
    """Spells that touch are one, in order."""
    found: list[Spell] = []
    for spell in sorted(spells, key=lambda each: each.since):
        last = found[-1] if found else None
        if last is None or (last.until is not None and last.until < spell.since):
            found.append(spell)
        elif last.until is not None:
            until = None if spell.until is None else max(last.until, spell.until)
            found[-1] = Spell(last.since, until)
    return found


def figures_of(
    period: Period, named: Sequence[Named], before: frozenset[SubjectId], truth: Truth, officers: int
) -> Figures:
    """One period's figures; `before` are those who had been named in an earlier one."""
    confirmed = {each.subject for each in named if _out_since(truth, each.subject, period.first)}
    rest = {each.subject for each in named} - confirmed
    out = {
        subject
        for subject, spells in truth.out.items()
        if any(period.first <= spell.since <= period.last for spell in spells)
    }
    return Figures(
        period=period,
        named=len(named),
        confirmed=len(confirmed),
        wrong=sum(truth.wrong.get(subject, date.min) >= period.first for subject in rest),
        out=len(out),
        caught=len(out & (before | {each.subject for each in named})),
        load=load_of(named, officers),
    )


def _out_since(truth: Truth, subject: SubjectId, day: date) -> bool:
    """Out of school on that day or later."""
    return any(spell.until is None or spell.until > day for spell in truth.out.get(subject, ()))


def load_of(named: Sequence[Named], officers: int) -> Load:
    """Leads an officer."""
    counts = Counter(each.officer for each in named)
    return Load(ratio(len(named), officers), max(counts.values(), default=0))


def limits_with(limits: Thresholds, figures: Mapping[str, int]) -> Thresholds:
    """The thresholds with some of them set; TypeError for a name there is none of."""
    known = {name: getattr(limits, name) for name in Thresholds.__slots__}
    return Thresholds(**{**known, **figures})
