"""What happens to a referral: accepted, rejected, revoked, talked about, taken over, closed. One winner each time.

Only named officers decide. Acceptance moves the case by the route's step; a rejection leaves the case and gives its
sender a duty with the reason. Asked again by the same officer, what is done already is answered and not done twice.
"""

from dataclasses import replace

from gateway.domain.errors import Conflict, HuxueError, Malformed, NotPermitted
from gateway.domain.freetext import wrong_text
from gateway.domain.model import DutyDraft
from gateway.domain.principal import Principal
from gateway.domain.referral import Comment, Event, Referral, State, after
from gateway.domain.rulebook import Rulebook
from gateway.services.casework import Casework, Move
from gateway.services.referral_desk import Outcome, ReferralOffice, Step, Work, line

_DONE = {
    Event.ACCEPT: "accepted",
    Event.REJECT: "rejected",
    Event.REVOKE: "revoked",
    Event.TAKE_OVER: "taken_over",
    Event.CLOSE: "closed",
}


class ReferralSteps:
    """The use cases; NotPermitted for another's referral or side, Conflict where it stands elsewhere."""

    def __init__(self, office: ReferralOffice, casework: Casework, rulebook: Rulebook) -> None:
        self._office, self._casework, self._book = office, casework, rulebook

    async def accept(self, principal: Principal, referral_id: str) -> bytes:
        """By an officer of the receiving agency, who from then on is the only one to see whose case it is."""

        def work(step: Step) -> Outcome:
            changed = replace(
                step.found, state=State.ACCEPTED, receiver=step.caller.actor, decided_on=step.today
            )
            return self._decide(step, Event.ACCEPT, changed)

        return await self._act(principal, referral_id, work)

    async def reject(self, principal: Principal, referral_id: str, reason: str, ground: str) -> bytes:
        """By an officer of the receiving agency. The ground is a word of the file's; the reason goes to the sender only."""

        def work(step: Step) -> Outcome:
            if wrong := wrong_text(reason, "/reason") or self._ground_flaw(ground):
                return self._office.refused(step, wrong)
            words = {**step.found.words, "reason": reason.strip()}
            changed = replace(
                step.found,
                state=State.REJECTED,
                receiver=step.caller.actor,
                decided_on=step.today,
                ground=ground,
                words=words,
            )
            return self._decide(step, Event.REJECT, changed)

        return await self._act(principal, referral_id, work)

    async def revoke(self, principal: Principal, referral_id: str, reason: str) -> bytes:
        """By the sender's side, before acceptance."""

        def work(step: Step) -> Outcome:
            if step.receiving:
                return self._office.refused(step, NotPermitted())
            if wrong := wrong_text(reason, "/reason"):
                return self._office.refused(step, wrong)
            words = {**step.found.words, "reason": reason.strip()}
            changed = replace(step.found, state=State.REVOKED, decided_on=step.today, words=words)
            return self._move(step, Event.REVOKE, changed)

        return await self._act(principal, referral_id, work)

    async def comment(self, principal: Principal, referral_id: str, text: str) -> bytes:
        """By either side; a receiver reads what was written once it has accepted, and writes from then on."""

        def work(step: Step) -> Outcome:
            if step.receiving and not self._holds(step):
                return self._office.refused(step, NotPermitted())
            if not step.route.about_case:
                return self._office.refused(step, NotPermitted())
            if wrong := wrong_text(text, "/text"):
                return self._office.refused(step, wrong)
            if after(step.found.state, Event.COMMENT) is None:
                return self._office.refused(step, _elsewhere())
            comment = Comment(step.now, step.caller.actor, text.strip())
            step.transaction.referrals.comment(step.found.id, comment)
            return self._office.answer(step, step.found, "commented")

        return await self._act(principal, referral_id, work)

    async def take_over(self, principal: Principal, referral_id: str) -> bytes:
        """An accepted one whose officer's client is no longer active; Conflict while it is."""

        def work(step: Step) -> Outcome:
            if not step.receiving:
                return self._office.refused(step, NotPermitted())
            if self._holds(step) and step.found.state is State.ACCEPTED:
                return self._office.answer(step, step.found, _DONE[Event.TAKE_OVER])
            held = step.found.receiver
            if held is not None and step.transaction.referrals.is_active(held.client):
                return self._office.refused(step, _still_there())
            changed = replace(step.found, receiver=step.caller.actor)
            return self._move(step, Event.TAKE_OVER, changed)

        return await self._act(principal, referral_id, work)

    async def close(self, principal: Principal, referral_id: str, outcome: str) -> bytes:
        """With what came of it, where the receiver hands in no file of outcomes."""

        def work(step: Step) -> Outcome:
            if not step.receiving or not step.route.closes_itself or not self._holds(step):
                return self._office.refused(step, NotPermitted())
            if outcome not in step.route.outcomes:
                return self._office.refused(step, _bad("/outcome"))
            changed = replace(step.found, state=State.CLOSED, outcome=outcome, outcome_on=step.today)
            return self._move(step, Event.CLOSE, changed)

        return await self._act(principal, referral_id, work)

    async def _act(self, principal: Principal, referral_id: str, work: Work) -> bytes:
        caller = await self._office.caller(principal, named=True)
        return await self._office.on(caller, referral_id, work)

    def _decide(self, step: Step, event: Event, changed: Referral) -> Outcome:
        return (
            self._move(step, event, changed) if step.receiving else self._office.refused(step, NotPermitted())
        )

    def _move(self, step: Step, event: Event, changed: Referral) -> Outcome:
        """One step of the machine with all that follows from it, or nothing and the refusal."""
        if self._done_already(step, event, changed):
            return self._office.answer(step, step.found, _DONE[event])
        if after(step.found.state, event) is None:
            return self._office.refused(step, _elsewhere())
        try:
            self._move_case(step, event)
        except HuxueError as error:  # raised before anything is written
            return self._office.refused(step, error)
        if not step.transaction.referrals.move(step.found, event, changed):
            raise _elsewhere()  # undoes the case's step; not met while one writer holds the store
        self._follow(step, event, changed)
        return self._office.answer(step, changed, _DONE[event])

    @staticmethod
    def _done_already(step: Step, event: Event, changed: Referral) -> bool:
        if event is Event.TAKE_OVER or step.found.state is not changed.state:
            return False
        same = step.found.receiver == changed.receiver
        return same and step.found.outcome == changed.outcome

    def _move_case(self, step: Step, event: Event) -> None:
        if event is not Event.ACCEPT or step.found.case is None or step.route.step is None:
            return
        case = step.transaction.cases.get(step.found.case)
        if case is None:
            raise _elsewhere()
        move = Move(step.route.step, {"referral": step.found.id}, step.caller.actor, step.today, step.now)
        self._casework.move(step.transaction, case, move)

    def _follow(self, step: Step, event: Event, changed: Referral) -> None:
        """The receiver's duty ends; the history gets its line; a refusal is the sender's to follow up."""
        by = step.caller.who.name
        if changed.duty is not None and event is Event.REVOKE:
            step.transaction.duties.cancel_one(changed.duty, step.today, by, "referral-revoked")
        elif changed.duty is not None and event in (Event.ACCEPT, Event.REJECT):
            step.transaction.duties.finish_one(changed.duty, step.today, by)
        if changed.case is not None:
            reason = str(changed.words.get("reason", "")) if event is not Event.ACCEPT else ""
            step.transaction.cases.write(
                line(
                    changed,
                    _DONE[event],
                    step.caller.actor,
                    step.today,
                    step.now,
                    reason,
                    changed.ground,
                )
            )
        if event is Event.REJECT and step.route.follow_up is not None:
            self._owe_again(step, changed, step.route.follow_up)

    def _owe_again(self, step: Step, changed: Referral, kind: str) -> None:
        duties = self._book.of(changed.county).duties
        step.transaction.duties.open(
            DutyDraft(
                kind=kind,
                owner=changed.sender.agency,
                region=changed.county,
                due_on=duties.due(kind, step.today),
                lead=None,
                facts={"referral": changed.id, "ground": changed.ground},
                case=changed.case,
                residence=changed.residence,
                school=changed.school,
                basis=changed.id,
            ),
            step.now,
        )

    @staticmethod
    def _holds(step: Step) -> bool:
        return step.found.is_receivers(step.caller.who.client, step.caller.who.officer)

    def _ground_flaw(self, ground: str) -> Malformed | None:
        return None if ground in self._office.book.grounds else _bad("/ground")


def _bad(pointer: str) -> Malformed:
    zh, en = "不在可选范围内。", "Not one of the permitted values."
    return Malformed.of("bad_code", zh, en, pointer)


def _elsewhere() -> Conflict:
    return Conflict(
        "该移送已由他人办理，或其个案目前不能办理这一步。",
        "The referral was decided already, or its case cannot take this step where it stands.",
    )


def _still_there() -> Conflict:
    return Conflict("原接收人仍在岗，不能接手。", "The officer who accepted it is still active.")
