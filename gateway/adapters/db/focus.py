"""The focus groups of children, read from every source at once."""

import sqlite3
from collections.abc import Mapping
from datetime import date

from gateway.adapters.db.engine import Store
from gateway.domain.focus import MISCONDUCT, SOURCES, Focus, in_order
from gateway.domain.model import SubjectId

_FLAGS = ("economic_hardship", "left_behind", "single_parent")
_PARTS = (
    *(
        f"SELECT subject_id, '{flag}' AS focus, confirmed_on AS since FROM student_register r WHERE {flag} AND {{which}}"
        for flag in _FLAGS
    ),
    "SELECT subject_id, 'disability', assessed_on FROM disability_assessment r WHERE {which}",
    "SELECT subject_id, 'relief', from_date FROM relief_register r WHERE from_date <= :today"
    " AND (to_date IS NULL OR to_date >= :today) AND {which}",
    "SELECT subject_id, focus, from_date FROM focus_group r WHERE from_date <= :today"
    " AND (to_date IS NULL OR to_date >= :today) AND {which}",
)
_ALL = " UNION ALL ".join(_PARTS)
_LISTED = (
    f"SELECT subject_id, focus, since FROM ({_ALL.format(which='r.region = :region')})"
    f" WHERE focus <> '{MISCONDUCT}' ORDER BY subject_id"
)
_ONE = _ALL.format(which="r.region = :region AND r.subject_id = :subject")


class SqliteFocusGroups:
    """`gateway.domain.focus.FocusGroups` over the embedded store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of_region(self, region: str, today: date) -> Mapping[SubjectId, tuple[Focus, ...]]:
        """By child, from what the county handed in; misconduct is not even read."""
        found: dict[SubjectId, list[Focus]] = {}
        asked = {"region": region, "today": today.isoformat()}
        for subject, group, since in self._store.reader.execute(_LISTED, asked):
            found.setdefault(SubjectId(subject), []).append(_focus(group, since))
        return {subject: in_order(groups) for subject, groups in found.items()}

    def of_child(self, subject: SubjectId, region: str, today: date) -> tuple[Focus, ...]:
        """From that county's records alone: what another county knows comes with the child, by a hand-over."""
        return groups_of(self._store.reader, subject, region, today)


def groups_of(
    connection: sqlite3.Connection, subject: SubjectId, region: str, today: date
) -> tuple[Focus, ...]:
    """All groups of one child, misconduct too, as the connection sees that county's records."""
    asked = {"subject": subject, "region": region, "today": today.isoformat()}
    return in_order(_focus(group, since) for _, group, since in connection.execute(_ONE, asked))


def _focus(group: str, since: str) -> Focus:
    return Focus(group, SOURCES[group], date.fromisoformat(since))
