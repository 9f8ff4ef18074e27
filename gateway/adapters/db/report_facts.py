"""What reports are held against: a county's lasting figures, counted once for everybody who reads, until facts change."""

import sqlite3
import threading
from collections.abc import Mapping, Sequence

from gateway.adapters.db.report_figures import figures_of
from gateway.adapters.db.settling import purges_of
from gateway.domain.predicate import COUNTY_DIGITS
from gateway.domain.reporting import UNIT_DIGITS, Level, Period, Report

_STAMP = (
    "SELECT (SELECT count(*) FROM upload), (SELECT count(*) FROM case_entry),"
    " (SELECT value FROM meta WHERE key = 'day/' || ?)"
)
"""Whatever changes a lasting figure is a file, a line in a case's history, a day that was lived, or a purge."""
_KEPT = 256
_Figures = Mapping[str, Mapping[str, int]]
_Stamp = tuple[object, ...]


class LastingFigures:
    """For worker threads; the newest of each county, level and period is kept, up to a bound."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, Level, Period, int], tuple[_Stamp, _Figures]] = {}
        self._seen = _Seen()

    def of(self, db: sqlite3.Connection, report: Report, level: Level, absence_days: int) -> dict[str, int]:
        """The unit's figures; of a prefecture or province, summed over the counties the report was made of."""
        if level not in ("prefecture", "province"):
            return dict(
                self._county(db, level, report.region[:COUNTY_DIGITS], report.period, absence_days).get(
                    report.unit, {}
                )
            )
        found = [
            figures
            for county in _counties(db, report, level)
            for figures in self._county(db, "county", county, report.period, absence_days).values()
        ]
        return summed(found)

    def _county(
        self, db: sqlite3.Connection, level: Level, county: str, period: Period, absence_days: int
    ) -> _Figures:
        key = (county, level, period, absence_days)
        stamp = self._stamp(db, county)
        kept = self._kept.get(key)
        if kept is not None and kept[0] == stamp:
            return kept[1]
        found = figures_of(db, level, county, period, absence_days, lasting_only=True)
        if len(self._kept) >= _KEPT:
            self._kept.clear()
        self._kept[key] = (stamp, found)
        return found

    def _stamp(self, db: sqlite3.Connection, county: str) -> _Stamp:
        seen, version = self._seen, int(db.execute("PRAGMA data_version").fetchone()[0])
        if version != seen.version:
            seen.version, seen.stamps = version, {}
        if county not in seen.stamps:
            seen.stamps[county] = (*db.execute(_STAMP, (county,)).fetchone(), purges_of(db))
        return seen.stamps[county]


class _Seen(threading.local):
    """What one thread's connection saw of each county when nobody had committed anything since."""

    def __init__(self) -> None:
        self.version = -1
        self.stamps: dict[str, _Stamp] = {}


def summed(found: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """Each figure that every one of them tells: a sum without one of its parts would be no sum."""
    told = set.intersection(*(set(figures) for figures in found)) if found else set[str]()
    return {name: sum(figures[name] for figures in found) for name in told}


def counties_of(db: sqlite3.Connection, within: str) -> list[str]:
    """Every county of that region that has handed in anything."""
    rows = db.execute(
        "SELECT DISTINCT region FROM upload WHERE substr(region, 1, ?) = ? ORDER BY region",
        (len(within), within),
    )
    return [row[0] for row in rows]


def _counties(db: sqlite3.Connection, report: Report, level: Level) -> list[str]:
    within = report.unit[: UNIT_DIGITS[level]]
    return [county for county in counties_of(db, within) if county not in report.missing]
