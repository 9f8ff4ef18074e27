"""A rule tried over the history before it is switched on: whom it would have named, how rightly, how much work."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import pairwise

from gateway.domain.backtest import (
    ChildHistory,
    Figures,
    History,
    Named,
    Period,
    Truth,
    figures_of,
    limits_with,
    merged,
    months,
)
from gateway.domain.errors import Malformed
from gateway.domain.model import SubjectId
from gateway.domain.rulebook import Rulebook
from gateway.domain.rules import ABSENCE, FIGURES, STATUS, TRANSFER, Condition
from gateway.domain.schooling import Thresholds

_TESTED = frozenset({STATUS, TRANSFER, ABSENCE})


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tried: a rule, with figures that take the place of the county's, over the days from `first` to `last`."""

    rule: str
    first: date
    last: date
    figures: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """Month by month; `registered` says whether a register that shows a dropout counted as true."""

    trial: Trial
    months: tuple[Figures, ...]
    officers: int
    registered: bool
    enabled: bool


class Backtest:
    """The use case. Reads rows by the children's random ids, opens no identity, and tells figures alone."""

    def __init__(self, history: History, rulebook: Rulebook) -> None:
        self._history, self._book = history, rulebook

    def __call__(self, trial: Trial) -> Report:
        """Ends where the history does. Malformed for what cannot be tried."""
        rule = self._book.rules.get(trial.rule)
        if rule is None:
            raise Malformed("没有这条规则。", f"There is no rule {trial.rule}.")
        when = _testable(rule.when)
        self._limits(self._book.limits, trial.figures)
        trial = self._within(trial)
        registered = when.word != STATUS  # a rule on the register is not proved right by the register
        truth = self._history.truth(registered)
        truth = Truth({subject: merged(spells) for subject, spells in truth.out.items()}, truth.wrong)
        officers = self._history.officers()
        found = self._by_month(trial, _with_figure(when, trial.figures), truth, officers)
        return Report(trial, found, officers, registered, rule.enabled)

    def _within(self, trial: Trial) -> Trial:
        newest = self._history.newest()
        if newest is None or newest < trial.first:
            raise Malformed("所选时间没有历史数据。", "There is no history in that time.")
        return replace(trial, last=min(trial.last, newest))

    def _by_month(self, trial: Trial, when: Condition, truth: Truth, officers: int) -> tuple[Figures, ...]:
        periods = months(trial.first, trial.last)
        named, standing = self._named(trial, when, periods)
        found = []
        for period, news in zip(periods, named, strict=True):
            found.append(figures_of(period, news, frozenset(standing), truth, officers))
            standing |= {each.subject for each in news}
        return tuple(found)

    def _named(
        self, trial: Trial, when: Condition, periods: list[Period]
    ) -> tuple[list[list[Named]], set[SubjectId]]:
        """Newly named by period, and those who had been named before the first."""
        named: list[list[Named]] = [[] for _ in periods]
        standing: set[SubjectId] = set()
        days = [trial.first - timedelta(days=1), *(period.last for period in periods)]
        least = min(self._days(when, region, trial) for region in ("", *self._book.counties))
        for child in self._history.children(when, least, trial.last):
            held = self._held(child, when, trial, days)
            if held[0]:
                standing.add(child.subject)
            for index, (before, now) in enumerate(pairwise(held)):
                if now and not before:
                    named[index].append(Named(child.subject, child.officer()))
        return named, standing

    def _held(self, child: ChildHistory, when: Condition, trial: Trial, days: list[date]) -> list[bool]:
        limits = self._limits(self._book.of(child.enrolments[0].region).limits, trial.figures)
        return [when.caught(child.on(day), day, limits) for day in days]

    def _days(self, when: Condition, region: str, trial: Trial) -> int:
        return when.days(self._limits(self._book.of(region).limits, trial.figures)) or 0

    @staticmethod
    def _limits(limits: Thresholds, figures: Mapping[str, int]) -> Thresholds:
        try:
            return limits_with(limits, figures)
        except TypeError:
            raise Malformed("没有这个数值。", "thresholds.yaml has no such figure.") from None


def _testable(when: Condition | None) -> Condition:
    if when is not None and when.word in _TESTED:
        return when
    raise Malformed(
        "该规则无法回测：没有人保存未被询问的事。",
        "This rule cannot be back-tested: nobody keeps what was not asked.",
    )


def _with_figure(when: Condition, figures: Mapping[str, int]) -> Condition:
    """The condition goes by a figure that was set, even where the rule has a number of its own."""
    days = figures.get(FIGURES.get(when.word, ""))
    return when if days is None else Condition(when.word, days)
