"""A file of outcomes: each row closes a referral that this county's justice accepted, and moves its case on.

Its rows name a referral and no child. A number nobody knows, another county's, and one that was not accepted are
refused alike: a file finds out nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from gateway.domain.case import Actor
from gateway.domain.landing import RegisterTransaction
from gateway.domain.model import SubjectId
from gateway.domain.principal import Principal
from gateway.domain.receipt import RowCounts
from gateway.domain.referral import CASE_OVER, Event, Kind, Referral, ReferralBook, State
from gateway.domain.rulebook import Rulebook
from gateway.domain.sheet import Reading, Record, RowFlaw
from gateway.services.casework import Casework, Move
from gateway.services.referral_desk import line

RESUME = "resume"


@dataclass(frozen=True, slots=True)
class _Hand:
    """Whose file it is, inside the transaction that lands it."""

    transaction: RegisterTransaction
    who: Principal
    today: date
    now: datetime


class CaseOutcomes:
    """`gateway.services.upload.RowWork` for `case-outcome`."""

    def __init__(self, book: ReferralBook, casework: Casework, rulebook: Rulebook) -> None:
        self._referrals, self._casework, self._book = book, casework, rulebook

    def land(
        self,
        transaction: RegisterTransaction,
        who: Principal,
        reading: Reading,
        today: date,
        now: datetime,
    ) -> tuple[RowCounts, Sequence[SubjectId]]:
        """Counts, and whose cases moved; a row that cannot be taken becomes a flaw of the reading."""
        hand, accepted, unchanged = _Hand(transaction, who, today, now), 0, 0
        children: dict[SubjectId, None] = {}
        for record in reading.records:
            found = self._found(hand, str(record.values["referral"]))
            wrong = "unknown_referral" if found is None else self._wrong(found, record)
            if found is None or wrong is not None:
                _refuse(reading, record.row, wrong or "unknown_referral")
            elif _told(found):
                unchanged += 1
            elif not self._close(hand, found, record):
                _refuse(reading, record.row, "unknown_referral")
            else:
                accepted += 1
                children |= {found.subject: None} if found.subject is not None else {}
        return _counts(reading, accepted, unchanged), list(children)

    def _found(self, hand: _Hand, referral_id: str) -> Referral | None:
        """One that this county's agency accepted; a notification is none."""
        found = hand.transaction.referrals.get(referral_id)
        if found is None or found.kind is not Kind.REFERRAL or found.county != hand.who.region:
            return None
        route = self._referrals.routes.get(found.route)
        mine = route is not None and hand.who.role in route.receivers and not route.closes_itself
        return found if mine and found.state in (State.ACCEPTED, State.CLOSED) else None

    @staticmethod
    def _wrong(found: Referral, record: Record) -> str | None:
        outcome, day = record.values["outcome"], record.values["decided_on"]
        if _told(found):
            return None if (found.outcome, found.outcome_on) == (outcome, day) else "outcome_differs"
        early = found.decided_on is not None and isinstance(day, date) and day < found.decided_on
        return "before_acceptance" if early else None

    def _close(self, hand: _Hand, found: Referral, record: Record) -> bool:
        """False, with nothing written, when the referral no longer stands where it was read."""
        day, outcome = record.values["decided_on"], str(record.values["outcome"])
        note = record.values.get("note")
        words = {**found.words, "outcome_note": note} if note else found.words
        changed = replace(
            found,
            state=State.CLOSED,
            outcome=outcome,
            outcome_on=day if isinstance(day, date) else None,
            words=words,
        )
        event = Event.SETTLE if found.state is State.CLOSED else Event.CLOSE
        if not hand.transaction.referrals.move(found, event, changed):
            return False
        self._move_case(hand, changed, outcome, late=event is Event.SETTLE)
        return True

    def _move_case(self, hand: _Hand, changed: Referral, outcome: str, late: bool) -> None:
        """The case goes on where it waits for justice; one that has gone on already only gets the line. What comes late is
        not what it waits for: it may wait on another referral by then."""
        case = hand.transaction.cases.get(changed.case) if changed.case else None
        if case is None:
            return
        actor = Actor.of(hand.who)
        waits = self._book.of(case.region).cases.after(case.state, RESUME, case.previous) is not None
        if waits and not late:
            move = Move(RESUME, {"outcome": outcome}, actor, hand.today, hand.now)
            self._casework.move(hand.transaction, case, move)
        hand.transaction.cases.write(line(changed, "closed", actor, hand.today, hand.now, ground=outcome))


def _told(found: Referral) -> bool:
    """Whether an outcome was told: the end of the case, which closed it meanwhile, is none."""
    return found.state is State.CLOSED and found.outcome != CASE_OVER


def _counts(reading: Reading, accepted: int, unchanged: int) -> RowCounts:
    reading.flaws.sort(key=lambda flaw: flaw.row)
    return RowCounts(
        rows=reading.rows,
        accepted=accepted,
        unchanged=unchanged + len(reading.repeated),
        rejected=len(reading.refused_rows),
        skipped=reading.skipped,
    )


def _refuse(reading: Reading, number: int, code: str) -> None:
    name = {"unknown_referral": "referral", "outcome_differs": "outcome"}.get(code, "decided_on")
    column = reading.dataset.by_name[name]
    reading.flaws.append(RowFlaw(number, column.header, code, column.name, ""))
