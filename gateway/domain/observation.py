"""The days after a return on which attendance is confirmed: what has been, what is missing, what a confirmation takes."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from gateway.domain.case import CaseBook, CaseEntry, CaseFile

RETURN, CONFIRM = "return", "confirm"
ASIDE = "_aside"
"""Marks a line that came along from another county into a case that was further on: told, but nothing stands on it."""


def standing(entries: Sequence[CaseEntry]) -> list[CaseEntry]:
    """The lines the case's state rests on."""
    return [entry for entry in entries if ASIDE not in entry.body]


def confirmed(entries: Sequence[CaseEntry]) -> Mapping[int, CaseEntry]:
    """Each day that was confirmed since the last return; what was confirmed before a relapse counts no more."""
    found: dict[int, CaseEntry] = {}
    for entry in standing(entries):
        if entry.step == RETURN:
            found = {}
        elif entry.step == CONFIRM:
            found[int(str(entry.body["day"]))] = entry
    return found


def missing(book: CaseBook, entries: Sequence[CaseEntry]) -> tuple[int, ...]:
    """The days still to be confirmed, in order."""
    done = confirmed(entries)
    return tuple(day for day in book.observation if day not in done)


def reached_on(case: CaseFile, day: int) -> date | None:
    """The law date on which that day of observation is there; None for a case that is not under observation."""
    return case.observed_from + timedelta(days=day) if case.observed_from else None
