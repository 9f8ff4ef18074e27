"""Duties about relief and aid, set by set, over an open write transaction."""

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from datetime import date

from gateway.adapters.db.aid_rows import SqliteAidRows
from gateway.adapters.db.lists import one_of, years_before
from gateway.domain.aid import RELIEF, AidBook, PupilAid, Term, Told
from gateway.domain.aid_duties import ASSESS_RELIEF, PAY_AID, Owed
from gateway.domain.duties import Moot
from gateway.domain.model import SubjectId
from gateway.domain.needy import ADULT_AGE, GONE

_GONE = ", ".join(repr(state) for state in sorted(GONE))
_IN_FORCE = (
    "SELECT 1 FROM relief_register x WHERE x.subject_id = {child} AND x.from_date <= :today"
    " AND (x.to_date IS NULL OR x.to_date >= :today)"
)
_EVER_OUT = (
    "SELECT l.subject_id FROM lead l WHERE l.region = :region"
    " AND l.rule IN ('registered-dropout', 'transfer-not-arrived')"
)
"""Who is back in school may still have left it for want: the assessment that was owed then is owed on."""
_OUT = f"{_EVER_OUT} AND l.status <> 'closed'"
_NEWLY_NEEDY = (
    "SELECT r.subject_id, r.residence, r.school_code FROM student_register r"
    " WHERE r.region = :region AND r.has_id = 1 AND r.birth_date > :adult"
    f" AND r.status NOT IN ({_GONE})"
    f" AND (r.economic_hardship OR r.left_behind OR r.single_parent OR r.subject_id IN ({_OUT}))"
    " AND r.subject_id NOT IN (SELECT c.subject_id FROM child_duty c JOIN duty d ON d.id = c.id"
    f" WHERE c.region = :region AND c.kind = '{ASSESS_RELIEF}' AND d.status <> 'cancelled')"
    f" AND NOT EXISTS ({_IN_FORCE.format(child='r.subject_id')})"
    f" AND EXISTS (SELECT 1 FROM upload u WHERE u.region = :region AND u.exchange = '{RELIEF}')"
    " ORDER BY r.subject_id"
)
_RELIEVED = (
    "SELECT c.id FROM child_duty c JOIN duty d ON d.id = c.id"
    f" WHERE c.region = :region AND c.kind = '{ASSESS_RELIEF}' AND d.status IN ('open', 'waiting')"
    f" AND EXISTS ({_IN_FORCE.format(child='c.subject_id')}) ORDER BY c.id"
)
_ELSEWHERE = (
    "r.status <> 'enrolled' AND EXISTS (SELECT 1 FROM student_register o WHERE o.subject_id = c.subject_id"
    " AND o.region <> c.region AND o.status = 'enrolled')"
)
# What a register does not tell (NULL) ends no duty: each reason is positively there.
_MOOT = (
    "SELECT * FROM (SELECT c.id, CASE WHEN r.subject_id IS NULL THEN 'no-longer-known'"
    " WHEN r.status = 'deceased' THEN 'deceased'"
    f" WHEN c.kind <> '{ASSESS_RELIEF}' THEN NULL"
    f" WHEN r.status IN ({_GONE}) THEN r.status"
    " WHEN r.birth_date <= :adult THEN 'of-age'"
    f" WHEN {_ELSEWHERE} THEN 'enrolled-elsewhere'"
    " WHEN r.economic_hardship = 0 AND r.left_behind = 0 AND r.single_parent = 0"
    f" AND r.subject_id NOT IN ({_EVER_OUT}) THEN 'no-longer-needy' END AS why"
    " FROM child_duty c JOIN duty d ON d.id = c.id"
    " LEFT JOIN student_register r ON r.region = c.region AND r.subject_id = c.subject_id"
    " WHERE c.region = :region AND d.status IN ('open', 'waiting')) WHERE why IS NOT NULL ORDER BY id"
)
_PAID_SINCE = (
    "SELECT c.id FROM child_duty c JOIN duty d ON d.id = c.id"
    f" WHERE c.region = :region AND c.kind = '{PAY_AID}' AND instr(:terms, '|' || c.part || '|') = 0"
    " AND d.status IN ('open', 'waiting') AND EXISTS (SELECT 1 FROM aid_payment p JOIN upload u ON u.id = p.upload_id"
    " WHERE p.region = c.region AND p.subject_id = c.subject_id AND p.term = c.part"
    " AND u.received_at >= d.opened_at) ORDER BY c.id"
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

    def moot(self, region: str, today: date) -> Sequence[Moot]:
        """Standing duties of relief and aid that a register has made pointless, each with why."""
        asked = {
            "region": region,
            "adult": years_before(today, ADULT_AGE).isoformat(),
        }
        return [Moot(*row) for row in self._db.execute(_MOOT, asked).fetchall()]

    def paid_since(self, region: str, terms: Collection[str]) -> Sequence[str]:
        """Standing duties to pay of other terms than these for which a payment was handed in since."""
        found = self._db.execute(_PAID_SINCE, {"region": region, "terms": one_of(terms)})
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
        """Child → duty, unless it was cancelled."""
        found = self._db.execute(
            "SELECT c.subject_id, c.id FROM child_duty c JOIN duty d ON d.id = c.id"
            " WHERE c.region = ? AND c.kind = ? AND c.part = ? AND d.status <> 'cancelled'",
            (region, kind, part),
        )
        return {SubjectId(subject): duty for subject, duty in found}

    def keep(self, region: str, kind: str, part: str, duties: Iterable[tuple[SubjectId, str]]) -> None:
        """Whose duties these are."""
        self._db.executemany(_KEEP, ((region, kind, part, *each) for each in duties))
