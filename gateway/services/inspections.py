"""What labour inspection hands in: looked over before it lands, and what follows from it, in the same transaction.

A confirmed sighting is a lead at education; an inspection that came to a finding is the visit that was owed; confirmed
hits that come too often are a duty of market regulation.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from gateway.domain.disclosure import SYSTEM_ROLE
from gateway.domain.duties import Moot
from gateway.domain.inspections import CONFIRMED, PENDING, Found, Inspected
from gateway.domain.landing import Conflict, RegisterTransaction, Tally
from gateway.domain.model import ChildFacts, DutyDraft, SubjectId
from gateway.domain.rows import Fact
from gateway.domain.rulebook import Rulebook
from gateway.domain.sheet import Reading, RowFlaw
from gateway.services.opening import Opening, draft_of

DATASET = "sightings"
SIGHTED = "sighted-at-work"
VISIT = "labour-visit"
REPEATED = "repeated-employer"

Row = tuple[SubjectId | None, Found]


def look_over(reading: Reading, reach: str) -> None:
    """Refuse rows about places outside the inspector's reach, before anybody of theirs is looked up; warn of hits
    that name no child."""
    inside = [str(region).startswith(reach) for region in reading.column("region")]
    outside = [number for number, here in zip(reading.numbers, inside, strict=True) if not here]
    if outside:
        reading.flaws.extend(_flaw(reading, number, "region", "outside_reach") for number in outside)
        kept = [index for index, here in enumerate(inside) if here]
        reading.numbers = [reading.numbers[index] for index in kept]
        reading.columns = {name: [cells[index] for index in kept] for name, cells in reading.columns.items()}
    reading.flaws.sort(key=lambda flaw: flaw.row)
    reading.warnings.extend(_unnamed(reading))


def _unnamed(reading: Reading) -> Iterator[RowFlaw]:
    cells = zip(reading.numbers, reading.column("finding"), reading.column("id_number"), strict=True)
    for number, finding, id_number in cells:
        if finding == CONFIRMED and id_number is None:
            yield _flaw(reading, number, "id_number", "child_not_named")


def _flaw(reading: Reading, number: int, name: str, code: str) -> RowFlaw:
    return RowFlaw(number, reading.dataset.by_name[name].header, code, name, "")


def rows_of(
    reading: Reading, people: Sequence[SubjectId | Conflict | None], facts: Sequence[Fact]
) -> list[Row]:
    """Each row with its child, or with nobody where it names none; `people` are those of the rows that do."""
    found, rows = iter(people), []
    for number, id_number, fact in zip(reading.numbers, reading.column("id_number"), facts, strict=True):
        subject = next(found) if id_number is not None else None
        if isinstance(subject, Conflict) or (subject is None and id_number is not None):
            reading.flaws.append(_flaw(reading, number, "id_number", "identity_conflict"))
            continue
        rows.append((subject, Found(*fact)))  # type: ignore[arg-type]
    return rows


def land(transaction: RegisterTransaction, region: str, rows: Sequence[Row], upload_id: str) -> Tally:
    """Write them down."""
    accepted = transaction.inspections.merge(region, rows, upload_id)
    return Tally(accepted, len(rows) - accepted)


class Enforcement:
    """What follows from the rows that one file brought or changed, on one law date."""

    def __init__(self, rulebook: Rulebook, today: date, now: datetime) -> None:
        self._book, self._today, self._now = rulebook, today, now

    def run(self, transaction: RegisterTransaction, region: str, upload_id: str, by: str) -> None:
        """Leads, visits done, repeated employers; `by` is who handed the file in."""
        book = self._book.of(region)
        brought = transaction.inspections.brought_by(upload_id)
        self._children(transaction, book, region, brought)
        for row in brought:
            if row.finding != PENDING:
                self._visited(transaction, book, region, row, by)
        for employer in dict.fromkeys(row.employer_uscc for row in brought):
            self._repeated(transaction, book, region, employer)

    def _children(
        self, transaction: RegisterTransaction, book: Rulebook, region: str, brought: Sequence[Inspected]
    ) -> None:
        subjects = list(dict.fromkeys(row.subject for row in brought if row.subject is not None))
        children = transaction.facts(subjects)
        for row in brought:
            if row.subject is None:
                continue
            if row.finding == CONFIRMED:
                if not book.rules[SIGHTED].enabled:
                    continue
                child = children.get(row.subject) or ChildFacts(row.subject)
                fact = {"fact": SIGHTED, "on": row.inspected_on.isoformat()}
                draft = draft_of(self._book, SIGHTED, row.subject, child, region, self._today, fact)
                Opening(self._book, self._today, self._now).lead(transaction, draft)
            elif row.finding != PENDING and not transaction.inspections.confirmed(row.subject):
                self._withdraw(transaction, row.subject)

    def _withdraw(self, transaction: RegisterTransaction, subject: SubjectId) -> None:
        """No inspection confirms it any more: inspection itself has said so."""
        fact = {"fact": "no-longer-applies", "on": self._today.isoformat()}
        for lead in transaction.inspections.lead_of(subject, SIGHTED):
            transaction.close_lead(lead, fact, self._now)
            transaction.duties.end_lead(lead, False, self._today, SYSTEM_ROLE)

    def _visited(
        self, transaction: RegisterTransaction, book: Rulebook, region: str, row: Inspected, by: str
    ) -> None:
        """An inspection on or after the day a visit was owed from is that visit: one owed from its day on would be
        due no earlier."""
        answers = book.duties.due(VISIT, row.inspected_on)
        for duty, due_on in transaction.inspections.visits_owed(region, row.employer_uscc):
            if answers >= due_on:
                transaction.duties.finish_one(duty, self._today, by)

    def _repeated(self, transaction: RegisterTransaction, book: Rulebook, region: str, employer: str) -> None:
        """One duty a crossing: while one of the hits' window stands, there is no second."""
        days = transaction.inspections.hits(region, employer)
        self._withdrawn(transaction, book, (region, employer), days)
        crossing = book.repeated.crossing(days, self._today)
        if crossing is None:
            return
        crossed, first = (day.isoformat()[:7] for day in crossing)
        if any(month >= first for month in transaction.inspections.crossings(region, employer)):
            return
        rule = book.duties.rules[REPEATED]
        duty = DutyDraft(
            kind=REPEATED,
            owner=rule.owner,
            region=region,
            due_on=book.duties.due(REPEATED, self._today),
            lead=None,
            facts={"employer_uscc": employer, "crossed": crossed},
            basis=f"{region}/{employer}",
        )
        transaction.duties.open_all([duty], self._now)

    def _withdrawn(
        self,
        transaction: RegisterTransaction,
        book: Rulebook,
        whom: tuple[str, str],
        days: Sequence[date],
    ) -> None:
        """Inspection took hits back, and without them the employer was none in that month: nobody owes that duty."""
        standing = transaction.inspections.standing_crossings(*whom)
        moot = [
            Moot(duty, "hits-withdrawn")
            for duty, month in standing
            if not any(book.repeated.crossing(days, day) for day in days if day.isoformat()[:7] == month)
        ]
        transaction.duties.cancel_all(moot, self._today, SYSTEM_ROLE)
