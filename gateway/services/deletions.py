"""Deletion notices: read by the agency and region that learnt of the child under its own pseudonym, confirmed once.

Source: 个人信息保护法 art. 47; the recipient deletes its own copy and says so.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from gateway.domain.decision import Grant
from gateway.domain.deidentify import Mask
from gateway.domain.errors import NotPermitted
from gateway.domain.moments import to_second
from gateway.domain.ports import Clock
from gateway.domain.principal import Principal
from gateway.domain.purging import Notice, NoticeQuery, Notices
from gateway.services import outgoing, pages
from gateway.services.evidence import Evidence, Request
from schemas.catalogue import EXCHANGES, Action

EXCHANGE = "deletions"
PURPOSES = EXCHANGES[EXCHANGE].purposes


@dataclass(frozen=True, slots=True)
class NoticeFilter:
    """What a caller asked for: `received` None for both kinds."""

    received: bool | None = None
    cursor: str | None = None
    limit: int = 100


def record_of(notice: Notice) -> Mapping[str, object]:
    """A notice as the contract shows it, before the mask."""
    received = notice.received_at
    return {
        "id": notice.id,
        "exchanges": list(notice.exchanges),
        "pseudonyms": list(notice.pseudonyms),
        "deleted_on": notice.deleted_on.isoformat(),
        "due_on": notice.due_on.isoformat(),
        "received_at": to_second(received) if received else None,
    }


class Deletions:
    """The use cases. What reads or writes notices runs in a worker thread."""

    def __init__(self, evidence: Evidence, notices: Notices, clock: Clock) -> None:
        self._evidence, self._notices, self._clock = evidence, notices, clock

    async def _decide(self, principal: Principal, purpose: str | None) -> tuple[Request, Grant]:
        """May this caller read and confirm notices, for the caller's own region? Without a purpose: for the caller's."""
        requests = [
            Request(principal, Action.SUBSCRIBE, EXCHANGE, each, principal.region)
            for each in (PURPOSES if purpose is None else (purpose,))
        ]
        if purpose is not None:
            return requests[0], await self._evidence.decide(requests[0])
        return await self._evidence.decide_any(requests)

    async def find(self, principal: Principal, purpose: str | None, asked: NoticeFilter) -> bytes:
        """One page, oldest first; in the evidence before it is told."""
        request, grant = await self._decide(principal, purpose)
        query = self._query(principal, grant, asked)
        found = await asyncio.to_thread(self._notices.find, query)
        shown, last = pages.cut(found, asked.limit)
        mask = Mask(EXCHANGES[EXCHANGE], grant)
        items = [mask.apply(record_of(notice)) for notice in shown]
        page = pages.Page(items, last.id if last else None, self._clock.now())
        return await pages.told(self._evidence, request, grant, page)

    def _query(self, principal: Principal, grant: Grant, asked: NoticeFilter) -> NoticeQuery:
        return NoticeQuery(
            principal.agency, principal.region, grant.rows, asked.received, asked.cursor, asked.limit + 1
        )

    async def receive(self, principal: Principal, notice_id: str) -> bytes:
        """The notice, confirmed; confirming again keeps the first. NotPermitted when it is not the caller's."""
        request, grant = await self._decide(principal, None)
        mine = self._query(principal, grant, NoticeFilter())
        notice = await asyncio.to_thread(self._notices.one, notice_id, mine)
        if notice is None:
            await self._evidence.failed(request, grant, NotPermitted.name)
            raise NotPermitted
        now, by = self._clock.now(), principal.name
        received = replace(notice, received_at=notice.received_at or now)
        body = outgoing.single(Mask(EXCHANGES[EXCHANGE], grant).apply(record_of(received)))
        entry = self._evidence.entry(
            request, grant, count=1, digest=hashlib.sha256(body).hexdigest(), detail=f"received:{notice.id}"
        )
        await asyncio.to_thread(self._notices.receive, notice.id, by, now, entry)
        return body
