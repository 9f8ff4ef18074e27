"""From facts to leads: which rule fires for a child, and what the lead says. The rules' figures are in `policies/`.

A lead's facts say what triggered it and nothing that identifies the child; a placement lead says what was advised
and never the category or grade of the disability (残疾人教育条例 art. 20).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from gateway.domain.model import ChildFacts, SubjectId
from gateway.domain.predicate import Equals, Predicate, conjunction, disjunction
from gateway.domain.schooling import Thresholds, fresh_of, judge, newest

CAN_ATTEND = frozenset({"mainstream", "special_school", "home_delivery"})


STATUS, TRANSFER, ABSENCE, ASSESSED, ASKED = (
    "status",
    "transferred_for_more_than",
    "absence_at_least",
    "assessed",
    "asked",
)
FILE, DAY, ASK, INSPECTION, HANDOVER = "file", "day", "ask", "inspection", "handover"
"""Events: what makes a rule be looked at."""

FIGURES = {TRANSFER: "transfer_days", ABSENCE: "absence_days"}
"""Words with a figure, and the threshold that it takes the place of."""

_BECAUSE = {STATUS: "registered-dropout", TRANSFER: "transfer-not-arrived", ABSENCE: "absence-threshold"}
_WORDS = {
    STATUS: ("学籍登记的状态为辍学", "the student register shows the child as dropped out"),
    TRANSFER: (
        "转出超过{days}天，没有任何学籍显示入学",
        "more than {days} days after the transfer no register shows the child enrolled",
    ),
    ABSENCE: (
        "最近一个月无事由连续缺勤达到{days}天",
        "in the newest month the child was absent without excuse for {days} days on end or more",
    ),
    ASSESSED: (
        "评估认为可以入学，而没有任何学籍",
        "the child was assessed as able to attend and is in no register",
    ),
    ASKED: (
        "有单位为未满十六周岁的人办理{exchange}",
        "somebody asked {exchange} about a person under sixteen",
    ),
}


@dataclass(frozen=True, slots=True)
class Condition:
    """When a rule fires: `word` is one of the closed list above; `of` what it is about, a figure's name or a number."""

    word: str
    of: str | int

    def days(self, limits: Thresholds) -> int | None:
        """The figure that counts, in days; None for a condition without one."""
        if self.word not in FIGURES:
            return None
        return self.of if isinstance(self.of, int) else int(getattr(limits, self.of))

    def limits(self, limits: Thresholds) -> Thresholds:
        """The county's thresholds with this condition's own figure."""
        days = self.days(limits)
        return limits if days is None else replace(limits, **{FIGURES[self.word]: days})

    def caught(self, child: ChildFacts, day: date, limits: Thresholds) -> bool:
        """Whether it held for a child on a day, by what registers said then; False for a condition on no register."""
        return bool(child.enrolments) and _holds(self, child, day, limits)

    def words(self, limits: Thresholds) -> tuple[str, str]:
        """The condition in Chinese and English, with its figure."""
        zh, en = _WORDS[self.word]
        days = self.days(limits)
        return zh.format(days=days, exchange=self.of), en.format(days=days, exchange=self.of)


@dataclass(frozen=True, slots=True)
class Rule:
    """A lead rule of `policies/rules.yaml`: `duty` starts with the lead and sets its due date; `further_duties` are
    owed by other agencies at the same time. A rule that is not `enabled` opens no lead; without `when` it is for a use
    case of its own to open one. It is looked at on its `events` alone; its leads are shown to the roles `seen_by`."""

    id: str
    title_zh: str
    title_en: str
    duty: str
    further_duties: tuple[str, ...]
    version: str
    when: Condition | None = None
    enabled: bool = True
    events: frozenset[str] = frozenset()
    seen_by: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Assessment:
    """A child's newest disability assessment, as far as placement needs it."""

    subject: SubjectId
    region: str
    residence: str
    assessed_on: date
    suitability: str


def register_facts(
    child: ChildFacts, today: date, limits: Thresholds, rules: Iterable[Rule]
) -> tuple[str, Mapping[str, object]] | None:
    """The first of the rules whose condition on registers holds for a child, with its fact; None when none does."""
    if not child.enrolments:
        return None
    for rule in rules:
        if rule.enabled and rule.when is not None and rule.when.caught(child, today, limits):
            if rule.when.word == ABSENCE:
                return rule.id, _absence_fact(rule.id, child)
            row = newest(fresh_of(child.enrolments, today, rule.when.limits(limits)))
            return rule.id, {"fact": rule.id, "since": row.status_date.isoformat()}
    return None


def _holds(when: Condition, child: ChildFacts, today: date, limits: Thresholds) -> bool:
    because = _BECAUSE.get(when.word)
    return because is not None and judge(child, today, when.limits(limits)).because == because


def seen_by(rules: Iterable[Rule], role: str) -> frozenset[str]:
    """The rules whose leads that role is shown; those that are switched off too."""
    return frozenset(rule.id for rule in rules if role in rule.seen_by)


def rows_seen(rows: Predicate, rules: Iterable[Rule], role: str) -> Predicate:
    """What the policy lets the caller read, less the leads whose rule does not name the role; `rule` is a lead's."""
    shown = disjunction(Equals("rule", name) for name in sorted(seen_by(rules, role)))
    return conjunction((rows, shown))


def of_registers(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Those whose condition is on registers, in the file's order; those that are not enabled too."""
    return tuple(rule for rule in rules if rule.when is not None and rule.when.word in _BECAUSE)


def _absence_fact(rule: str, child: ChildFacts) -> Mapping[str, object]:
    absence = child.absence
    assert absence is not None, "absence-threshold without an absence"  # noqa: S101 - judge() saw one
    return {
        "fact": rule,
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
