"""A county of 5,000 children over the school year 2025/26, from one seed: who, what the files say, what is done."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import date, timedelta

from gateway.demo.county.people import RESIDENT, PeopleMaker, Person
from tests.acceptance.school_year import days
from tests.acceptance.school_year.people import (
    COUNTY,
    ELSEWHERE,
    FAR_SCHOOL,
    GRADUATED,
    IN_SCHOOL,
    JUNIOR,
    LEFT,
    ON_LEAVE,
    PRIMARY,
    TOWNSHIPS,
    Absence,
    Child,
    Entry,
    Relief,
    Told,
    World,
)
from tests.acceptance.school_year.stories import SIMPLE, Teller

AUTUMN = ("2025-09", "2025-10", "2025-11", "2025-12")
SPRING = ("2026-03", "2026-04", "2026-05")
ALL = AUTUMN + SPRING

# Story: the months in which it may begin, and how many of 5,000 children live it. Everybody else is ordinary.
STORIES: dict[str, tuple[tuple[str, ...], int]] = {
    "absent": (ALL, 20),
    "absent_into_next_month": (("2025-09", "2025-10", "2026-03"), 4),
    "false_alarm": (("2025-09", "2025-10", "2025-11", "2026-03"), 8),
    "neglected": (("2026-03", "2026-04"), 4),
    "deferred": (("2025-10", "2026-03"), 3),
    "relapse": (("2025-09", "2025-10"), 3),
    "relapse_while_watched": (("2025-09", "2025-10"), 3),
    "relapse_seen": (("2025-09", "2026-03"), 2),
    "back_by_register": (("2025-09", "2025-10", "2026-03"), 3),
    "dropout": (ALL, 12),
    "dropout_lasting": (ALL, 4),
    "dies": (("2025-10", "2026-03"), 2),
    "moves_mid_case": (("2025-10", "2026-03"), 3),
    "notice_obeyed": (("2025-10", "2026-03"), 3),
    "notice_ignored": (("2025-09", "2025-10"), 2),
    "sanctioned": (("2025-10", "2026-03"), 2),
    "changes_school": (("2025-09", "2026-02", "2026-04", "2026-06"), 8),
    "leaves_county": (ALL, 8),
    "never_arrives": (("2025-10", "2026-03"), 4),
    "lost": (("2025-10", "2026-03"), 3),
    "applicant": (("2025-10", "2026-06", "2026-07"), 4),
    "placed": (("2025-10", "2026-03"), 3),
    "taught_at_home": (("2025-10", "2026-03"), 2),
    "on_leave": (ALL, 10),
    "exempted": (ALL, 4),
    "died": (ALL, 2),
    "excused": (ALL, 20),
    "four_days": (ALL, 20),
    "left_out_once": (("2025-11",), 12),
    "left_out_mid_case": (("2025-10",), 2),
    "vanishes": (("2026-03",), 3),
}
NOT_REGISTERED = {"placed", "taught_at_home"}


class Builder:
    """Makes the people, lets the stories happen to them, and writes down what the files say."""

    def __init__(self, seed: int, size: int) -> None:
        self.rng = random.Random(seed)
        self.size = size
        self.people = PeopleMaker(self.rng, COUNTY, days.START, TOWNSHIPS)
        self.teller = Teller(self.rng)
        self.children: list[Child] = []

    def world(self) -> World:
        for _ in range(self.size):
            self._pupil()
        free = [child for child in self.children if 2 <= child.grade <= 8]
        self.rng.shuffle(free)
        for story, (months, count) in STORIES.items():
            for number in range(max(1, round(count * self.size / 5000))):
                self._tell(story, months[0] if number == 0 else self.rng.choice(months), free.pop())
        self._others(free)
        far = [self._far_pupil() for _ in range(30)]
        found = World(self.children + far)
        found.files = sorted(self._files(found.children), key=lambda each: each.day)
        found.acts = sorted(self.teller.acts, key=lambda each: each.day)
        return found

    # --- people ------------------------------------------------------------------------------------------

    def _birth(self, grade: int) -> date:
        """Six by the end of August of the year of entry; some a year later; some in grade one still five."""
        if grade == 1 and self.rng.random() < 0.1:
            return date(2019, 9, 1) + timedelta(days=self.rng.randrange(120))
        return self.people.birth_for(grade, 1 if self.rng.random() < 0.1 else 0)

    def _pupil(self) -> Child:
        grade = self.rng.randint(1, 9)
        child = self._child(self.people.person(self._birth(grade), RESIDENT), grade)
        child.entries.append(Entry(days.START, IN_SCHOOL, days.START))
        child.hardship, child.left_behind = self.rng.random() < 0.03, self.rng.random() < 0.02
        if child.hardship or child.left_behind:
            told = self.rng.choices((days.START, date(2025, 9, 18), date(2025, 11, 3), None), (80, 8, 6, 6))[
                0
            ]
            child.relief += [Relief(told, "低保", date(2025, 1, 1))] if told else []
        return child

    def _child(self, person: Person, grade: int) -> Child:
        schools = PRIMARY if grade <= 6 else JUNIOR
        near = [each for each in schools if each[2] == person.township] or list(schools)
        child = Child(
            number=len(self.children),
            name=person.name,
            sex=person.sex,
            birth=person.birth,
            resident_id=person.resident_id,
            student_number=self.people.student_number(person),
            id_type=person.id_type,
            township=person.township,
            school=self.rng.choice(near),
            grade=grade,
            boarding="住校" if grade >= 4 and self.rng.random() < 0.4 else "走读",
        )
        self.children.append(child)
        return child

    def _far_pupil(self) -> Child:
        child = self._child(self.people.person(self.people.birth_for(4), RESIDENT), 4)
        self.children.pop()
        child.number, child.school, child.township, child.story = -1, FAR_SCHOOL, FAR_SCHOOL[2], "far"
        child.entries.append(Entry(days.START, IN_SCHOOL, days.START, county=ELSEWHERE))
        return child

    # --- stories -----------------------------------------------------------------------------------------

    def _tell(self, story: str, month: str, child: Child) -> None:
        child.story = story
        child.hardship = child.left_behind = False
        child.relief.clear()
        if story in NOT_REGISTERED:
            child.entries.clear()
        if story in SIMPLE:
            self.teller.in_register(SIMPLE[story])(child, month)
        else:
            getattr(self.teller, story)(child, month)

    def _others(self, free: list[Child]) -> None:
        """The stories that need more than one child or a grade of their own."""
        self._twins(free.pop())
        seniors = [child for child in self.children if child.grade == 9]
        mid_case = seniors.pop()
        mid_case.story = "graduated_mid_case"
        self.teller.graduated_mid_case(mid_case, "2026-05")
        for child in seniors:
            child.story = "graduates"
            self.teller.enters(child, date(2026, 7, 5), GRADUATED)
        for child, month in zip((free.pop(), free.pop()), ("2025-10", "2026-03"), strict=True):
            child.story = "newcomer"
            child.entries[:] = [Entry(days.file_day(month), IN_SCHOOL, days.file_day(month))]

    def _twins(self, child: Child) -> None:
        """The child's second row: no id number, a student number of its own."""
        twin = self._child(
            Person(child.name, child.sex, child.birth, "其他", None, child.township), child.grade
        )
        twin.school, twin.story, child.story = child.school, "twin", "duplicate"
        twin.entries.append(Entry(days.START, IN_SCHOOL, days.START))
        self.teller.duplicate(child, "2025-10", twin)

    # --- files -------------------------------------------------------------------------------------------

    def _files(self, everybody: list[Child]) -> Iterable[Told]:
        yield self._register(days.START, COUNTY, days.START, "", everybody)
        for last in days.month_ends():
            month = days.month_of(last)
            yield self._register(days.handed_in(month), COUNTY, days.file_day(month), month, everybody)
            far = last.replace(day=18)
            yield self._register(far, ELSEWHERE, far, month, everybody)
            if month in days.school_months():
                yield self._attendance(last, month)
        for day in sorted({each.told for child in self.children for each in child.relief} | {days.START}):
            yield self._relief(day)
        for day in sorted({each.told for child in everybody for each in child.assessments}):
            says = {child: each for child in everybody for each in child.assessments if each.told == day}
            yield Told(day, "disability-assessment", COUNTY, days.month_of(day), says)

    def _register(self, day: date, county: str, shows: date, month: str, everybody: list[Child]) -> Told:
        says = {
            child: entry
            for child in everybody
            if (entry := child.stands(county, shows)) and (county != COUNTY or month not in child.omitted)
        }
        return Told(day, "student-register", county, month, says)

    def _attendance(self, last: date, month: str) -> Told:
        """Every child in class, as the register had it when the month's was made; and what was wrong before."""
        says: dict[Child, list[tuple[str, Absence]]] = {}
        for child in self.children:
            if self._on_the_roll(child, month):
                says[child] = [(month, child.absences.get(month) or self._ordinary())]
                if month in child.corrections:
                    says[child].append(child.corrections[month])
        return Told(last, "attendance", COUNTY, month, says)

    def _on_the_roll(self, child: Child, month: str) -> bool:
        entry = child.stands(COUNTY, days.file_day(month))
        if entry is None or (child.story == "vanishes" and month in child.omitted):
            return False
        return entry.status == IN_SCHOOL or (entry.status in (ON_LEAVE, LEFT) and month in child.absences)

    def _ordinary(self) -> Absence:
        absent = self.rng.choices((0, 1, 2), (80, 15, 5))[0]
        return Absence(absent, min(absent, self.rng.randint(1, 2)))

    def _relief(self, day: date) -> Told:
        says = {child: each for child in self.children for each in child.relief if each.told == day}
        return Told(day, "relief-register", COUNTY, days.month_of(day), says)


def build(seed: int = 1, size: int = 5000) -> World:
    """The whole year of `size` children; the same seed tells the same."""
    return Builder(seed, size).world()
