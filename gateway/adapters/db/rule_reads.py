"""What the rules read inside the transaction that changed the facts."""

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import date

from gateway.adapters.db.children import many_facts
from gateway.domain.model import ChildFacts, SubjectId
from gateway.domain.rules import Assessment


class RuleReads:
    """The reading side of `gateway.domain.landing.RuleTransaction`."""

    _db: sqlite3.Connection

    def regions(self) -> list[str]:
        """Every county that has handed in anything."""
        return [row[0] for row in self._db.execute("SELECT DISTINCT region FROM upload ORDER BY region")]

    def doubtful_children(self, region: str, absence_days: int) -> dict[SubjectId, ChildFacts]:
        """Children of the county's register for whom a register rule may fire."""
        found = self._db.execute(
            "SELECT subject_id FROM student_register WHERE region = ?1"
            " AND status IN ('dropped_out', 'transferred_out')"
            " UNION SELECT subject_id FROM attendance WHERE region = ?1 AND excused = 0 AND longest_absence >= ?2",
            (region, absence_days),
        ).fetchall()
        facts = many_facts(self._db, (row[0] for row in found))
        return {SubjectId(subject): child for subject, child in facts.items()}

    def assessments(self, region: str) -> Iterator[tuple[Assessment, bool]]:
        """Each child's newest assessment by the county, and whether any register shows the child."""
        rows = self._db.execute(
            "SELECT subject_id, residence, max(assessed_on), suitability,"
            " EXISTS (SELECT 1 FROM student_register r WHERE r.subject_id = d.subject_id)"
            " FROM disability_assessment d WHERE region = ? GROUP BY subject_id",
            (region,),
        ).fetchall()
        for subject, residence, day, suitability, enrolled in rows:
            yield (
                Assessment(SubjectId(subject), region, residence, date.fromisoformat(day), suitability),
                bool(enrolled),
            )

    def standing_leads(self, region: str, rules: Sequence[str]) -> dict[tuple[SubjectId, str], str]:
        """Leads of these rules that are not closed: (child, rule) → lead id."""
        marks = ", ".join("?" * len(rules))
        return {
            (SubjectId(subject), rule): lead_id
            for subject, rule, lead_id in self._db.execute(
                f"SELECT subject_id, rule, id FROM lead WHERE region = ? AND status <> 'closed' AND rule IN ({marks})",
                (region, *rules),
            )
        }

    def facts(self, subjects: Sequence[SubjectId]) -> dict[SubjectId, ChildFacts]:
        """The facts of these children."""
        return {SubjectId(subject): child for subject, child in many_facts(self._db, subjects).items()}
