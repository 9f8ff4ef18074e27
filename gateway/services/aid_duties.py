"""Duties about relief and aid, opened once a child and ended by the record that answers them.

They run at every new day, and after a file that may change them. Source: 未成年人保护法 art. 91, 义务教育法 art. 44.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from gateway.domain.aid import PAYMENTS, RELIEF, Gap, Term, Told, gap_of, told_whether
from gateway.domain.aid_duties import ASSESS_RELIEF, PAY_AID, Owed
from gateway.domain.disclosure import SYSTEM_ROLE
from gateway.domain.duties import Moot
from gateway.domain.landing import RegisterTransaction
from gateway.domain.model import DutyDraft, SubjectId
from gateway.domain.rulebook import Rulebook
from gateway.domain.rules import residence_within
from gateway.domain.schooling import REGISTER

_NOT_ENTITLED = "not-entitled"
AFFECTED_BY = frozenset({REGISTER, RELIEF, PAYMENTS})
"""Datasets after which the duties are looked at; others wait for the next day."""


class AidDuties:
    """`gateway.services.daily.DayTask`."""

    def __init__(self, rulebook: Rulebook) -> None:
        self._book = rulebook

    def run(self, transaction: RegisterTransaction, region: str, day: date, now: datetime) -> None:
        """Open and end the county's duties as of that day."""
        Round(self._book.of(region), transaction, region, day, now).run()


@dataclass(frozen=True, slots=True)
class Round:
    """One county on one day."""

    book: Rulebook
    transaction: RegisterTransaction
    region: str
    day: date
    now: datetime

    def run(self) -> None:
        """What nobody owes any more, relief, then the terms whose day of payment has passed."""
        moot = self.transaction.aid.moot(self.region, self.day)
        self.transaction.duties.cancel_all(moot, self.day, SYSTEM_ROLE)
        self._relief()
        terms = self.book.aid.open_terms(self.day)
        for term in terms:
            if term.paid_by < self.day:
                self._payments(term)
        # Grade and boarding of an earlier year are not known any more: what its last payment leaves is not either.
        late = self.transaction.aid.paid_since(self.region, [term.code for term in terms])
        self.transaction.duties.finish_all(late, self.day, PAYMENTS)

    def _relief(self) -> None:
        relieved = self.transaction.aid.relieved(self.region, self.day)
        self.transaction.duties.finish_all(relieved, self.day, RELIEF)
        self._open(ASSESS_RELIEF, "", self.day, self.transaction.aid.newly_needy(self.region, self.day))

    def _payments(self, term: Term) -> None:
        """Owed from the day after the last day for paying; done when a payment leaves no gap."""
        known = self.transaction.aid.standing(self.region, PAY_AID, term.code)
        unpaid: list[Owed] = []
        settled: list[str] = []
        moot: list[Moot] = []
        told = self.transaction.aid.told(self.region, term, self.day, self.book.limits.register_stale_days)
        unseen = dict(known)
        for pupil, gap, paid, sure in self._gaps(term, told):
            unseen.pop(pupil.subject, None)
            if gap is not None and gap.direction != "paid_not_entitled":
                unpaid.append(pupil)
            elif sure and pupil.subject in known:
                duty = known[pupil.subject]
                settled.append(duty) if paid else moot.append(Moot(duty, _NOT_ENTITLED))
        moot += self._entitled_no_more(unseen, told)
        self.transaction.duties.finish_all(settled, self.day, PAYMENTS)
        self.transaction.duties.cancel_all(moot, self.day, SYSTEM_ROLE)
        start = term.paid_by + timedelta(days=1)
        self._open(PAY_AID, term.code, start, [pupil for pupil in unpaid if pupil.subject not in known])

    def _entitled_no_more(self, unseen: Mapping[SubjectId, str], told: Told) -> Iterable[Moot]:
        """Pupils whom nothing entitles and nobody paid, in the county's register and with every source heard."""
        if not unseen or not all(told):
            return
        facts, stale = self.transaction.facts(list(unseen)), self.book.limits.register_stale_days
        for subject, child in facts.items():
            rows = (row for row in child.enrolments if row.region == self.region and row.status == "enrolled")
            if any(self.day - row.confirmed_on <= timedelta(days=stale) for row in rows):
                yield Moot(unseen[subject], _NOT_ENTITLED)

    def _gaps(self, term: Term, told: Told) -> Iterable[tuple[Owed, Gap | None, bool, bool]]:
        """(child, gap, whether anything was paid, whether the sources say)."""
        stale = self.book.limits.register_stale_days
        for owed, pupil in self.transaction.aid.enrolled(self.region, self.book.aid, term, self.day):
            asked = (pupil, term, self.book.aid, told, self.day, stale)
            yield owed, gap_of(*asked), bool(pupil.paid), told_whether(*asked)

    def _open(self, kind: str, part: str, start: date, children: Sequence[Owed]) -> None:
        drafts = [self._draft(kind, part, start, child) for child in children]
        made = self.transaction.duties.open_all(drafts, self.now)
        whose = zip((child.subject for child in children), made, strict=True)
        self.transaction.aid.keep(self.region, kind, part, whose)

    def _draft(self, kind: str, part: str, start: date, child: Owed) -> DutyDraft:
        """Its facts name no child and no sum; its basis does, and becomes an id under a key."""
        return DutyDraft(
            kind=kind,
            owner=self.book.duties.rules[kind].owner_for(
                child.school, residence_within(self.region, child.residence)
            ),
            region=self.region,
            due_on=self.book.duties.due(kind, start),
            lead=None,
            facts={"term": part} if part else {},
            residence=residence_within(self.region, child.residence),
            school=child.school if kind == PAY_AID else None,
            basis=f"{self.region}/{child.subject.hex()}",
        )
