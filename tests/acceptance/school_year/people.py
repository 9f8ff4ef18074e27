"""Who lives in the county, what becomes of them, and what is done about it: the values a script is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

COUNTY, ELSEWHERE = "532626", "532627"
TOWNSHIPS = tuple(
    COUNTY + each
    for each in ("101", "102", "103", "201", "202", "203", "204", "205", "206", "207", "208", "209")
)
PRIMARY = tuple(
    (f"21{COUNTY}{number:02d}", f"第{number + 1}完全小学", place) for number, place in enumerate(TOWNSHIPS)
)
JUNIOR = tuple(
    (f"31{COUNTY}{number:02d}", f"第{number + 1}初级中学", place)
    for number, place in enumerate(TOWNSHIPS[:8])
)
FAR_SCHOOL = (f"21{ELSEWHERE}00", "邻县中心小学", ELSEWHERE + "101")

IN_SCHOOL, ON_LEAVE, LEFT, OUT = "在校", "休学", "转出", "辍学"
GRADUATED, DEAD, DEFERRED, EXEMPT = "毕业", "死亡", "缓学", "免学"


@dataclass(frozen=True, slots=True)
class Entry:
    """What a register says of a child from `entered` on: its state, and since when it is in that state."""

    entered: date
    status: str
    since: date
    county: str = COUNTY
    school: str = ""


@dataclass(frozen=True, slots=True)
class Absence:
    """A month in class: days absent, the longest run of them, 事由 ('' is unexcused)."""

    absent: int
    longest: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Assessment:
    """A disability assessment as the health bureau hands it in."""

    told: date
    assessed_on: date
    suitability: str
    category: str = "听力"
    grade: str = "三级"


@dataclass(frozen=True, slots=True)
class Relief:
    """A relief record, from the day the civil affairs bureau told of it."""

    told: date
    relief_class: str
    start: date
    end: date | None = None


@dataclass(eq=False, slots=True)
class Child:
    """A child and all that registers and classes will ever say of it."""

    number: int
    name: str
    sex: str
    birth: date
    resident_id: str | None
    student_number: str
    id_type: str
    township: str
    school: tuple[str, str, str]
    grade: int
    boarding: str
    story: str = "ordinary"
    hardship: bool = False
    left_behind: bool = False
    entries: list[Entry] = field(default_factory=list)
    absences: dict[str, Absence] = field(default_factory=dict)
    corrections: dict[str, tuple[str, Absence]] = field(default_factory=dict)
    """By the month in whose file the correction comes: the month corrected, and what was right."""
    assessments: list[Assessment] = field(default_factory=list)
    relief: list[Relief] = field(default_factory=list)
    omitted: set[str] = field(default_factory=set)
    """Months whose register leaves the child out."""

    def stands(self, county: str, day: date) -> Entry | None:
        """What that county's register says on `day`, if the child is in it."""
        said = [entry for entry in self.entries if entry.county == county and entry.entered <= day]
        return said[-1] if said else None

    def __repr__(self) -> str:
        return f"<{self.story} #{self.number}>"


@dataclass(frozen=True, slots=True)
class Act:
    """Something a person does about a child on a day, in the order of the script."""

    day: date
    child: Child
    what: str
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """A file as it is handed in: what it says, child by child."""

    day: date
    dataset: str
    county: str
    month: str
    says: dict[Child, Any]


@dataclass(slots=True)
class World:
    """Everybody, every file by day, every act by day."""

    children: list[Child]
    files: list[Told] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)

    def on(self, day: date) -> tuple[list[Told], list[Act]]:
        """The files of a day, then its acts, each in their order."""
        return [each for each in self.files if each.day == day], [
            each for each in self.acts if each.day == day
        ]

    def days(self) -> list[date]:
        """Every day on which something is handed in or done."""
        return sorted({each.day for each in self.files} | {each.day for each in self.acts})
