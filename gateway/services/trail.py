"""The auditor's view: entries of the evidence and alarms, of the auditor's region, through the one mask.

The look itself is in the evidence before it is told. Entries name no child, and neither do alarms.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gateway.domain.alarms import TITLES
from gateway.domain.audit import AuditEntry
from gateway.domain.deidentify import Mask
from gateway.domain.errors import NotPermitted
from gateway.domain.log.ports import AuditTrail, EntryQuery
from gateway.domain.moments import to_second
from gateway.domain.ports import Clock, Transaction
from gateway.domain.predicate import InRegion, conjunction
from gateway.domain.principal import Principal
from gateway.services import outgoing, pages
from gateway.services.evidence import Evidence, Request
from gateway.services.transparency import EXCHANGE
from schemas.catalogue import EXCHANGES, Action

ALARMS = "alarms"


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """What the auditor asked for. `equal`: members of an entry and the value each must have."""

    equal: Mapping[str, str] = field(default_factory=dict)
    since: datetime | None = None
    until: datetime | None = None
    reference: str | None = None
    region: str | None = None
    after: int = 0
    limit: int = 100


def alarm_record(row: Mapping[str, Any]) -> Mapping[str, object]:
    """An alarm in the shape of a lead, with words for its kind, before the mask."""
    title = TITLES.get(row["kind"], (row["kind"], row["kind"]))
    return {
        "id": row["id"],
        "rule": row["kind"],
        "title_zh": title[0],
        "title_en": title[1],
        "case": None,
        "region": row["region"],
        "status": row["status"],
        "opened_at": to_second(row["first_at"]),
        "due_on": None,
        "facts": [row["facts"]],
        "raised": row["raised"],
        "about": row["about"],
    }


class Trail:
    """The use cases of the auditor."""

    def __init__(self, evidence: Evidence, trail: AuditTrail, clock: Clock) -> None:
        self._evidence, self._trail, self._clock = evidence, trail, clock

    async def entries(self, principal: Principal, purpose: str, asked: EntryFilter) -> bytes:
        """One page, oldest first. A page may be short while `next_cursor` says that the log goes on."""
        request = Request(principal, Action.LIST, EXCHANGE, purpose, asked.region or principal.region)
        grant = await self._evidence.decide(request)
        query = EntryQuery(
            rows=grant.rows,
            equal=asked.equal,
            since=asked.since,
            until=asked.until,
            reference=asked.reference,
            region=asked.region,
            after=asked.after,
            limit=asked.limit,
        )
        found = await asyncio.to_thread(self._trail.entries, query)
        mask = Mask(EXCHANGES[EXCHANGE], grant)
        items = [mask.apply(body) for _, body in found.entries]
        cursor = str(found.next_after) if found.next_after is not None else None
        page = pages.Page(items, cursor, self._clock.now())
        return await pages.told(self._evidence, request, grant, page)

    async def alarms(
        self,
        principal: Principal,
        purpose: str,
        region: str | None,
        status: str | None,
        cursor: str | None,
        limit: int,
    ) -> bytes:
        """One page of alarms, ordered by id."""
        request = Request(principal, Action.LIST, ALARMS, purpose, region or principal.region)
        grant = await self._evidence.decide(request)
        rows = conjunction([grant.rows, InRegion("region", region)]) if region else grant.rows
        found = await asyncio.to_thread(self._trail.alarms, rows, status, cursor, limit + 1)
        mask = Mask(EXCHANGES[ALARMS], grant)
        shown, last = pages.cut(found, limit)
        items = [mask.apply(alarm_record(row)) for row in shown]
        page = pages.Page(items, str(last["id"]) if last else None, self._clock.now())
        return await pages.told(self._evidence, request, grant, page)

    async def acknowledge(self, principal: Principal, purpose: str, alarm_id: str) -> tuple[bytes, str]:
        """The alarm after it was marked as seen, and the reference. NotPermitted when it is out of reach."""
        request = Request(principal, Action.LIST, ALARMS, purpose, principal.region)
        grant = await self._evidence.decide(request)
        row = await asyncio.to_thread(self._trail.alarm, alarm_id, grant.rows)
        if row is None:
            await self._evidence.failed(request, grant, "unknown-alarm")
            raise NotPermitted
        by, now = principal.person, self._clock.now()
        seen = alarm_record({**row, "status": "acknowledged"})
        body = outgoing.single(Mask(EXCHANGES[ALARMS], grant).apply(seen))
        digest, detail = hashlib.sha256(body).hexdigest(), f"acknowledged:{alarm_id}"
        entry = self._evidence.entry(request, grant, count=1, digest=digest, detail=detail)

        def work(transaction: Transaction) -> tuple[None, AuditEntry]:
            transaction.acknowledge_alarm(alarm_id, by, now)
            return None, entry

        await self._evidence.journal.perform(work)
        return body, entry.reference
