"""Work on children that is over (leads, cases and what hangs on them): what a purge finds, and takes.

What officers wrote stays as long as any case of the child in that county is open, or ended less than its period ago:
a lead closes when the child is back in class, months before its case does. Cases of one child in one county go together,
since a case bears the number of those before it; those of a merged case, not before the case it became a part of.
"""

import sqlite3
from collections.abc import Collection
from datetime import datetime

from gateway.adapters.db.engine import stamp
from gateway.adapters.db.purge_reads import going
from gateway.adapters.places import of_children
from gateway.domain.retention import Removed

_STANDS = "(c.ended_on IS NULL OR c.ended_on > :day)"
_OF = "c.subject_id = o.subject_id AND c.region = o.region"
_NO_CASE_STANDS = f"NOT EXISTS (SELECT 1 FROM case_file c WHERE {_OF} AND {_STANDS})"
_LEADS = (
    "lead o WHERE o.status = 'closed' AND o.updated_at <= :moment"
    f" AND {_NO_CASE_STANDS} AND NOT EXISTS (SELECT 1 FROM case_file c WHERE c.ref = o.case_ref AND {_STANDS})"
)
_CASES = (
    "case_file o WHERE NOT EXISTS (SELECT 1 FROM lead l WHERE l.region = o.region AND l.subject_id = o.subject_id)"
    f" AND {_NO_CASE_STANDS} AND NOT EXISTS (SELECT 1 FROM case_file m JOIN case_file c ON c.ref = m.merged_into"
    f" WHERE m.subject_id = o.subject_id AND m.region = o.region AND {_STANDS})"
)
_MINE = "o.subject_id IN (SELECT id FROM temp.going)"
_CHOSEN = "SELECT id FROM temp.chosen"
_WITH_LEAD = tuple(
    (table, f"{column} IN ({_CHOSEN})")
    for table, column in (("lead_event", "lead_id"), ("duty", "lead_id"), ("lead", "id"))
)
_WITH_CASE = (
    # what the receiver owes knows no case: it goes by what was sent, before that
    *(
        ("duty", f"id IN (SELECT duty FROM {sent} WHERE case_ref IN ({_CHOSEN}))")
        for sent in ("referral", "handover")
    ),
    *(
        (place.id, f"{place.through[0]} IN ({_CHOSEN})")
        for place in of_children()
        if place.through and place.through[1] == "case_file"
    ),
    ("resolution", f"case_ref IN ({_CHOSEN})"),
    ("case_file", f"ref IN ({_CHOSEN})"),
)


def _until(before: datetime) -> dict[str, str]:
    """Leads by the moment, cases by the day."""
    return {"moment": stamp(before), "day": before.date().isoformat()}


def children_of_work_over(connection: sqlite3.Connection, before: datetime) -> list[bytes]:
    """Children with a lead or case whose period was over at or before that moment."""
    found = connection.execute(
        f"SELECT o.subject_id FROM {_LEADS} UNION SELECT o.subject_id FROM {_CASES} ORDER BY 1",
        _until(before),
    )
    return [row[0] for row in found]


def drop_work_over(
    connection: sqlite3.Connection, subjects: Collection[bytes], before: datetime
) -> list[Removed]:
    """What is over of these children's work: their leads, and the cases that have none left."""
    going(connection, subjects)
    return [
        *_drop(connection, f"SELECT o.id FROM {_LEADS} AND {_MINE}", before, _WITH_LEAD),
        *_drop(connection, f"SELECT o.ref FROM {_CASES} AND {_MINE}", before, _WITH_CASE),
    ]


def _drop(
    connection: sqlite3.Connection, chosen: str, before: datetime, tables: Collection[tuple[str, str]]
) -> list[Removed]:
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS chosen (id TEXT PRIMARY KEY) WITHOUT ROWID")
    connection.execute("DELETE FROM temp.chosen")
    connection.execute(f"INSERT INTO temp.chosen {chosen}", _until(before))
    return [
        Removed(table, "leads", connection.execute(f"DELETE FROM {table} WHERE {which}").rowcount)
        for table, which in tables
    ]


def without_work(connection: sqlite3.Connection, subjects: Collection[bytes]) -> dict[bytes, bool]:
    """Those of the children with neither lead nor case left, and whether a duty of no lead still tells of them."""
    going(connection, subjects)
    found = connection.execute(
        "SELECT id, EXISTS (SELECT 1 FROM child_duty d WHERE d.subject_id = id) FROM temp.going"
        " WHERE id NOT IN (SELECT subject_id FROM lead) AND id NOT IN (SELECT subject_id FROM case_file)"
    )
    return {row[0]: bool(row[1]) for row in found.fetchall()}
