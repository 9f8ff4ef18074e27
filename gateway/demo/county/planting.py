"""What is planted: which child has which story. The truth is decided here, before any file is."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from gateway.demo.county.people import NO_ID, PeopleMaker, Person, age_on, years_before
from gateway.demo.county.places import School, schools, townships

MINIMUM_CHILDREN = 200
NEEDS = {"economic_hardship": 0.10, "left_behind": 0.16, "single_parent": 0.05}
ENROLLED = "在校"
SUITABILITIES = ("可随班就读", "建议特殊教育学校", "建议送教上门", "建议缓学")
CATEGORIES = ("视力", "听力", "言语", "肢体", "智力", "精神", "多重")
RELIEF_CLASSES = ("低保", "特困", "孤儿", "事实无人抚养儿童", "困境儿童", "临时救助")
SCHOOL_DAYS = 18

# Story: (share of the children, at least so many). Whoever has no story is an ordinary pupil.
STORIES: dict[str, tuple[float, int]] = {
    "dropout": (0.006, 4),
    "dropout_without_id": (0.0002, 1),
    "transferred_late": (0.004, 3),
    "transferred_recent": (0.003, 3),
    "on_leave": (0.005, 4),
    "on_leave_absent": (0.0003, 1),
    "graduate": (0.01, 8),
    "deferred": (0.001, 2),
    "exempt": (0.001, 2),
    "deceased": (0.0008, 2),
    "absent_long": (0.004, 4),
    "absent_long_without_id": (0.0001, 1),
    "absent_excused": (0.003, 3),
    "absent_four": (0.004, 3),
    "sixteen_today": (0.0002, 2),
    "sixteen_tomorrow": (0.0002, 2),
    "eighteen": (0.0003, 2),
    "without_id": (0.003, 3),
    "temporary_number": (0.006, 4),
    "no_good_attendance": (0.001, 6),
}
STATUS = {
    "dropout": "辍学",
    "dropout_without_id": "辍学",
    "transferred_late": "转出",
    "transferred_recent": "转出",
    "on_leave": "休学",
    "on_leave_absent": "休学",
    "graduate": "毕业",
    "deferred": "缓学",
    "exempt": "免学",
    "deceased": "死亡",
}


@dataclass(slots=True, frozen=True)
class Absence:
    """One month in class: school days, days absent, longest run of days absent, 事由 ('' is unexcused)."""

    expected: int
    absent: int
    longest: int
    reason: str


@dataclass(slots=True, frozen=True)
class Relief:
    """A relief record; an open end is None."""

    relief_class: str
    start: date
    end: date | None


@dataclass(slots=True, frozen=True)
class Assessment:
    """A disability assessment; category 1–7 and grade 1–4 as numbers."""

    category: int
    grade: int
    assessed_on: date
    suitability: str


@dataclass(slots=True, frozen=True)
class Enrolment:
    """A row of the student register."""

    student_number: str
    school: School
    grade: int
    boarding: str
    status: str
    since: date
    needs: frozenset[str]


@dataclass(slots=True)
class Child:
    """A person and everything the agencies know of it; `enrolment` None is a child in no register."""

    person: Person
    story: str
    enrolment: Enrolment | None = None
    absence: Absence | None = None
    relief: Relief | None = None
    assessment: Assessment | None = None


@dataclass(slots=True)
class County:
    """All children in the registers (`pupils`), those in no register, and adults who look for work."""

    code: str
    as_of: date
    pupils: list[Child] = field(default_factory=list)
    unplaced: list[Child] = field(default_factory=list)
    toddlers: list[Child] = field(default_factory=list)
    strangers: list[Child] = field(default_factory=list)
    adults: list[Child] = field(default_factory=list)


def share(size: int, rate: float, at_least: int) -> int:
    """Give how many of `size` children a story gets."""
    return max(at_least, round(size * rate))


class Planter:
    """Plants the stories of one county from one stream of random numbers."""

    def __init__(self, rng: random.Random, code: str, as_of: date) -> None:
        self.rng = rng
        self.as_of = as_of
        self.code = code
        self.people = PeopleMaker(rng, code, as_of, townships(code))
        self._schools = schools(code)
        self._told: dict[str, int] = {}

    def county(self, size: int) -> County:
        """Plant a county of `size` registered children; ValueError when too small for every story."""
        if size < MINIMUM_CHILDREN:
            raise ValueError(f"a county needs at least {MINIMUM_CHILDREN} children")
        stories = [story for story, (rate, least) in STORIES.items() for _ in range(share(size, rate, least))]
        stories += ["ordinary"] * (size - len(stories))
        county = County(self.code, self.as_of, [self.pupil(story) for story in stories])
        self._assess(county, size)
        self._relieve(county, size)
        self._outsiders(county, size)
        return county

    def pupil(self, story: str = "ordinary") -> Child:
        """Make one registered child with its story."""
        grade = self._grade(story)
        without_id = story.endswith("without_id")
        person = self.people.person(self._birth(story, grade), NO_ID if without_id else None)
        status = STATUS.get(story, ENROLLED)
        enrolment = Enrolment(
            student_number=self.people.student_number(person, story == "temporary_number"),
            school=self.rng.choice(self._schools[person.township, grade > 6]),
            grade=grade,
            boarding=self.rng.choices(("走读", "住校"), (6, 4))[0],
            status=status,
            since=self._since(story),
            needs=frozenset(need for need, rate in NEEDS.items() if self.rng.random() < rate),
        )
        return Child(person, story, self._with_needs(enrolment, story), self._absence(story, status))

    def stranger(self, youngest: int, oldest: int, story: str) -> Child:
        """Make somebody whom no register knows, aged `youngest`..`oldest`."""
        return Child(self.people.person(self.people.birth_at_age(youngest, oldest)), story)

    def relief(self, start: date, end: date | None) -> Relief:
        """Make a relief record of any class."""
        return Relief(self.rng.choice(RELIEF_CLASSES), start, end)

    def assessment(self, suitability: str) -> Assessment:
        """Make an assessment of the last half year; the law date itself is still allowed."""
        day = self.as_of - timedelta(days=self.rng.randrange(180))
        return Assessment(self.rng.randrange(7), self.rng.randrange(1, 5), day, suitability)

    def month(self, longest: int, reason: str = "") -> Absence:
        """Make a month with a run of `longest` days absent, and perhaps a few days more."""
        absent = min(SCHOOL_DAYS, longest + self.rng.randrange(3)) if longest else 0
        return Absence(SCHOOL_DAYS, absent, longest, reason if absent else "")

    def _grade(self, story: str) -> int:
        if story in ("graduate", "sixteen_today", "sixteen_tomorrow", "eighteen"):
            return 9
        # Deferral is for those who should just begin.
        return 1 if story == "deferred" else self.rng.randrange(1, 10)

    def _birth(self, story: str, grade: int) -> date:
        fixed: dict[str, Callable[[], date]] = {
            "sixteen_today": lambda: years_before(self.as_of, 16),
            "sixteen_tomorrow": lambda: years_before(self.as_of + timedelta(days=1), 16),
            "eighteen": lambda: years_before(self.as_of, 18) - timedelta(days=self._turn(story) * 40),
            "graduate": lambda: self.people.birth_for(10),
        }
        if story in fixed:
            return fixed[story]()
        # Only ordinary pupils start late: every story about dropping out stays below sixteen.
        return self.people.birth_for(grade, int(story == "ordinary" and self.rng.random() < 0.05))

    def _since(self, story: str) -> date:
        turn = self._turn(story + "/since")
        if story == "transferred_late":
            return self.as_of - timedelta(days=31 + (self.rng.randrange(150) if turn else 0))
        if story == "transferred_recent":
            return self.as_of - timedelta(days=(30, 0)[turn] if turn < 2 else self.rng.randrange(1, 30))
        if story == "graduate":
            return self.as_of - timedelta(days=self.rng.randrange(110, 150))
        return self.as_of - timedelta(days=self.rng.randrange(0, 120 if story in STATUS else 600))

    def _turn(self, story: str) -> int:
        """Count how often a story was told: the first ones take the edge cases."""
        self._told[story] = self._told.get(story, -1) + 1
        return self._told[story]

    def _with_needs(self, enrolment: Enrolment, story: str) -> Enrolment:
        # Those who must stay out of the needy list although poor: by chance a small county has none.
        if (
            story not in ("deceased", "graduate", "eighteen", "without_id")
            or self._turn(story + "/needs") > 1
        ):
            return enrolment
        return replace(enrolment, needs=enrolment.needs | {"economic_hardship"})

    def _absence(self, story: str, status: str) -> Absence | None:
        if story == "on_leave_absent":
            return self.month(SCHOOL_DAYS)
        if status != ENROLLED or story == "no_good_attendance":
            return None
        if story.startswith("absent_long"):
            return self.month(5 if self._turn(story + "/run") == 0 else self.rng.randrange(5, SCHOOL_DAYS))
        if story == "absent_excused":
            return self.month(
                self.rng.randrange(5, SCHOOL_DAYS), self.rng.choice(("病假", "事假", "住院治疗"))
            )
        if story == "absent_four":
            return self.month(4)
        longest = self.rng.randrange(1, 4) if self.rng.random() < 0.15 else 0
        return self.month(longest, self.rng.choice(("", "病假", "事假")))

    def _assess(self, county: County, size: int) -> None:
        """Assess registered children (no lead) and children in no register (a lead, unless 缓学)."""
        known = [c for c in county.pupils if c.person.resident_id and age_on(c.person.birth, self.as_of) < 16]
        placed = [c for c in known if c.story in ("ordinary", "on_leave", "exempt")]
        for i, child in enumerate(self.rng.sample(placed, share(size, 0.004, 8))):
            child.assessment = self.assessment(SUITABILITIES[i % 3])
        for child in (c for c in known if c.story == "deferred"):
            child.assessment = self.assessment(SUITABILITIES[3])
        for suitability in SUITABILITIES:
            for _ in range(share(size, 0.0006, 2)):
                child = self.stranger(7, 14, "assessed_unplaced")
                child.assessment = self.assessment(suitability)
                county.unplaced.append(child)

    def _relieve(self, county: County, size: int) -> None:
        known = [c for c in county.pupils if c.person.resident_id and c.enrolment]
        poor = [
            c for c in known if c.enrolment and (c.enrolment.needs or c.enrolment.status in ("辍学", "转出"))
        ]
        out = [c for c in poor if c.story in ("dropout", "transferred_late")]
        spans = self._spans(size)
        chosen = self.rng.sample(out, min(2, len(out)))
        chosen += self.rng.sample([c for c in poor if c not in chosen], len(spans) * 3 // 4)
        chosen += self.rng.sample([c for c in known if c not in chosen], len(spans) - len(chosen))
        for child, (start, end) in zip(chosen, spans, strict=True):
            child.relief = self.relief(start, end)

    def _spans(self, size: int) -> list[tuple[date, date | None]]:
        """Give from/to dates, the edges first: ended yesterday, ends today, starts today, tomorrow."""
        day, today = timedelta(days=1), self.as_of
        past = [today - day * self.rng.randrange(1, 700) for _ in range(share(size, 0.02, 6))]
        spans: list[tuple[date, date | None]] = [(past[0], None), (past[1], today + day * 400)]
        spans += [
            (today - day * 365, today - day),
            (today - day * 365, today),
            (today, None),
            (today + day, None),
        ]
        spans += [(start, None) for start in past[2:]]
        spans += [(start - day * 200, min(start, today - day)) for start in past[: share(size, 0.006, 3)]]
        return spans + [(today + day * self.rng.randrange(2, 60), None) for _ in range(share(size, 0.004, 2))]

    def _outsiders(self, county: County, size: int) -> None:
        for _ in range(share(size, 0.001, 2)):
            toddler = self.stranger(3, 4, "toddler")
            toddler.relief = self.relief(self.as_of - timedelta(days=90), None)
            county.toddlers.append(toddler)
        county.strangers = [self.stranger(7, 14, "stranger") for _ in range(12)]
        county.adults = [self.stranger(17, 50, "adult") for _ in range(12)]
