"""The last law date that each county, prefecture and province has lived through, as the store knows it."""

import sqlite3
from datetime import date, timedelta

_FIRST = (
    "SELECT region, min(first) FROM (SELECT region, min(law_date) AS first FROM upload GROUP BY region"
    " UNION ALL SELECT region, min(since) FROM case_file GROUP BY region) GROUP BY region"
)
"""Of a county nobody has marked yet: the law date of the first thing that is known of it."""


_COUNTY, _WIDER = 6, (4, 2)


def lived_days(connection: sqlite3.Connection) -> dict[str, date]:
    """Each county's last day whose tasks are done."""
    return {**_first_days(connection), **_marks(connection, "day/")}


def lived_wide(connection: sqlite3.Connection) -> dict[str, date]:
    """The same of each prefecture and province with such a county; at first that of the first thing known there."""
    first: dict[str, date] = {}
    for county, day in _first_days(connection).items():
        for digits in _WIDER:
            unit = county[:digits]
            first[unit] = min(day, first.get(unit, day))
    return {**first, **_marks(connection, "wide/")}


def may_live(connection: sqlite3.Connection, region: str, day: date) -> bool:
    """Whether that county is yet to live `day`; of what is wider, whether it is the next and all its counties have."""
    counties = lived_days(connection)
    if len(region) == _COUNTY:
        last = counties.get(region)
        return last is not None and last < day
    behind = any(last < day for county, last in counties.items() if county.startswith(region))
    return not behind and lived_wide(connection).get(region) == day - timedelta(days=1)


def mark_key(region: str) -> str:
    """Under what the last day of a county, or of what is wider, is kept in `meta`."""
    return f"day/{region}" if len(region) == _COUNTY else f"wide/{region}"


def _first_days(connection: sqlite3.Connection) -> dict[str, date]:
    return {region: date.fromisoformat(day) for region, day in connection.execute(_FIRST)}


def _marks(connection: sqlite3.Connection, prefix: str) -> dict[str, date]:
    found = connection.execute(
        "SELECT substr(key, ?), value FROM meta WHERE substr(key, 1, ?) = ?",
        (len(prefix) + 1, len(prefix), prefix),
    )
    return {region: date.fromisoformat(day) for region, day in found}
