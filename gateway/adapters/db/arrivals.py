"""Transfers within a county: its register holds one row a child, and the files of two schools come in any order."""

from collections.abc import Mapping, Sequence

from gateway.adapters.db.fact_tables import TABLES
from gateway.domain.model import SubjectId
from gateway.domain.schooling import IN_SCHOOL

_CONTENTS = TABLES["student-register"][2]
_SCHOOL, _STATUS, _ON = (_CONTENTS.index(name) for name in ("school_code", "status", "status_date"))


def late_departures(
    rows: Sequence[tuple[SubjectId, tuple[object, ...]]],
    standing: Mapping[tuple[object, ...], tuple[object, ...]],
) -> set[SubjectId]:
    """Children whom a former school reports as transferred out, after another school of the county enrolled them.

    The arrival stands: it is as new as the departure, or newer.
    """
    return {
        subject
        for subject, values in rows
        if values[_STATUS] == "transferred_out" and _arrived(standing.get((subject,)), values)
    }


def _arrived(known: tuple[object, ...] | None, leaving: tuple[object, ...]) -> bool:
    return (
        known is not None
        and known[_SCHOOL] != leaving[_SCHOOL]
        and known[_STATUS] in IN_SCHOOL
        and str(known[_ON]) >= str(leaving[_ON])
    )
