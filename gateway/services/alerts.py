"""Leads for those who must act: list, acknowledge, stream. Each batch is in the evidence before it leaves."""

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gateway.domain.audit import AuditEntry
from gateway.domain.decision import Grant
from gateway.domain.deidentify import KEY, Mask, Released
from gateway.domain.errors import Conflict, Malformed, NotPermitted
from gateway.domain.model import Lead
from gateway.domain.moments import to_second
from gateway.domain.ports import Clock, KeyRing, LeadQuery, Leads, Transaction
from gateway.domain.predicate import Predicate
from gateway.domain.principal import Principal
from gateway.domain.rulebook import Rulebook
from gateway.domain.rules import rows_seen
from gateway.services import outgoing, pages
from gateway.services.cursor import Cursors
from gateway.services.evidence import Evidence, Request, new_reference
from schemas.catalogue import EXCHANGES, Action

EXCHANGE = "leads"
PURPOSE = "dropout_control"
_BATCH = 100
_HEARTBEAT_SECONDS = 15.0
_POLL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class LeadFilter:
    """What a caller asked for; without a region, everything in the caller's reach."""

    region: str | None = None
    status: str | None = None
    rule: str | None = None
    cursor: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class LeadEvent:
    """One message of the stream; `sequence` resumes it. Without data it is a sign of life."""

    sequence: int
    data: bytes | None


def record_of(lead: Lead, pseudonym: str | None) -> Mapping[str, object]:
    """A lead as the contract shows it, before the mask; `pseudonym` as the caller's own agency knows the child."""
    return {
        "id": lead.id,
        "rule": lead.rule,
        "case": lead.case,
        "region": lead.region,
        "status": lead.status,
        "opened_at": to_second(lead.opened_at),
        "due_on": lead.due_on.isoformat(),
        "facts": lead.facts,
        "pseudonym": pseudonym,
    }


class Alerts:
    """The use cases around leads."""

    def __init__(
        self,
        evidence: Evidence,
        leads: Leads,
        keys: KeyRing,
        clock: Clock,
        cursors: Cursors,
        rulebook: Rulebook,
    ) -> None:
        self._evidence, self._leads, self._keys = evidence, leads, keys
        self._clock, self._cursors, self._book = clock, cursors, rulebook

    def _rows(self, principal: Principal, grant: Grant) -> Predicate:
        return rows_seen(grant.rows, self._book.rules.values(), principal.role)

    async def find(self, principal: Principal, purpose: str, asked: LeadFilter) -> bytes:
        """One page of leads."""
        request = Request(principal, Action.SUBSCRIBE, EXCHANGE, purpose, asked.region or principal.region)
        grant = await self._evidence.decide(request)
        mask, now = Mask(EXCHANGES[EXCHANGE], grant), self._clock.now()
        await self._check_filters(request, grant, mask, asked)
        cursor = await self._after(request, grant, mask, asked.cursor)
        found = await self._leads.find(
            LeadQuery(
                self._rows(principal, grant),
                asked.region,
                asked.status,
                asked.rule,
                cursor,
                asked.limit + 1,
            )
        )
        leads, last = pages.cut(found, asked.limit)
        more = self._cursors.told(last.id if last else None, request, "id" in mask.told)
        subjects = [lead.subject for lead in leads]
        page = pages.Page(
            self._shown(principal, mask, leads), more, now, members=subjects, cut_from=(subjects, 0)
        )
        return await pages.told(self._evidence, request, grant, page)

    async def _check_filters(self, request: Request, grant: Grant, mask: Mask, asked: LeadFilter) -> None:
        """A filter answers a question about its field, row by row: only for who is told the field."""
        filters = {"status": asked.status, "rule": asked.rule, "region": asked.region}
        if any(value is not None and name not in mask.told for name, value in filters.items()):
            await self._evidence.failed(request, grant, NotPermitted.name)
            raise NotPermitted

    async def _after(self, request: Request, grant: Grant, mask: Mask, cursor: str | None) -> str | None:
        try:
            return self._cursors.read(cursor, request, "id" in mask.told)
        except Malformed as error:
            await self._evidence.failed(request, grant, error.name)
            raise

    def _shown(self, principal: Principal, mask: Mask, leads: Sequence[Lead]) -> list[Released]:
        """Leads as the caller gets them, each child under the pseudonym of the caller's own agency."""
        known: Sequence[str | None] = [None] * len(leads)
        if KEY in mask.names:
            known = self._keys.pseudonyms(principal.agency, [lead.subject for lead in leads])
        return [mask.apply(record_of(lead, name)) for lead, name in zip(leads, known, strict=True)]

    def _entry(
        self,
        request: Request,
        grant: Grant,
        body: bytes,
        leads: Sequence[Lead],
        detail: str,
        reference: str = "",
    ) -> AuditEntry:
        children = [lead.subject for lead in leads]
        return self._evidence.entry(
            request,
            grant,
            reference=reference,
            count=len(leads),
            digest=hashlib.sha256(body).hexdigest(),
            members=children,
            cut_from=(children, 0),
            detail=detail,
        )

    async def acknowledge(self, principal: Principal, purpose: str, lead_id: str) -> tuple[bytes, str]:
        """The lead after it was marked as seen, and the reference.

        NotPermitted when the caller may not see it; Conflict when closed.
        """
        request = Request(principal, Action.SUBSCRIBE, EXCHANGE, purpose, principal.region)
        grant = await self._evidence.decide(request)
        lead = await self._leads.get(lead_id, self._rows(principal, grant))
        if lead is None:
            await self._evidence.failed(request, grant, NotPermitted.name)
            raise NotPermitted
        by, now = principal.name, self._clock.now()
        mask = Mask(EXCHANGES[EXCHANGE], grant)
        (seen,) = self._shown(principal, mask, [replace(lead, status="acknowledged")])
        body, reference = outgoing.single(seen), new_reference(now)

        def work(transaction: Transaction) -> tuple[bool, AuditEntry]:
            if transaction.acknowledge(lead.id, by, now):
                return True, self._entry(request, grant, body, [lead], "acknowledged", reference)
            return False, self._evidence.entry(request, grant, "fail", detail=Conflict.name, fields={})

        if not await self._evidence.journal.perform(work):
            raise Conflict("该线索已办结。", "The lead is closed.")
        return body, reference

    async def subscribe(self, principal: Principal, purpose: str) -> Request:
        """Decide before the stream starts, so that a refusal is an ordinary answer."""
        request = Request(principal, Action.SUBSCRIBE, EXCHANGE, purpose, principal.region)
        await self._evidence.decide(request)
        return request

    async def stream(
        self, request: Request, after: int | None, alive: Callable[[datetime], bool]
    ) -> AsyncIterator[LeadEvent]:
        """Events after a sequence number (None: from now on), until `alive` says the caller's token is over."""
        at = await self._leads.last_event() if after is None else after
        waited = _HEARTBEAT_SECONDS
        while alive(self._clock.now()):
            grant = await self._evidence.decide(request)
            events = await self._leads.events(self._rows(request.principal, grant), at, _BATCH)
            if events:
                waited, at = 0.0, events[-1][0]
                for event in await self._recorded(request, grant, events):
                    yield event
                continue
            if waited >= _HEARTBEAT_SECONDS:
                waited = 0.0
                yield LeadEvent(at, None)
            await self._leads.wait(_POLL_SECONDS)
            waited += _POLL_SECONDS

    async def _recorded(
        self, request: Request, grant: Grant, events: list[tuple[int, str, Lead]]
    ) -> list[LeadEvent]:
        mask, leads = Mask(EXCHANGES[EXCHANGE], grant), [lead for _, _, lead in events]
        messages = [
            LeadEvent(number, outgoing.event(shown, _change(mask, kind)))
            for (number, kind, _), shown in zip(
                events, self._shown(request.principal, mask, leads), strict=True
            )
        ]
        body = b"\n".join(message.data or b"" for message in messages)
        entry = self._entry(request, grant, body, leads, f"events:{events[-1][0]}")
        await self._evidence.journal.record(entry)
        return messages


def _change(mask: Mask, kind: str) -> str:
    """What happened to a lead says its status: only to who is told of that."""
    return kind if "status" in mask.told else "changed"
