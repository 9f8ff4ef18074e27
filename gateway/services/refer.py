"""Refer: a case or an employer is sent to the agency that is to act, and both sides look at what they have.

A referral nobody could read is refused. It is not idempotent by a key: the same case has one standing referral, and the
same words again answer with that one.
"""

import secrets
from asyncio import to_thread
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from gateway.domain.case import CaseFile
from gateway.domain.deidentify import Mask, Released
from gateway.domain.errors import Conflict, HuxueError, Malformed, NotPermitted
from gateway.domain.model import DutyDraft, SubjectId
from gateway.domain.observation import standing
from gateway.domain.ports import Transaction
from gateway.domain.predicate import COUNTY_DIGITS
from gateway.domain.principal import Principal
from gateway.domain.redaction import scrubbed
from gateway.domain.referral import Kind, Referral, ReferralQuery, Referrals, Route, State
from gateway.domain.referral_record import Sending, check, record_of, served_in
from gateway.domain.rulebook import Rulebook
from gateway.services import pages
from gateway.services.referral_desk import Caller, Outcome, ReferralOffice, Step, line, told
from schemas.catalogue import EXCHANGES

_ID_BYTES = 13


def new_id(prefix: str) -> str:
    """A random id: nothing of the child, the school or the day can be read off it.

    Nor anything that looks like an id or a phone number: the step that it is evidence of would turn it away.
    """
    while True:
        found = f"{prefix}-{secrets.token_hex(_ID_BYTES)}"
        if scrubbed(found) == found:
            return found


@dataclass(frozen=True, slots=True)
class _Draft:
    """What is sent, inside the commit."""

    sending: Sending
    caller: Caller
    route: Route
    today: date
    now: datetime


class Refer:
    """Send, look at one, and list."""

    def __init__(self, office: ReferralOffice, referrals: Referrals, rulebook: Rulebook) -> None:
        self._office, self._referrals, self._book = office, referrals, rulebook

    async def send(self, sending: Sending) -> bytes:
        """A new referral. NotPermitted for a case that is not the caller's; Conflict when nobody there could read it."""
        office = self._office
        caller = await office.caller(sending.principal, sending.purpose, named=True)
        route, today = office.book.routes.get(sending.to), office.clock.today()
        try:
            if route is None or sending.principal.role not in route.senders:
                raise NotPermitted
            check(sending, route, today)
        except HuxueError as error:
            await office.evidence.failed(caller.request, caller.grant, error.name)
            raise
        draft = _Draft(sending, caller, route, today, office.clock.now())

        def work(transaction: Transaction) -> Outcome:
            return self._send(transaction, draft)

        return told(await office.evidence.journal.perform(work))

    def _send(self, transaction: Transaction, draft: _Draft) -> Outcome:
        case = transaction.cases.get(draft.sending.case) if draft.sending.case else None
        try:
            if draft.route.about_case:
                return self._send_case(transaction, draft, self._own(draft, case))
            return self._send_employer(transaction, draft)
        except HuxueError as error:
            subject = case.subject if case is not None and not isinstance(error, NotPermitted) else None
            request, grant = draft.caller.request, draft.caller.grant
            return error, self._office.evidence.entry(
                request, grant, "fail", subject=subject, detail=error.name, fields={}
            )

    @staticmethod
    def _own(draft: _Draft, case: CaseFile | None) -> CaseFile:
        """The case, if the sender may see it at all."""
        if case is None or not draft.caller.grant.rows.evaluate(row_of(case)):
            raise NotPermitted
        return case

    def _send_case(self, transaction: Transaction, draft: _Draft, case: CaseFile) -> Outcome:
        if draft.route.step and self._book.of(case.region).cases.after(case.state, draft.route.step) is None:
            raise Conflict(
                "个案尚未送达限期复学通知书或已办结，目前不能移送。",
                "No order to return was served yet, or the case is over: it cannot be referred now.",
            )
        made = self._of_case(transaction, draft, case)
        known = transaction.referrals.standing(draft.route.id, case.ref)
        if known is not None:
            if not _same(known, made):
                raise Conflict("该个案已有未办结的移送。", "The case has a referral that is not over yet.")
            return self._office.answer(self._step(transaction, draft, known), known, "sent")
        self._must_be_read(transaction, draft.route, case.region)
        return self._keep(transaction, draft, made)

    def _of_case(self, transaction: Transaction, draft: _Draft, case: CaseFile) -> Referral:
        sending = draft.sending
        notices = [dict(each) for each in sending.notices or ()] or served_in(
            standing(transaction.cases.entries(case.ref))
        )
        if not notices:
            zh, en = "请填写已送达文书的编号和送达日期。", "Give the notices served, with their days."
            raise Malformed.of("missing_required", zh, en, "/notices")
        opened = case.opened_at.date()
        body: dict[str, object] = {
            "stage": case.state.value,
            "case_open_weeks": max(0, (draft.today - opened).days // 7),
            "notices_served": sorted(str(each["served_on"]) for each in notices),
        }
        words: dict[str, object] = {"guardian": sending.guardian, "notices": notices, "note": sending.note}
        return self._made(draft, case.region, case.residence, body, words, case)

    def _send_employer(self, transaction: Transaction, draft: _Draft) -> Outcome:
        county = draft.caller.who.region[:COUNTY_DIGITS]
        sending = draft.sending
        if len(county) < COUNTY_DIGITS or not transaction.referrals.employer_known(
            county, sending.employer_uscc or ""
        ):
            raise NotPermitted
        self._must_be_read(transaction, draft.route, county)
        body: dict[str, object] = {
            "employer_uscc": sending.employer_uscc,
            "month": sending.month,
            "measure_taken": sending.measure_taken,
        }
        return self._keep(transaction, draft, self._made(draft, county, county, body, {}, None))

    def _made(
        self,
        draft: _Draft,
        county: str,
        residence: str,
        body: dict[str, object],
        words: dict[str, object],
        case: CaseFile | None,
    ) -> Referral:
        due = self._book.of(county).duties.due(draft.route.duty, draft.today)
        return Referral(
            id=new_id("rfl"),
            kind=Kind.REFERRAL,
            route=draft.route.id,
            county=county,
            residence=residence,
            subject=case.subject if case else None,
            case=case.ref if case else None,
            measure=draft.sending.measure,
            sender=draft.caller.actor,
            state=State.PENDING,
            sent_at=draft.now,
            sent_on=draft.today,
            due_on=due,
            body=body,
            words={name: value for name, value in words.items() if value},
            school=case.school if case else None,
            sealed=case.sealed if case else False,
        )

    @staticmethod
    def _must_be_read(transaction: Transaction, route: Route, county: str) -> None:
        if not transaction.referrals.read_by(route.receivers, county):
            raise Conflict(
                f"本县没有可接收“{route.title_zh}”的在用账号，移送后无人能看到；请先联系该部门开通。",
                f"Nobody could read it: no active client receives “{route.title_en}” in this county.",
            )

    def _keep(self, transaction: Transaction, draft: _Draft, made: Referral) -> Outcome:
        duties = self._book.of(made.county).duties
        duty = transaction.duties.open(
            DutyDraft(
                kind=draft.route.duty,
                owner=duties.rules[draft.route.duty].owner,
                region=made.county,
                due_on=made.due_on or draft.today,
                lead=None,
                facts={"referral": made.id},
                # The receiver knows no case yet, nor where in the county the child lives: neither stands in its duty.
                residence=made.county,
                basis=made.id,
            ),
            draft.now,
        )
        kept = replace(made, duty=duty)
        transaction.referrals.add(kept)
        if kept.case is not None:
            transaction.cases.write(line(kept, "sent", draft.caller.actor, draft.today, draft.now))
        return self._office.answer(self._step(transaction, draft, kept), kept, "sent")

    @staticmethod
    def _step(transaction: Transaction, draft: _Draft, found: Referral) -> Step:
        return Step(transaction, draft.caller, found, draft.route, False, draft.today, draft.now)

    async def get(self, principal: Principal, referral_id: str) -> bytes:
        """One of the caller's: the sender's own, the preview, or the accepted case."""
        office = self._office
        caller = await office.caller(principal)
        return await office.on(caller, referral_id, lambda step: office.answer(step, step.found, "read"))

    async def find(
        self,
        principal: Principal,
        purpose: str,
        status: str | None,
        direction: str | None,
        cursor: str | None,
        limit: int,
    ) -> bytes:
        """What the caller sent or received, newest first; a receiver's list holds previews only."""
        caller = await self._office.caller(principal, purpose)
        query = self._query(caller, status, cursor, limit + 1)
        received = query.routes is not None
        found = []
        if direction is None or (direction == "received") == received:
            found = await to_thread(self._referrals.find, query)
        shown, last = pages.cut(found, limit)
        page = self._page(caller, shown, received, last.id if last else None)
        return await pages.told(self._office.evidence, caller.request, caller.grant, page)

    def _query(self, caller: Caller, status: str | None, cursor: str | None, limit: int) -> ReferralQuery:
        who, office = caller.who, self._office
        routes = office.book.received_by(who.role)
        return ReferralQuery(
            rows=caller.grant.rows,
            today=office.clock.today(),
            routes=routes or None,
            county=who.region,
            senders=office.senders_of(who),
            status=status,
            before=cursor,
            limit=limit,
        )

    def _page(
        self, caller: Caller, shown: Sequence[Referral], received: bool, after: str | None
    ) -> pages.Page:
        office = self._office
        items: list[Released] = []
        words: dict[str, str] = {}
        members: list[SubjectId] = []
        for each in shown:
            part = office.book.routes[each.route].preview if received else LISTED
            mask = Mask(EXCHANGES[caller.request.exchange], caller.grant, part)
            words |= mask.words
            items.append(
                mask.apply(record_of(each, office.clock.today(), office.pseudonym(caller.who, each), ()))
            )
            members += [each.subject] if each.subject is not None else []
        return pages.Page(
            items,
            after,
            office.clock.now(),
            members=members,
            cut_from=(members, 0),
            detail="read",
            fields=words,
        )


LISTED = frozenset(field.name for field in EXCHANGES["case-referral"].fields) - {"note", "reason", "comments"}
"""What a list shows of it: what officers wrote is read one by one."""


def row_of(case: CaseFile) -> dict[str, object]:
    """What the policy's row rules look at."""
    return {"region": case.residence, "school": case.school, "owner": case.owner, "sealed": case.sealed}


def _same(known: Referral, made: Referral) -> bool:
    """Whether the same is sent again, by the same officer."""
    return (known.measure, known.sender, known.words) == (made.measure, made.sender, made.words)
