"""Who owed what by when, from what happened: the rows of the design's table of duties, as sentences.

* A lead: the school (or, where it is unknown, the township) makes the first contact within three working days.
* A month of absence over the threshold: the school verifies and reports it the same day.
* Transferred out and enrolled nowhere: the county finds where the child is, within thirty days.
* Assessed able to attend, in no register: the county places the child within thirty days.
* An employer asked about a child under sixteen: labour inspection visits within three working days.
* Found to be true: a plan within five working days. Back in school: a placement on record within five.
* Served: the child is back within seven days; reminded: within ten more.
* Referred: justice accepts or rejects within five working days. Handed over to another county: seen through within 30.
* In need and without relief, once civil affairs has told who has it: civil affairs assesses within thirty days.
* Under observation: attendance is confirmed within five working days of the 30th, 60th and 120th day.

Nobody owes twice for one thing. A first contact ends with a visit; whatever is owed to find out what the matter is
ends when it is found out; everything about the return ends with it; what a lead began is done when registers show the
child in school again; and what is left ends with the case, or goes into the case of which it was a duplicate.

On the day after its last day a duty goes one level up, and one more after each further five working days: from a school
to the child's township, to the county's education bureau, to the prefecture's and the province's; any other agency's
goes from its county up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from tests.acceptance.school_year import days
from tests.acceptance.school_year.known import Event
from tests.acceptance.school_year.people import COUNTY, Child

OF_LEAD = {
    "registered-dropout": (),
    "absence-threshold": ("absence-report",),
    "transfer-not-arrived": ("transfer-check",),
    "placement-missing": ("placement",),
    "applicant-under-16": ("labour-visit",),
}
WORKING = {
    "first-contact": 3,
    "labour-visit": 3,
    "make-plan": 5,
    "record-placement": 5,
    "referral-decision": 5,
    "confirm-attendance": 5,
}
CALENDAR = {
    "absence-report": 0,
    "transfer-check": 30,
    "placement": 30,
    "guardian-return": 7,
    "handover-follow-up": 30,
    "assess-relief": 30,
    "reminder-return": 10,
    "court-application": 90,
}
ELSEWHERE_OWED = {
    "labour-visit": "human_resources",
    "referral-decision": "justice",
    "assess-relief": "civil_affairs",
}
WITHOUT_CASE = {"referral-decision", "assess-relief"}
"""Owed by who must not know a case: it ends with no case either."""
BEGINS = {
    ("step", "verify"): ("make-plan",),
    ("step", "return"): ("record-placement",),
    ("step", "relapse"): ("first-contact",),
    ("notice", "return-order"): ("guardian-return",),
    ("notice", "enforcement-reminder"): ("reminder-return",),
    ("unheeded", ""): ("court-application",),
    ("refer", ""): ("referral-decision",),
    ("hand_over", ""): ("handover-follow-up",),
    ("needy", ""): ("assess-relief",),
    ("watch", ""): ("confirm-attendance",),
}
FOUND_OUT = {"first-contact", "absence-report", "transfer-check"}
ENDS = {
    ("visit", ""): {"first-contact"},
    ("step", "verify"): FOUND_OUT,
    ("step", "persuade"): {"make-plan", "first-contact"},
    ("step", "return"): FOUND_OUT
    | {"make-plan", "placement", "guardian-return", "reminder-return", "court-application"},
    ("notice", "enforcement-reminder"): {"guardian-return"},
    ("step", "observe"): {"record-placement"},
    ("step", "confirm"): {"confirm-attendance"},
    ("step", "relapse"): {"record-placement", "confirm-attendance"},
    ("relieved", ""): {"assess-relief"},
    ("accept", ""): {"referral-decision"},
    ("hand_over_accepted", ""): {"handover-follow-up"},
}


@dataclass(slots=True)
class Owed:
    """A duty: done on `done` or, with the case ended, owed no more."""

    child: Child | None
    kind: str
    began: date
    due: date
    done: date | None = None
    dropped: date | None = None
    lead: str = ""
    owner: str = ""

    def level(self, day: date) -> str | None:
        """Whom it went up to by the end of a day, while it was owed."""
        last = min(each for each in (day, self.done, self.dropped) if each)
        above, up = _above(self), self.due + days.ONE
        reached = None
        while up <= last and above:
            reached, up = above.pop(0), days.after_working_days(up, 5)
        return reached

    def standing(self, day: date) -> str:
        """How it stands at the end of a day: owed, overdue, done, dropped."""
        if self.done and self.done <= day:
            return "done"
        if self.dropped and self.dropped <= day:
            return "dropped"
        return "overdue" if self.due < day else "owed"


def _above(duty: Owed) -> list[str]:
    """Everybody above the owner, the nearest first."""
    agency = duty.owner if duty.owner in ELSEWHERE_OWED.values() else "education"
    found = [f"{agency}@{COUNTY[:4]}", f"{agency}@{COUNTY[:2]}"]
    if duty.owner in ("school", "township"):
        found.insert(0, f"education@{COUNTY}")
    if duty.owner == "school" and duty.child is not None:
        found.insert(0, f"township@{duty.child.township}")
    return found


def _owner(kind: str, registered: bool) -> str:
    """A school that is not known owes nothing: then it is the township's."""
    if kind in ("first-contact", "absence-report", "record-placement", "confirm-attendance"):
        return "school" if registered else "township"
    if kind in ("make-plan", "guardian-return", "reminder-return"):
        return "township"
    return ELSEWHERE_OWED.get(kind, "education")


def due(kind: str, began: date) -> date:
    """The last day of a duty that begins on a day."""
    if kind in WORKING:
        return days.after_working_days(began, WORKING[kind])
    return began + timedelta(days=CALENDAR[kind])


def owed(events: Iterable[Event], today: date) -> list[Owed]:
    """All duties that ever began by the end of `today`."""
    found: list[Owed] = []
    watched: set[tuple[Child, str]] = set()
    for event in events:
        if event.day > today or (event.what == "watch" and (event.child, event.name) in watched):
            continue
        _end(found, event)
        if event.what == "watch":
            watched.add((event.child, event.name))
        found += [_new(event, kind) for kind in _begun(event)]
    return found


def _begun(event: Event) -> tuple[str, ...]:
    if event.what == "lead":
        return ("first-contact", *OF_LEAD[event.name])
    return BEGINS.get((event.what, "" if event.what == "watch" else event.name), ())


def _new(event: Event, kind: str) -> Owed:
    owner, lead = _owner(kind, event.enrolled), event.name if event.what == "lead" else ""
    return Owed(event.child, kind, event.day, due(kind, event.since), lead=lead, owner=owner)


def _end(found: list[Owed], event: Event) -> None:
    kinds = ENDS.get((event.what, event.name), set())
    for duty in found:
        if duty.child is event.child and duty.done is None and duty.dropped is None:
            if duty.kind in kinds or (event.what == "back" and duty.lead == event.name):
                duty.done = event.day
            elif event.what == "moot" and duty.kind == "assess-relief":
                duty.dropped = event.day
            elif duty.kind in WITHOUT_CASE:
                continue
            elif event.into is not None:
                duty.child = event.into
            elif event.what == "ended" or (event.what == "gone" and duty.lead == event.name):
                duty.dropped = event.day
