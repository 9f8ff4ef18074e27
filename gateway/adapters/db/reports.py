"""Reports as they are kept and made."""

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import orjson

from gateway.adapters.db.cases import CASE_COLUMNS
from gateway.adapters.db.engine import Store, stamp
from gateway.adapters.db.report_facts import LastingFigures, counties_of, summed
from gateway.adapters.db.report_figures import figures_of, today_or
from gateway.adapters.predicate_sql import to_sql
from gateway.domain.landing import Effect
from gateway.domain.model import SubjectId
from gateway.domain.package import ORIGIN
from gateway.domain.predicate import All, And, InRegion, Predicate
from gateway.domain.reporting import UNIT_DIGITS, Level, LostChild, Period, Report, ReportQuery
from schemas.codes.region import regions

_COLUMNS = {"region": "p.region", "school": "p.school", "owner": "NULL", "sealed": "FALSE"}
_REPORT = (
    "p.id, p.kind, p.region, p.school, p.unit, p.period, p.first, p.last, p.status, p.due_on, p.made_on, p.figures,"
    " p.missing, p.stated, p.signed_by, p.signed_on"
)
_SCHOOL = "SELECT name FROM school WHERE region = ? AND code = ?"
_LOST = (
    "SELECT c.subject_id, c.ref, c.residence, c.school, COALESCE(r.status_date, e.on_date, c.opened_on),"
    " COALESCE(r.status, e.step) FROM case_file c"
    " LEFT JOIN student_register r ON r.region = c.region AND r.subject_id = c.subject_id"
    " AND r.status IN ('dropped_out', 'transferred_out') AND r.status_date BETWEEN :first AND :last"
    " LEFT JOIN case_entry e ON e.case_ref = c.ref AND e.step = 'verify' AND e.on_date BETWEEN :first AND :last"
    f" AND json_extract(e.body, '$.{ORIGIN}') IS NULL"
    " WHERE c.region = :region AND c.state NOT IN ('wrong_report', 'duplicate') AND c.opened_on <= :last"
    " AND (c.ended_on IS NULL OR c.ended_on > :first)"
    " AND (r.subject_id IS NOT NULL OR e.case_ref IS NOT NULL) AND {where} GROUP BY c.ref ORDER BY c.ref"
)


def _report(row: Sequence[Any]) -> Report:
    return Report(
        id=row[0],
        kind=row[1],
        region=row[2],
        school=row[3],
        unit=row[4],
        period=Period(row[5], date.fromisoformat(row[6]), date.fromisoformat(row[7])),
        status=row[8],
        due_on=date.fromisoformat(row[9]),
        made_on=date.fromisoformat(row[10]),
        figures=orjson.loads(row[11]),
        missing=tuple(orjson.loads(row[12])),
        stated=orjson.loads(row[13]) if row[13] else None,
        signed_by=row[14],
        signed_on=today_or(row[15]),
    )


class SqliteReportDesk:
    """`gateway.domain.reporting.ReportDesk` over an open SQLite write transaction."""

    def __init__(self, connection: sqlite3.Connection, done: Counter[Effect]) -> None:
        self._db, self._done = connection, done

    def figures(
        self, level: Level, region: str, period: Period, absence_days: int
    ) -> Mapping[str, Mapping[str, int]]:
        """Unit → figure → count, of every unit of that level in the county, or of the sum of the unit's counties."""
        if level in ("school", "township", "county"):
            return figures_of(self._db, level, region, period, absence_days)
        unit = region[: UNIT_DIGITS[level]]
        found = [
            figures
            for county in self.counties(unit)
            for figures in figures_of(self._db, "county", county, period, absence_days).values()
        ]
        return {unit: summed(found)}

    def counties(self, within: str) -> list[str]:
        """Every county of that region that has handed in anything."""
        return counties_of(self._db, within)

    def counties_known(self, within: str) -> list[str]:
        """Counties of that region that exist today."""
        return [
            each.code
            for each in regions()
            if each.code.startswith(within) and each.level == "county" and each.valid_to is None
        ]

    def add(self, report: Report, at: datetime) -> bool:
        """Keeps it; False when it is there already."""
        made = self._db.execute(
            "INSERT INTO report (id, kind, region, school, unit, period, first, last, status, due_on, made_on,"
            " made_at, figures, missing) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO NOTHING",
            (
                report.id,
                report.kind,
                report.region,
                report.school,
                report.unit,
                report.period.label,
                report.period.first.isoformat(),
                report.period.last.isoformat(),
                report.status,
                report.due_on.isoformat(),
                report.made_on.isoformat(),
                stamp(at),
                orjson.dumps(dict(report.figures)).decode(),
                orjson.dumps(list(report.missing)).decode(),
            ),
        ).rowcount
        if made:
            self._done["reports", "made"] += 1
        return made == 1

    def sign(self, report: Report) -> bool:
        """Keeps signature and stated figures; False when somebody signed it before."""
        return (
            self._db.execute(
                "UPDATE report SET status = 'signed', stated = ?, signed_by = ?, signed_on = ?"
                " WHERE id = ? AND status = 'due'",
                (
                    orjson.dumps(dict(report.stated)).decode() if report.stated is not None else None,
                    report.signed_by,
                    report.signed_on.isoformat() if report.signed_on else None,
                    report.id,
                ),
            ).rowcount
            == 1
        )


class SqliteReports:
    """`gateway.domain.reporting.Reports` over the embedded store."""

    def __init__(self, store: Store) -> None:
        self._store, self._lasting = store, LastingFigures()

    def find(self, query: ReportQuery) -> list[Report]:
        """One page, ordered by id."""
        asked = InRegion("region", query.region) if query.region else All()
        where, binds = to_sql(And((query.rows, asked)), _COLUMNS)
        for column in ("period", "kind", "status"):
            value = getattr(query, column)
            if value is not None:
                where += f" AND p.{column} = :f_{column}"
                binds[f"f_{column}"] = value
        if query.after is not None:
            where += " AND p.id > :f_after"
            binds["f_after"] = query.after
        rows = self._store.reader.execute(
            f"SELECT {_REPORT} FROM report p WHERE {where} ORDER BY p.id LIMIT :f_limit",
            {**binds, "f_limit": query.limit},
        )
        return [_report(row) for row in rows]

    def get(self, report_id: str, rows: Predicate) -> Report | None:
        """The report, if it is among the rows the caller may see."""
        where, binds = to_sql(rows, _COLUMNS)
        row = self._store.reader.execute(
            f"SELECT {_REPORT} FROM report p WHERE p.id = :f_id AND {where}", {**binds, "f_id": report_id}
        ).fetchone()
        return _report(row) if row else None

    def facts_now(self, report: Report, level: Level, absence_days: int) -> Mapping[str, int]:
        """The lasting figures of its unit and period, counted again; above the county, of the counties it was made of."""
        return self._lasting.of(self._store.reader, report, level, absence_days)

    def school_name(self, report: Report) -> str | None:
        """What the register calls the school whose report it is."""
        row = self._store.reader.execute(_SCHOOL, (report.region, report.school)).fetchone()
        return str(row[0]) if row else None

    def lost(self, report: Report, rows: Predicate) -> list[LostChild]:
        """Whom a list of lost students names, as far as their cases are among the rows the caller may see."""
        where, binds = to_sql(rows, CASE_COLUMNS)
        values = {
            **binds,
            "region": report.region,
            "first": report.period.first.isoformat(),
            "last": report.period.last.isoformat(),
        }
        return [
            LostChild(SubjectId(row[0]), row[1], row[2], row[3], date.fromisoformat(row[4]), row[5])
            for row in self._store.reader.execute(_LOST.format(where=where), values)
        ]
