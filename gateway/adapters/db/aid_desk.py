"""Duties about relief and aid, set by set, over an open write transaction."""

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import date

from gateway.adapters.db.aid_rows import SqliteAidRows
from gateway.adapters.db.lists import years_before
from gateway.domain.aid import RELIEF, AidBook, PupilAid, Term, Told
from gateway.domain.aid_duties import ASSESS_RELIEF, Owed
from gateway.domain.model import SubjectId
from gateway.domain.needy import ADULT_AGE, GONE

_GONE = ", ".join(repr(state) for state in sorted(GONE))
_IN_FORCE = (
    "SELECT 1 FROM relief_register x WHERE x.subject_id = {child} AND x.from_date <= :today"
    " AND (x.to_date IS NULL OR x.to_date >= :today)"
)
_NEWLY_NEEDY = (
    "SELECT r.subject_id, r.residence, r.school_code FROM student_register r"
    " WHERE r.region = :region AND r.has_id = 1 AND r.birth_date > :adult"
    f" AND r.status NOT IN ({_GONE})"
    " AND (r.economic_hardship OR r.left_behind OR r.single_parent OR r.subject_id IN"
    " (SELECT l.subject_id FROM lead l WHERE l.region = :region AND l.status <> 'closed'"
    " AND l.rule IN ('registered-dropout', 'transfer-not-arrived')))"
    " AND r.subject_id NOT IN (SELECT c.subject_id FROM child_duty c"
    f" WHERE c.region = :region AND c.kind = '{ASSESS_RELIEF}')"
    f" AND NOT EXISTS ({_IN_FORCE.format(child='r.subject_id')})"
    f" AND EXISTS (SELECT 1 FROM upload u WHERE u.region = :region AND u.exchange = '{RELIEF}')"
    " ORDER BY r.subject_id"
)
_RELIEVED = (
    "SELECT c.id FROM child_duty c JOIN duty d ON d.id = c.id"
    f" WHERE c.region = :region AND c.kind = '{ASSESS_RELIEF}' AND d.status IN ('open', 'waiting')"
    f" AND EXISTS ({_IN_FORCE.format(child='c.subject_id')}) ORDER BY c.id"
)
_KEEP = "INSERT OR IGNORE INTO child_duty (region, kind, part, subject_id, id) VALUES (?, ?, ?, ?, ?)"


class SqliteAidDesk:
    """`gateway.domain.aid_duties.AidDesk`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._rows = SqliteAidRows(lambda: connection)

    def newly_needy(self, region: str, today: date) -> Sequence[Owed]:
        """Children in need, without relief, about whom no assessment was ever owed."""
        asked = {
            "region": region,
            "today": today.isoformat(),
            "adult": years_before(today, ADULT_AGE).isoformat(),
        }
        found = self._db.execute(_NEWLY_NEEDY, asked)
        return [Owed(SubjectId(subject), residence, school) for subject, residence, school in found]

    def relieved(self, region: str, today: date) -> Sequence[str]:
        """Standing assessments of children with relief in force."""
        found = self._db.execute(_RELIEVED, {"region": region, "today": today.isoformat()})
        return [row[0] for row in found.fetchall()]

    def enrolled(
        self, region: str, book: AidBook, term: Term, today: date
    ) -> Iterable[tuple[Owed, PupilAid]]:
        """Pupils of the county's register whom aid may be owed to or was paid to in the term."""
        for subject, pupil, residence, school in self._rows.enrolled(region, book, term, today):
            yield Owed(subject, residence, school), pupil

    def told(self, region: str, term: Term, today: date, stale_days: int) -> Told:
        """Which of the county's sources have spoken."""
        nothing = Told(hardship=False, relief=False, payments=False)
        return self._rows.told(region, term, today, stale_days).get(region, nothing)

    def standing(self, region: str, kind: str, part: str) -> dict[SubjectId, str]:
        """Child → duty."""
        found = self._db.execute(
            "SELECT subject_id, id FROM child_duty WHERE region = ? AND kind = ? AND part = ?",
            (region, kind, part),
        )
        return {SubjectId(subject): duty for subject, duty in found}

    def keep(self, region: str, kind: str, part: str, duties: Iterable[tuple[SubjectId, str]]) -> None:
        """Whose duties these are."""
        self._db.executemany(_KEEP, ((region, kind, part, *each) for each in duties))
