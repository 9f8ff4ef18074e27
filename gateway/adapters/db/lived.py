"""The last law date that each county has lived through, as the store knows it."""

import sqlite3
from datetime import date

_FIRST = (
    "SELECT region, min(first) FROM (SELECT region, min(law_date) AS first FROM upload GROUP BY region"
    " UNION ALL SELECT region, min(since) FROM case_file GROUP BY region) GROUP BY region"
)
"""Of a county nobody has marked yet: the law date of the first thing that is known of it."""


def lived_days(connection: sqlite3.Connection) -> dict[str, date]:
    """Each county's last day whose tasks are done."""
    found = dict(connection.execute(_FIRST).fetchall())
    marks = connection.execute("SELECT substr(key, 5), value FROM meta WHERE key LIKE 'day/%'")
    return {region: date.fromisoformat(day) for region, day in {**found, **dict(marks.fetchall())}.items()}
