"""Reports: which are due when, for whom, what they count, and where a stated figure disagrees with the facts.

Which reports there are stands in `policies/reports.yaml`. A period is named as people name it: 2026-10, 2026-Q4,
2026-2027-1 (the first term of a school year), 2026. Sources: 义务教育法 art. 13; the provinces' 控辍保学 rules (四个一).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal, Protocol

from gateway.domain.model import SubjectId
from gateway.domain.predicate import Predicate

Every = Literal["month", "quarter", "term", "year"]
Level = Literal["school", "township", "county", "prefecture", "province"]
Status = Literal["due", "signed"]

UNIT_DIGITS: Mapping[Level, int] = {"township": 9, "county": 6, "prefecture": 4, "province": 2}
"""How many digits of a region name a unit of that level; a school has a code of its own."""

_PERIOD = re.compile(r"[0-9]{4}(-(0[1-9]|1[0-2])|-Q[1-4]|-[0-9]{4}-[12])?")


@dataclass(frozen=True, slots=True)
class Period:
    """From `first` to `last`, both within it; `label` as people name it."""

    label: str
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Terms:
    """When terms begin: (month, day) of the first and of the second of a school year."""

    first: tuple[int, int]
    second: tuple[int, int]

    def of(self, day: date) -> Period:
        """The term that `day` is in."""
        begins = sorted(
            (date(year, *start), year - offset, number)
            for year in (day.year - 1, day.year, day.year + 1)
            for start, offset, number in ((self.first, 0, 1), (self.second, 1, 2))
        )
        at = max(index for index, (begin, _, _) in enumerate(begins) if begin <= day)
        begin, year, number = begins[at]
        return Period(f"{year}-{year + 1}-{number}", begin, begins[at + 1][0] - timedelta(days=1))


def period_of(every: Every, day: date, terms: Terms) -> Period:
    """The period of that kind which `day` is in."""
    if every == "term":
        return terms.of(day)
    months = {"month": 1, "quarter": 3, "year": 12}[every]
    first = date(day.year, (day.month - 1) // months * months + 1, 1)
    after = first.month + months
    last = date(first.year + (after > 12), (after - 1) % 12 + 1, 1) - timedelta(days=1)
    names = {
        "month": f"{first:%Y-%m}",
        "quarter": f"{first.year}-Q{(first.month + 2) // 3}",
        "year": str(first.year),
    }
    return Period(names[every], first, last)


def is_period(text: str) -> bool:
    """Whether the text has the shape of a period's name."""
    return _PERIOD.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class ReportRule:
    """A line of `policies/reports.yaml`: made `after` days past the end (or the start) of its period."""

    id: str
    title_zh: str
    title_en: str
    level: Level
    every: Every
    at_start: bool
    after: int
    duty: str
    signs: str

    def made_on(self, day: date, terms: Terms) -> Period | None:
        """The period whose report is made on `day`; None on any other day."""
        if self.at_start:
            period = period_of(self.every, day, terms)
            return period if day == period.first + timedelta(days=self.after) else None
        period = period_of(self.every, day - timedelta(days=self.after), terms)
        return period if day == period.last + timedelta(days=self.after) else None

    def made_in(self, region: str) -> bool:
        """Whether it is made where a day is lived for that region: a county's holds its townships' and schools' too."""
        within = UNIT_DIGITS["county"]
        return min(UNIT_DIGITS.get(self.level, within), within) == len(region)


@dataclass(frozen=True, slots=True)
class ReportBook:
    """All reports, and the terms they go by."""

    rules: Mapping[str, ReportRule]
    terms: Terms
    version: str

    def rule(self, kind: str) -> ReportRule:
        """The rule of that kind; of one that the file names no more, one that nobody signs."""
        return self.rules.get(kind) or ReportRule(kind, kind, kind, "county", "month", False, 0, "", "")


FIGURES: Mapping[str, tuple[str, str]] = {
    "students": ("在籍学生", "students in the register"),
    "on_leave": ("休学", "on leave"),
    "exempt": ("缓学或免学", "deferred or exempt"),
    "left": ("本期登记辍学", "registered as dropped out in the period"),
    "transferred_out": ("本期转出", "transferred out in the period"),
    "absent": ("本期连续缺勤达到预警天数", "absent at or over the threshold in the period"),
    "opened": ("本期新增个案", "cases opened in the period"),
    "verified": ("本期核实辍学", "cases verified in the period"),
    "returned": ("本期劝返复学", "children returned in the period"),
    "closed": ("本期销号", "cases closed in the period"),
    "relapsed": ("本期再次辍学", "relapses in the period"),
    "visits": ("本期家访动员", "visits in the period"),
    "suspected_now": ("期末疑似辍学", "suspected at the end"),
    "dropped_out_now": ("期末辍学未返", "dropped out and not back at the end"),
    "duties_due": ("本期到期职责", "duties due in the period"),
    "duties_on_time": ("其中按期完成", "of them done in time"),
    "unconfirmed": ("最新学籍表中缺失", "missing from the newest register"),
    "in_two_registers": ("两县均有学籍", "in two counties' registers"),
}
"""What a report counts, in this order: Chinese, English."""

LASTING = ("left", "transferred_out", "absent", "opened", "verified", "returned", "closed", "relapsed")
"""Figures told by dated facts: those of a period long past can be counted again."""


FLATTERING = frozenset({"students", "returned", "closed", "visits", "duties_on_time"})
"""Figures of which more looks better: who states more than the facts has reported what is not (虚报)."""

UNWELCOME = frozenset(
    {
        "left",
        "absent",
        "opened",
        "verified",
        "relapsed",
        "suspected_now",
        "dropped_out_now",
        "unconfirmed",
        "in_two_registers",
    }
)
"""Figures of which less looks better: who states less than the facts has hidden something (瞒报)."""

Finding = Literal["inflated", "concealed", "over_reported", "under_reported"]
FINDINGS: Mapping[Finding, tuple[str, str]] = {
    "inflated": ("虚报", "reported what is not"),
    "concealed": ("瞒报", "hid what is"),
    "over_reported": ("多报", "more than the facts"),
    "under_reported": ("少报", "less than the facts"),
}


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A figure that is not what the facts say, in either direction. `later`: the facts came afterwards."""

    figure: str
    stated: int
    facts: int
    later: bool = False

    @property
    def finding(self) -> Finding:
        """虚报 or 瞒报 where the difference flatters whoever reported it; 多报 or 少报 where it does not."""
        if self.stated > self.facts:
            return "inflated" if self.figure in FLATTERING else "over_reported"
        return "concealed" if self.figure in UNWELCOME else "under_reported"

    def told(self) -> Mapping[str, object]:
        """As the contract shows it."""
        zh, en = FIGURES[self.figure]
        over, words = self.stated > self.facts, FINDINGS[self.finding]
        return {
            "figure": self.figure,
            "title_zh": zh,
            "title_en": en,
            "stated": self.stated,
            "facts": self.facts,
            "kind": "overstated" if over else "understated",
            "finding": self.finding,
            "finding_zh": words[0],
            "finding_en": words[1],
            "later": self.later,
        }


def disagreements(
    stated: Mapping[str, int], facts: Mapping[str, int], later: bool = False
) -> list[Disagreement]:
    """Every stated figure that is another than the facts'; where the facts are silent nobody is wrong."""
    return [
        Disagreement(name, stated[name], facts[name], later)
        for name in FIGURES
        if name in stated and name in facts and stated[name] != facts[name]
    ]


@dataclass(frozen=True, slots=True)
class Report:
    """A report as it is kept. `unit` is a region code, or a school's code; `figures` are the facts when it was made.

    `stated` what the signer said of the own knowledge; None where only signed.
    """

    id: str
    kind: str
    region: str
    school: str | None
    unit: str
    period: Period
    status: Status
    due_on: date
    made_on: date
    figures: Mapping[str, int]
    stated: Mapping[str, int] | None = None
    signed_by: str | None = None
    signed_on: date | None = None
    missing: tuple[str, ...] = ()


def owing(report: Report) -> str:
    """Where the duty to hand it in stands: the county, or the prefecture or province whose report it is."""
    return report.region[: UNIT_DIGITS["county"]]


def checking(report: Report, level: Level) -> str:
    """Where a report that disagrees is looked into: one level up; of schools and townships in the county."""
    digits = {"county": UNIT_DIGITS["prefecture"], "prefecture": UNIT_DIGITS["province"]}
    return owing(report)[: digits.get(level)]


@dataclass(frozen=True, slots=True)
class LostChild:
    """A line of the list of lost students."""

    subject: SubjectId = field(repr=False)
    case: str
    residence: str
    school: str | None
    since: date
    because: str


@dataclass(frozen=True, slots=True)
class ReportQuery:
    """Which reports; without a period or kind, all that `rows` allows. `after` is the last id seen."""

    rows: Predicate
    period: str | None = None
    kind: str | None = None
    status: Status | None = None
    region: str | None = None
    after: str | None = None
    limit: int = 100


class ReportDesk(Protocol):
    """Reports inside one write transaction."""

    def figures(
        self, level: Level, region: str, period: Period, absence_days: int
    ) -> Mapping[str, Mapping[str, int]]:
        """Unit → figure → count, of every unit of that level in the county; of a prefecture or province, its counties' sum."""
        ...

    def counties(self, within: str) -> Sequence[str]:
        """Counties of that region that have handed in anything."""
        ...

    def counties_known(self, within: str) -> Sequence[str]:
        """Counties of that region that exist today."""
        ...

    def add(self, report: Report, at: datetime) -> bool:
        """Keeps it; False when it is there already."""
        ...

    def sign(self, report: Report) -> bool:
        """Keeps signature and stated figures; False when somebody signed it before."""
        ...


class Reports(Protocol):
    """Reports as they are kept, limited by the grant's predicate; from worker threads."""

    def find(self, query: ReportQuery) -> Sequence[Report]:
        """One page, ordered by id."""
        ...

    def get(self, report_id: str, rows: Predicate) -> Report | None:
        """The report, if it is among the rows."""
        ...

    def facts_now(self, report: Report, level: Level, absence_days: int) -> Mapping[str, int]:
        """The lasting figures of its unit and period, counted again; above the county, of the counties it was made of."""
        ...

    def school_name(self, report: Report) -> str | None:
        """What the register calls the school whose report it is."""
        ...

    def lost(self, report: Report, rows: Predicate) -> Sequence[LostChild]:
        """Whom a list of lost students names, as far as their cases are among the rows the caller may see."""
        ...
