"""What the registers and the histories say of a county's open cases, set by set."""

import sqlite3
from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

import orjson

from gateway.adapters.db.cases import CASE, case_of
from gateway.adapters.predicate_sql import next_region
from gateway.domain.case import CaseFile
from gateway.domain.casefacts import Month, OpenCase, Unheeded
from gateway.domain.landing import Effect
from gateway.domain.model import SubjectId
from gateway.domain.observation import ASIDE

_INSIDE = "c.residence >= :region AND c.residence < :above AND c.region = :region"
_STANDS = f"json_extract(e.body, '$.{ASIDE}') IS NULL"
"""Not of a line that came along from another county into a case that was further on (`observation.standing`)."""
_OPEN = f"SELECT {CASE} FROM case_file c WHERE {_INSIDE} AND c.ended_on IS NULL"
_STEPS = (
    "SELECT e.case_ref, e.step, e.on_date, e.body FROM case_file c JOIN case_entry e ON e.case_ref = c.ref"
    f" WHERE {_INSIDE} AND c.ended_on IS NULL"
    " AND (e.number = 1 OR e.step IN ('verify', 'relapse', 'reopen', 'return', 'confirm'))"
    f" AND {_STANDS} ORDER BY e.case_ref, e.number"
)
_MONTHS = (
    "SELECT a.subject_id, a.month, a.days_expected, a.days_absent,"
    " CASE WHEN a.excused THEN 0 ELSE a.longest_absence END, COALESCE(u.law_date, '0001-01-01')"
    " FROM case_file c JOIN attendance a ON a.subject_id = c.subject_id AND a.region = c.region"
    f" LEFT JOIN upload u ON u.id = a.upload_id WHERE {_INSIDE} AND c.state = 'observing'"
)
_EXEMPT = (
    f"SELECT {CASE} FROM case_file c JOIN case_entry e ON e.case_ref = c.ref WHERE {_INSIDE} AND c.state = 'exempt'"
    " AND e.number = (SELECT max(n.number) FROM case_entry n WHERE n.case_ref = c.ref AND n.step = 'exempt')"
    " AND json_extract(e.body, '$.until') < :day"
)
_UNHEEDED = (
    f"SELECT i.id, i.due_on, {CASE} FROM instrument i JOIN case_file c ON c.ref = i.case_ref"
    f" WHERE {_INSIDE} AND c.ended_on IS NULL AND c.state IN ('sanctioned', 'referred') AND i.county = :region"
    " AND i.kind = 'enforcement-reminder' AND i.state = 'served' AND i.due_on < :day"
    # of a child who came back in between and left again, only what was issued since
    " AND i.issued_on >= COALESCE((SELECT max(e.on_date) FROM case_entry e WHERE e.case_ref = c.ref"
    " AND e.step = 'return'"
    f" AND {_STANDS}), '') ORDER BY i.id"
)
_OUT = {"verify": "found_on", "relapse": "relapsed_on"}
"""Steps that say the child was out of school, and the evidence that says on which day."""


class SqliteCaseFacts:
    """`gateway.domain.landing.CaseFactsDesk` over an open write transaction."""

    def __init__(self, connection: sqlite3.Connection, done: Counter[Effect]) -> None:
        self._db, self._done = connection, done

    def open_in(self, region: str) -> list[OpenCase]:
        """The county's open cases."""
        cases = [case_of(row) for row in self._db.execute(_OPEN, _binds(region))]
        said: dict[str, list[Sequence[Any]]] = {}
        for row in self._db.execute(_STEPS, _binds(region)):
            said.setdefault(row[0], []).append(row[1:])
        return [_open(case, said.get(case.ref, [])) for case in cases]

    def months(self, region: str) -> dict[SubjectId, list[Month]]:
        """The attendance of the children under observation."""
        found: dict[SubjectId, list[Month]] = {}
        for subject, month, expected, absent, longest, as_of in self._db.execute(_MONTHS, _binds(region)):
            line = Month(month, expected, absent, longest, date.fromisoformat(as_of))
            found.setdefault(SubjectId(subject), []).append(line)
        return found

    def exemptions_over(self, region: str, day: date) -> list[CaseFile]:
        """Exempt cases whose last day lies before `day`."""
        return [case_of(row) for row in self._db.execute(_EXEMPT, {**_binds(region), "day": day.isoformat()})]

    def unheeded(self, region: str, day: date) -> list[Unheeded]:
        """Reminders before enforcement whose last day lies before `day`, of cases in which nobody returned."""
        found = self._db.execute(_UNHEEDED, {**_binds(region), "day": day.isoformat()})
        return [Unheeded(id_, date.fromisoformat(due_on), case_of(case)) for id_, due_on, *case in found]

    def place(self, ref: str, residence: str, school: str | None) -> None:
        """Where the child lives and learns by now."""
        self._db.execute(
            "UPDATE case_file SET residence = ?, school = ? WHERE ref = ?", (residence, school, ref)
        )
        self._done["cases", "placed"] += 1


def _binds(region: str) -> dict[str, str]:
    return {"region": region, "above": next_region(region) or ":"}


def _open(case: CaseFile, steps: Sequence[Sequence[Any]]) -> OpenCase:
    floor, confirmed = date.min, set[int]()
    for step, on, text in steps:
        body = orjson.loads(text)
        if step == "confirm":
            confirmed.add(body["day"])
            continue
        if step == "return":
            confirmed = set()
            continue
        floor = max(floor, date.fromisoformat(body.get(_OUT.get(step, ""), on)))
    # A case of before there were histories: the day its state was entered.
    return OpenCase(case, floor if floor > date.min else case.since, frozenset(confirmed))
