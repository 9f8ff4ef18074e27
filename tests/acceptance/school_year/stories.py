"""What happens to single children: each story is told once by name, on fixed days, and to others on drawn ones.

A story writes what registers and classes will say of its child, and what officers do about it and when.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from tests.acceptance.school_year import days
from tests.acceptance.school_year.people import (
    DEAD,
    DEFERRED,
    ELSEWHERE,
    EXEMPT,
    GRADUATED,
    IN_SCHOOL,
    LEFT,
    ON_LEAVE,
    OUT,
    PRIMARY,
    Absence,
    Act,
    Assessment,
    Child,
    Entry,
)

OBSERVED = (30, 60, 120)
"""Days after the return on which attendance is looked at; the last one ends the case."""


def after(day: date, count: int) -> date:
    """The first office day at least `count` days after `day`."""
    return days.office(day + timedelta(days=count))


class Teller:
    """Tells stories; what officers do is gathered in `acts`."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.acts: list[Act] = []

    def do(self, day: date, child: Child, what: str, **more: Any) -> None:
        if day <= days.END:
            self.acts.append(Act(day, child, what, more))

    def enters(self, child: Child, day: date, status: str, since: date | None = None, **more: str) -> None:
        child.entries.append(Entry(day, status, since or day, **more))

    def step(self, day: date, child: Child, name: str, **more: Any) -> None:
        self.do(day, child, "step", name=name, **more)

    # --- pieces ------------------------------------------------------------------------------------------

    def is_away(self, child: Child, month: str, longest: int | None = None) -> date:
        """Stays away from class; the day on which the month's attendance tells."""
        longest = longest or self.rng.randint(5, 12)
        longest = min(longest, days.school_days(month))
        child.absences[month] = Absence(longest, longest)
        return days.end_of(month)

    def is_sought(self, child: Child, known: date) -> date:
        """First contact, found to be out of school indeed, spoken to with a plan; the day of the last of it."""
        self.do(after(known, 2), child, "visit", result="refused")
        self.step(after(known, 4), child, "verify")
        self.step(after(known, 9), child, "persuade")
        self.do(after(known, 14), child, "visit", result="agreed")
        return after(known, 14)

    def comes_back(self, child: Child, day: date, registered_out: bool = False, until: int = 120) -> date:
        """Back in class from `day` on, and watched for `until` days; the day the case ends."""
        self.step(day, child, "return")
        self.step(day, child, "observe", placement="mainstream")
        if registered_out:
            self.enters(child, day, IN_SCHOOL)
        for count in OBSERVED:
            if count <= until:
                self.step(after(day, count), child, "confirm", number=count)
        ends = after(day, until)
        if until == OBSERVED[-1]:
            self.step(ends, child, "close")
        return ends

    # --- absence -----------------------------------------------------------------------------------------

    def absent(self, child: Child, month: str) -> None:
        """Away from class, sought, back within weeks, watched, closed."""
        known = self.is_away(child, month)
        back = after(self.is_sought(child, known), 3)
        self.comes_back(child, back)

    def absent_into_next_month(self, child: Child, month: str) -> None:
        """The month of the return shows the rest of the same absence: nothing new."""
        known = self.is_away(child, month, 6)
        back = after(self.is_sought(child, known), 3)
        self.is_away(child, days.month_of(back), 8)
        self.comes_back(child, back)

    def false_alarm(self, child: Child, month: str) -> None:
        """The class forgot the doctor's note: out of the ledger on evidence, the class corrects its month."""
        known = self.is_away(child, month, 6)
        self.do(after(known, 2), child, "visit", result="other")
        self.step(after(known, 4), child, "dismiss", finding="excused")
        child.corrections[days.month_of(known + days.ONE)] = (month, Absence(6, 6, "病假"))

    def neglected(self, child: Child, month: str) -> None:
        """Away month after month, and nobody does anything."""
        for each in days.school_months():
            if each >= month:
                self.is_away(child, each)

    def deferred(self, child: Child, month: str) -> None:
        """Away because ill; the bureau approves a deferral, the register shows it."""
        known = self.is_away(child, month)
        self.do(after(known, 2), child, "visit", result="needs_help")
        self.step(after(known, 4), child, "verify")
        day = after(known, 12)
        self.step(day, child, "exempt", approval=f"丘教缓〔{day.year}〕{child.number}号")
        self.enters(child, day, DEFERRED)

    def relapse(self, child: Child, month: str) -> None:
        """Closed after four months of watching; away again two months later: a case of its own."""
        known = self.is_away(child, month)
        closed = self.comes_back(child, after(self.is_sought(child, known), 3))
        again = self.is_away(child, days.month_of(closed + timedelta(days=31)))
        self.comes_back(child, after(self.is_sought(child, again), 3))

    def relapse_while_watched(self, child: Child, month: str) -> None:
        """Away again while still watched: the same case goes back to persuading."""
        known = self.is_away(child, month)
        back = after(self.is_sought(child, known), 3)
        self.comes_back(child, back, until=30)
        again = self.is_away(child, days.month_of(after(back, 31) + timedelta(days=16)))
        self.do(after(again, 2), child, "visit", result="refused")
        self.step(after(again, 4), child, "persuade")
        self.comes_back(child, after(again, 14))

    def relapse_seen(self, child: Child, month: str) -> None:
        """Away again while watched, and the township sees it before any file tells."""
        back = after(self.is_sought(child, self.is_away(child, month)), 3)
        self.comes_back(child, back, until=30)
        seen = after(back, 45)
        self.step(seen, child, "relapse")
        self.do(seen, child, "visit", result="refused")
        self.step(after(seen, 4), child, "persuade")
        self.comes_back(child, after(seen, 12))

    def graduated_mid_case(self, child: Child, month: str) -> None:
        """Spoken to when the class leaves school: graduates with it."""
        self.is_sought(child, self.is_away(child, month))
        self.enters(child, date(2026, 7, 5), GRADUATED)
        self.do(date(2026, 7, 13), child, "step", name="graduate")

    def duplicate(self, child: Child, month: str, twin: Child) -> None:
        """Two rows of one child, one of them without an id: two cases, one of which is the other."""
        self.absent(child, month)
        known = self.is_away(twin, month)
        twin.absences[month] = child.absences[month]
        self.step(after(known, 2), twin, "merge", of=child)

    # --- registered dropouts -----------------------------------------------------------------------------

    def drops_out(self, child: Child, month: str) -> date:
        """Registered as dropped out; the day on which the register tells."""
        left = days.file_day(month) - timedelta(days=self.rng.randint(2, 20))
        self.enters(child, left, OUT)
        return days.handed_in(month)

    def dropout(self, child: Child, month: str) -> None:
        """Registered, sought, back."""
        known = self.drops_out(child, month)
        back = after(self.is_sought(child, known), 6)
        self.comes_back(child, back, registered_out=True)

    def back_by_register(self, child: Child, month: str) -> None:
        """Registered and sought; that the child is back is first seen in the register."""
        last = self.is_sought(child, self.drops_out(child, month))
        self.enters(child, last + timedelta(days=2), IN_SCHOOL)
        told = after(days.file_day(days.month_of(last + timedelta(days=7))), 1)
        self.step(told, child, "observe", placement="mainstream")
        for count in OBSERVED:
            self.step(after(last, count + 9), child, "confirm", number=count)
        self.step(after(last, 129), child, "close")

    def dropout_lasting(self, child: Child, month: str) -> None:
        """Registered, sought all year, never back."""
        known = self.drops_out(child, month)
        last = self.is_sought(child, known)
        for weeks in range(6, 30, 6):
            self.do(after(last, 7 * weeks), child, "visit", result="refused")

    def dies(self, child: Child, month: str) -> None:
        """Dies while spoken to."""
        known = self.drops_out(child, month)
        last = self.is_sought(child, known)
        self.enters(child, last, DEAD)
        self.step(after(last, 4), child, "decease")

    def moves_mid_case(self, child: Child, month: str) -> None:
        """The family moves to another county while spoken to; that county takes the case and shows the child."""
        known = self.is_away(child, month)
        last = self.is_sought(child, known)
        moved = last.replace(day=22)
        self.enters(child, moved, LEFT)
        there = days.month_end(moved) + timedelta(days=12)
        self.enters(child, there, IN_SCHOOL, county=ELSEWHERE)
        self.do(after(moved, 10), child, "hand_over")
        self.do(days.office(there + days.ONE), child, "hand_over_accepted")

    # --- notices -----------------------------------------------------------------------------------------

    def is_served(self, child: Child, month: str) -> date:
        """Registered, sought in vain, and the guardian is served to return the child within seven days."""
        last = self.is_sought(child, self.drops_out(child, month))
        day = after(last, 7)
        self.do(day, child, "notice", kind="return-order")
        return day

    def notice_obeyed(self, child: Child, month: str) -> None:
        """The guardian brings the child back within the seven days."""
        served = self.is_served(child, month)
        self.comes_back(child, after(served, 4), registered_out=True)

    def notice_ignored(self, child: Child, month: str) -> None:
        """Seven days, a demand and ten more, and nothing: justice is asked, takes it, the court speaks; back."""
        served = self.is_served(child, month)
        demanded = after(served, 8)
        self.do(demanded, child, "notice", kind="enforcement-reminder")
        referred = after(demanded, 11)
        self.do(referred, child, "refer")
        self.do(after(referred, 1), child, "accept")
        ruled = after(referred, 40)
        self.do(ruled, child, "outcome", outcome="court")
        self.comes_back(child, after(ruled, 4), registered_out=True)

    def sanctioned(self, child: Child, month: str) -> None:
        """A reminder after the seven days does it."""
        served = self.is_served(child, month)
        day = after(served, 8)
        self.do(day, child, "notice", kind="enforcement-reminder")
        self.comes_back(child, after(day, 10), registered_out=True)

    # --- transfers ---------------------------------------------------------------------------------------

    def changes_school(self, child: Child, month: str) -> None:
        """Leaves on the day the register is made and is in the next month's, thirty days later: in time."""
        left = days.file_day(month)
        self.enters(child, left, LEFT)
        new = next(each[0] for each in PRIMARY if each != child.school)
        self.enters(child, left + timedelta(days=28), IN_SCHOOL, left + timedelta(days=9), school=new)

    def leaves_county(self, child: Child, month: str) -> None:
        """Another county's register shows the child within the thirty days."""
        left = days.file_day(month) - timedelta(days=self.rng.randint(1, 4))
        self.enters(child, left, LEFT)
        self.enters(child, left + timedelta(days=9), IN_SCHOOL, county=ELSEWHERE)

    def never_arrives(self, child: Child, month: str) -> None:
        """In no register after thirty days; found in the end, and back in a school of the county."""
        left = days.file_day(month) - timedelta(days=self.rng.randint(2, 9))
        self.enters(child, left, LEFT)
        overdue = left + timedelta(days=31)
        self.do(after(overdue, 3), child, "visit", result="not_found")
        self.step(after(overdue, 12), child, "verify")
        self.step(after(overdue, 30), child, "persuade")
        self.comes_back(child, after(overdue, 62), registered_out=True)

    def lost(self, child: Child, month: str) -> None:
        """In no register after thirty days, and never found."""
        left = days.file_day(month) - timedelta(days=self.rng.randint(2, 9))
        self.enters(child, left, LEFT)

    # --- others ------------------------------------------------------------------------------------------

    def applicant(self, child: Child, month: str) -> None:
        """An employer asks about a child who is in school: labour inspection visits, and it was nothing."""
        asked = days.office(days.file_day(month))
        self.do(asked, child, "ask")
        self.do(after(asked, 3), child, "visit", result="other")
        self.step(after(asked, 8), child, "dismiss", finding="in_school")

    def placed(self, child: Child, month: str) -> None:
        """Assessed able to attend, in no register; placed within the thirty days, and the next register shows it."""
        told = days.office(date.fromisoformat(month + "-03"))
        child.assessments.append(Assessment(told, told - timedelta(days=6), "可随班就读"))
        self.do(after(told, 3), child, "visit", result="agreed")
        self.step(after(told, 3), child, "verify")
        self.step(after(told, 9), child, "persuade")
        self.comes_back(child, after(told, 14), registered_out=True)

    def taught_at_home(self, child: Child, month: str) -> None:
        """Assessed for teaching at home, and in no register all year."""
        told = days.office(date.fromisoformat(month + "-03"))
        child.assessments.append(Assessment(told, told - timedelta(days=6), "建议送教上门"))

    def in_register(self, status: str) -> Callable[[Child, str], None]:
        """A child whose register shows another state from some day on, and nothing else happens."""

        def story(child: Child, month: str) -> None:
            self.enters(child, days.file_day(month) - timedelta(days=self.rng.randint(1, 9)), status)
            if status == ON_LEAVE and self.rng.random() < 0.5:
                child.absences["2026-06"] = Absence(9, 9)

        return story

    def excused(self, child: Child, month: str) -> None:
        """Away for long, with a reason."""
        child.absences[month] = Absence(9, 7, "病假")

    def four_days(self, child: Child, month: str) -> None:
        """One day short of the threshold."""
        child.absences[month] = Absence(4, 4)

    def left_out_once(self, child: Child, month: str) -> None:
        """One month's register leaves the child out."""
        child.omitted.add(month)

    def vanishes(self, child: Child, month: str) -> None:
        """Every register from some month on leaves the child out, and the class too."""
        child.omitted |= {each for each in map(days.month_of, days.month_ends()) if each >= month}

    def left_out_mid_case(self, child: Child, month: str) -> None:
        """Registered as dropped out, and the next register does not show the child at all."""
        self.dropout_lasting(child, month)
        following = days.month_end(days.end_of(month) + days.ONE)
        child.omitted.add(days.month_of(following))


SIMPLE = {"on_leave": ON_LEAVE, "exempted": EXEMPT, "died": DEAD}
"""Stories that are one state of the register and nothing more."""
