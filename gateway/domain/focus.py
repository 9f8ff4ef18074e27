"""Focus groups (重点关注群体) of children, each from its own source and with the day the source says it from.

Hardship, left behind and single parent are the student register's; disability the assessments'; relief civil affairs';
learning difficulty, mobile family and misconduct the school's own list. Misconduct is kept like a sealed record
(预防未成年人犯罪法 art. 59): no list ever has it, and in one child's file only the dropout lead sees it.
One child's file tells of disability, misconduct and relief in fields of their own, which policies grant one by one.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import NamedTuple, Protocol

from gateway.domain.model import SubjectId

MISCONDUCT = "misconduct"
DISABILITY = "disability"
OF_SCHOOL = frozenset({"learning_difficulty", "economic_hardship", "single_parent", "left_behind", "mobile"})
"""Groups told together in a child's file: registers' and schools' own; the others each under a field of their own."""

ORDER = (
    "learning_difficulty",
    "economic_hardship",
    "single_parent",
    "left_behind",
    DISABILITY,
    "mobile",
    "relief",
    MISCONDUCT,
)
"""Every group, in the order in which a file shows them."""

SOURCES: Mapping[str, str] = {
    "learning_difficulty": "focus-groups",
    "economic_hardship": "student-register",
    "single_parent": "student-register",
    "left_behind": "student-register",
    DISABILITY: "disability-assessment",
    "mobile": "focus-groups",
    "relief": "relief-register",
    MISCONDUCT: "focus-groups",
}
"""Group → the dataset it comes from: what a field that tells of it is derived from."""


class Focus(NamedTuple):
    """One group a child is in. `since` is the day the source tells it from: for the register, its last confirmation."""

    group: str
    source: str
    since: date


class FocusGroups(Protocol):
    """The groups children are in on a day; for worker threads."""

    def of_region(self, region: str, today: date) -> Mapping[SubjectId, tuple[Focus, ...]]:
        """Children of the county's own records with what may stand in a list: never misconduct."""
        ...

    def of_child(self, subject: SubjectId, region: str, today: date) -> tuple[Focus, ...]:
        """Everything that county handed in, misconduct too: for one child's file, which shows it by `only` alone."""
        ...


def in_order(found: Iterable[Focus]) -> tuple[Focus, ...]:
    """One of each group, the oldest day it is told from, in the file's order."""
    oldest: dict[str, Focus] = {}
    for each in found:
        known = oldest.get(each.group)
        if known is None or each.since < known.since:
            oldest[each.group] = each
    return tuple(oldest[group] for group in ORDER if group in oldest)


def only(groups: Iterable[Focus], names: Collection[str]) -> list[Mapping[str, object]]:
    """Of the groups those of these names, each with its source and the day it is told from."""
    return [
        {"group": each.group, "source": each.source, "since": each.since.isoformat()}
        for each in groups
        if each.group in names
    ]
