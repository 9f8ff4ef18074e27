"""Cases for those whose turn it is: a page of them, one with its history, and what an officer does with it.

Whatever is done is done in the commit that holds the evidence of it; the case is read again inside it, under the
caller's own rows, so that of two officers the second sees what the first has done.
"""

from asyncio import to_thread
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from gateway.domain.audit import AuditEntry
from gateway.domain.case import Actor, CaseEntry, CaseFile, CaseQuery, CaseShelf, EntryKind, State
from gateway.domain.case_record import ITEM, item_of, plan_of, shown_of, whole_of
from gateway.domain.decision import Grant
from gateway.domain.deidentify import KEY, Mask
from gateway.domain.errors import (
    Conflict,
    Flaw,
    HuxueError,
    IdempotencyMismatch,
    Malformed,
    NotPermitted,
    OfficerUnnamed,
    SourceUnavailable,
)
from gateway.domain.model import SubjectId
from gateway.domain.ports import Clock, KeyRing, Transaction
from gateway.domain.principal import Principal
from gateway.domain.rulebook import Rulebook
from gateway.domain.rules import seen_by
from gateway.services import outgoing, pages
from gateway.services.casework import Casework, Move, checked
from gateway.services.cursor import Cursors
from gateway.services.evidence import Evidence, Request
from gateway.services.telling import Telling, one_told
from schemas.catalogue import EXCHANGES, Action

EXCHANGE = "cases"
PURPOSE = "dropout_control"
NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """What a caller asked for; without a region, everything in the caller's reach."""

    region: str | None = None
    state: State | None = None
    cursor: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Doing:
    """What an officer writes into a case: a step's name, or `visit`, `plan`, `comment`; and under which key, if any."""

    what: str
    evidence: Mapping[str, object] = field(repr=False)
    key: str | None = None
    purpose: str = PURPOSE


@dataclass(frozen=True, slots=True)
class _Hand:
    """One caller's hand on one case, inside the commit."""

    transaction: Transaction
    request: Request
    grant: Grant
    case: CaseFile
    entries: tuple[CaseEntry, ...]


_Work = Callable[[_Hand], tuple[CaseFile, str]]


class Cases:
    """The use cases around cases."""

    def __init__(
        self,
        evidence: Evidence,
        shelf: CaseShelf,
        keys: KeyRing,
        clock: Clock,
        cursors: Cursors,
        rulebook: Rulebook,
    ) -> None:
        self._evidence, self._shelf, self._keys = evidence, shelf, keys
        self._clock, self._cursors, self._book = clock, cursors, rulebook
        self._casework = Casework(rulebook)

    async def find(self, principal: Principal, purpose: str, asked: CaseFilter) -> bytes:
        """One page of cases."""
        request = Request(principal, Action.SUBSCRIBE, EXCHANGE, purpose, asked.region or principal.region)
        grant = await self._evidence.decide(request)
        mask = Mask(EXCHANGES[EXCHANGE], grant, ITEM)
        after = await self._after(request, grant, mask, asked)
        query = CaseQuery(grant.rows, asked.region, asked.state, after, asked.limit + 1)
        cases, last = pages.cut(await to_thread(self._shelf.find, query), asked.limit)
        more = self._cursors.told(last.ref if last else None, request, "ref" in mask.told)
        subjects = [case.subject for case in cases]
        known: list[str | None] = [None] * len(cases)
        if KEY in mask.names:
            known = list(self._keys.pseudonyms(principal.agency, subjects))
        items = [
            mask.apply(item_of(case, self._book.of(case.region).cases, name))
            for case, name in zip(cases, known, strict=True)
        ]
        page = pages.Page(
            items,
            more,
            self._clock.now(),
            members=subjects,
            cut_from=(subjects, 0),
            fields=mask.words,
        )
        return await pages.told(self._evidence, request, grant, page)

    async def _after(self, request: Request, grant: Grant, mask: Mask, asked: CaseFilter) -> str | None:
        """A filter answers a question about its field, row by row: only for who is told the field."""
        filters = {"state": asked.state, "region": asked.region}
        try:
            if any(value is not None and name not in mask.told for name, value in filters.items()):
                raise NotPermitted
            return self._cursors.read(asked.cursor, request, "ref" in mask.told)
        except (NotPermitted, Malformed) as error:
            await self._evidence.failed(request, grant, error.name)
            raise

    async def get(self, principal: Principal, purpose: str, ref: str) -> bytes:
        """One case with its history. NotPermitted for a foreign one as for one that is not there."""
        request = Request(principal, Action.SUBSCRIBE, EXCHANGE, purpose, principal.region)
        grant = await self._evidence.decide(request)
        return await self._on(request, grant, ref, lambda hand: (hand.case, "read"))

    async def step(self, principal: Principal, ref: str, doing: Doing) -> bytes:
        """Takes a step; the case afterwards. Conflict, Malformed, IdempotencyMismatch, OfficerUnnamed."""

        def work(hand: _Hand) -> tuple[CaseFile, str]:
            mark = self._mark(hand, doing)
            if mark is None:
                return hand.case, "read"
            self._own_school(hand, doing)
            self._by_hand(hand.case, principal.role, doing.what)
            now, today = self._clock.now(), self._clock.today()
            move = Move(doing.what, doing.evidence, Actor.of(principal), today, now, mark)
            return self._casework.move(hand.transaction, hand.case, move), doing.what

        return await self._act(principal, ref, doing.purpose, work)

    def _by_hand(self, case: CaseFile, role: str, step: str) -> None:
        """Conflict for a step that only the service of a notice, an accepted referral or an outcome takes."""
        found = self._book.of(case.region).cases.steps.get(step)
        if found is not None and found.through and role in found.by:
            raise Conflict(
                "这一步随文书送达、移送接收或办理结果自动办理，请从相应入口办理。",
                "This step is taken by the service of a notice, an accepted referral or an outcome: go there.",
            )

    async def record(self, principal: Principal, ref: str, doing: Doing) -> bytes:
        """Writes a visit, a revised plan or a comment; the case afterwards. Errors as of `step`."""

        def work(hand: _Hand) -> tuple[CaseFile, str]:
            mark = self._mark(hand, doing)
            if mark is not None:
                self._write(hand, doing, mark)
            return hand.case, "read" if mark is None else doing.what

        return await self._act(principal, ref, doing.purpose, work)

    def _write(self, hand: _Hand, doing: Doing, mark: Mapping[str, str]) -> None:
        case, kind, today = hand.case, EntryKind(doing.what), self._clock.today()
        rule, by = self._book.of(case.region).cases.records[doing.what], Actor.of(hand.request.principal)
        if rule.by and by.role not in rule.by:
            raise NotPermitted
        if kind is not EntryKind.COMMENT and case.ended_on is not None:
            raise Conflict("个案已办结。", "The case is over.")
        if kind is EntryKind.PLAN and plan_of(hand.entries) is None:
            raise Conflict("尚未制定一人一策。", "There is no plan to revise yet.")
        try:
            body, words = checked(rule.evidence, doing.evidence, today)
        except Malformed as error:
            raise Malformed(error.detail_zh, error.detail_en, tuple(map(_at_the_top, error.flaws))) from None
        line = CaseEntry(case.ref, case.region, kind, today, self._clock.now(), by, body={**body, **mark})
        hand.transaction.cases.write(replace(line, words=words))
        if rule.done and body.get("met") != NOBODY:
            hand.transaction.duties.finish(case.ref, rule.done, today, by.name)

    def _mark(self, hand: _Hand, doing: Doing) -> Mapping[str, str] | None:
        """Which request wrote the line; None when that request has written it before: then nothing is done again."""
        if doing.key is None:
            return {}
        client, body = hand.request.principal.client.encode(), outgoing.fingerprint(doing.evidence)
        request = self._keys.derived_id("request", hand.case.ref.encode(), client, doing.key.encode())
        content = self._keys.derived_id("content", doing.what.encode(), body)
        known = next((each.body for each in hand.entries if each.body.get("_request") == request), None)
        if known is None:
            return {"_request": request, "_content": content}
        if known.get("_content") != content:
            raise IdempotencyMismatch(
                "该 Idempotency-Key 已用于另一内容。", "This Idempotency-Key was used for something else."
            )
        return None

    def _own_school(self, hand: _Hand, doing: Doing) -> None:
        """Who acts for one school speaks of no other."""
        own, named = hand.request.principal.school, doing.evidence.get("school")
        if own is not None and named not in (None, "", own):
            zh, en = "只能填写本校。", "Only the own school can be named."
            raise Malformed.of("bad_code", zh, en, "/evidence/school")

    async def _act(self, principal: Principal, ref: str, purpose: str, work: _Work) -> bytes:
        request = Request(principal, Action.SUBSCRIBE, EXCHANGE, purpose, principal.region)
        grant = await self._evidence.decide(request)
        if principal.officer is None:
            await self._evidence.failed(request, grant, OfficerUnnamed.name)
            raise OfficerUnnamed(
                "个案须由具名经办人办理：请在客户端断言中以 officer 注明。",
                "Cases are worked on by named officers: name yours in the client assertion (officer).",
            )
        return await self._on(request, grant, ref, work)

    async def _on(self, request: Request, grant: Grant, ref: str, work: _Work) -> bytes:
        """`work` on a case the caller may see; what it raises undoes what it did, and is in the evidence itself."""
        seen: list[SubjectId] = []

        def inside(transaction: Transaction) -> tuple[bytes, AuditEntry]:
            seen.clear()  # a batch that broke is run again
            case = transaction.cases.visible(ref, grant.rows)
            if case is None:
                raise NotPermitted
            seen.append(case.subject)
            hand = _Hand(transaction, request, grant, case, tuple(transaction.cases.entries(ref)))
            changed, detail = work(hand)
            return self._answer(replace(hand, case=changed), detail)

        try:
            return await self._evidence.journal.perform(inside)
        except SourceUnavailable:
            raise
        except HuxueError as error:
            subject = seen[0] if seen else None
            entry = self._evidence.entry(
                request, grant, "fail", subject=subject, detail=error.name, fields={}
            )
            await self._evidence.journal.record(entry)
            raise

    def _answer(self, hand: _Hand, detail: str) -> tuple[bytes, AuditEntry]:
        """The masked case as it stands now, and the entry that is committed with what was done."""
        case, who, desk = hand.case, hand.request.principal, hand.transaction.cases
        mask = Mask(EXCHANGES[EXCHANGE], hand.grant)
        name = self._keys.pseudonym(who.agency, case.subject) if KEY in mask.names else None
        book = self._book.of(case.region).cases
        rules = seen_by(self._book.rules.values(), who.role)
        entries, work = shown_of(desk.entries(case.ref), desk.work_of(case.ref), rules, who.agency)
        record = whole_of(case, book, name, entries, work, who.role)
        telling = Telling(mask.apply(record), mask.words, case.subject, f"{detail} {case.ref}")
        return one_told(self._evidence, hand.request, hand.grant, telling)


def _at_the_top(flaw: Flaw) -> Flaw:
    return replace(flaw, pointer=(flaw.pointer or "").removeprefix("/evidence"))
