"""The three ledgers for those who keep children in school: pages and counts, each in the evidence before it is told.

Who asks waits until everything committed before is on the ledger: a file handed in a moment ago is on the next page.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from gateway.domain.decision import Grant
from gateway.domain.deidentify import Mask, Released
from gateway.domain.errors import HuxueError, Malformed, NotPermitted
from gateway.domain.ledger import STATUSES, Ledger
from gateway.domain.ledger_desk import LedgerKeeper, LedgerLine, LedgerQuery, Ledgers
from gateway.domain.ports import Clock, KeyRing
from gateway.domain.principal import Principal
from gateway.domain.rulebook import Rulebook
from gateway.domain.schooling import REGISTER
from gateway.services import pages
from gateway.services.cursor import Cursors
from gateway.services.evidence import Evidence, Request
from schemas.catalogue import EXCHANGES, Action

EXCHANGE = "ledgers"
PURPOSE = "dropout_control"
_LINE = frozenset({"case", "child", "status", "since", "township", "school", "sources", "carried_forward"})
_COUNT = frozenset({"ledger", "status", "children"})


@dataclass(frozen=True, slots=True)
class LedgerFilter:
    """What a caller asked for; without a region, everything in the caller's reach; without a day, today."""

    region: str | None = None
    as_of: date | None = None
    status: str | None = None
    cursor: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a page begins: the day it is about, and the last line before it."""

    day: date
    after: tuple[str, bytes]


class LedgerPages:
    """The use cases around ledgers."""

    def __init__(
        self,
        evidence: Evidence,
        ledgers: Ledgers,
        keeper: LedgerKeeper,
        keys: KeyRing,
        clock: Clock,
        cursors: Cursors,
        rulebook: Rulebook,
    ) -> None:
        self._evidence, self._ledgers, self._keeper, self._keys = evidence, ledgers, keeper, keys
        self._clock, self._cursors, self._book = clock, cursors, rulebook

    async def find(self, principal: Principal, purpose: str, name: str, asked: LedgerFilter) -> bytes:
        """One page of the ledger of that name; NotPermitted when there is none, as for any other refusal."""
        if name not in set(Ledger):
            await self._evidence.refused(principal, NotPermitted.name)
            raise NotPermitted
        ledger = Ledger(name)
        request, grant = await self._granted(principal, purpose, asked)
        mask = Mask(EXCHANGES[EXCHANGE], grant, _LINE)
        try:
            self._check(mask, ledger, asked)
            place = self._place(asked.cursor, request, ledger)
            query = await self._query(request, grant, ledger, asked, place)
        except HuxueError as error:
            await self._evidence.failed(request, grant, error.name)
            raise
        found, missing = await asyncio.to_thread(self._read, query)
        lines, last = pages.cut(found, asked.limit)
        end = f"{query.day}:{last.region}:{last.subject.hex()}" if last else None
        subjects = [line.subject for line in lines]
        page = pages.Page(
            self._shown(principal, mask, lines),
            self._cursors.told(end, request, released=False, part=ledger),
            _moment(query.day),
            missing,
            members=subjects,
            cut_from=(subjects, 0),
            detail=str(ledger),
            fields=mask.words,
        )
        return await pages.told(self._evidence, request, grant, page)

    async def count(self, principal: Principal, purpose: str, asked: LedgerFilter) -> bytes:
        """How many children of each status every ledger has, within the caller's reach: exact, the team's own lists."""
        request, grant = await self._granted(principal, purpose, asked)
        mask = Mask(EXCHANGES[EXCHANGE], grant, _COUNT)
        try:
            self._check(Mask(EXCHANGES[EXCHANGE], grant), Ledger.SCHOOL_AGE, asked)
            query = await self._query(request, grant, Ledger.SCHOOL_AGE, asked, None)
        except HuxueError as error:
            await self._evidence.failed(request, grant, error.name)
            raise
        found, missing = await asyncio.to_thread(
            lambda: (self._ledgers.counts(query), self._missing(query.region, query.day))
        )
        items = [
            mask.apply({"ledger": str(each.ledger), "status": each.status, "children": each.children})
            for each in found
        ]
        page = pages.Page(items, None, _moment(query.day), missing, detail="counts", fields=mask.words)
        return await pages.told(self._evidence, request, grant, page)

    async def _granted(
        self, principal: Principal, purpose: str, asked: LedgerFilter
    ) -> tuple[Request, Grant]:
        request = Request(principal, Action.SUBSCRIBE, EXCHANGE, purpose, asked.region or principal.region)
        return request, await self._evidence.decide(request)

    def _check(self, mask: Mask, ledger: Ledger, asked: LedgerFilter) -> None:
        """A filter answers a question about its field: only for who is told the field."""
        filters = {"status": asked.status, "township": asked.region}
        if any(value is not None and name not in mask.told for name, value in filters.items()):
            raise NotPermitted
        if asked.status is not None and asked.status not in STATUSES[ledger]:
            zh, en = "该台账没有这种状态。", "The ledger has no such status."
            raise Malformed.of("bad_field", zh, en, "/status")

    def _place(self, cursor: str | None, request: Request, ledger: Ledger) -> _Place | None:
        text = self._cursors.read(cursor, request, released=False, part=ledger)
        if text is None:
            return None
        day, region, subject = text.split(":")
        return _Place(date.fromisoformat(day), (region, bytes.fromhex(subject)))

    async def _query(
        self, request: Request, grant: Grant, ledger: Ledger, asked: LedgerFilter, place: _Place | None
    ) -> LedgerQuery:
        """The question, once the ledgers it is about are up to date. A page keeps the day of the one before it."""
        today = self._clock.today()
        day = asked.as_of or (place.day if place else today)
        if day > today:
            raise _no_such_day("该日期尚未到来。", "That day is still to come.")
        counties = await asyncio.to_thread(self._refreshed, request.region, today)
        first = await asyncio.to_thread(self._ledgers.first_day, counties)
        if day < (first or today):
            raise _no_such_day("该日期尚无台账。", "There were no ledgers yet on that day.")
        return LedgerQuery(
            ledger=ledger,
            rows=grant.rows,
            region=request.region,
            day=day,
            within=asked.region,
            status=asked.status,
            after=place.after if place else None,
            limit=asked.limit + 1,
        )

    def _refreshed(self, region: str, today: date) -> Sequence[str]:
        counties = self._ledgers.counties(region)
        for county in counties:
            self._keeper.refresh(county, today)
        return counties

    def _read(self, query: LedgerQuery) -> tuple[Sequence[LedgerLine], tuple[str, ...]]:
        return self._ledgers.page(query), self._missing(query.region, query.day)

    def _missing(self, region: str, day: date) -> tuple[str, ...]:
        counties = self._ledgers.counties(region)
        stale = not counties or any(
            self._ledgers.stale((county,), day, self._book.of(county).limits.register_stale_days)
            for county in counties
        )
        return (REGISTER,) if stale else ()

    def _shown(self, principal: Principal, mask: Mask, lines: Sequence[LedgerLine]) -> list[Released]:
        """Each child under the pseudonym of the caller's own agency."""
        known: Sequence[str | None] = [None] * len(lines)
        if "child" in mask.names:
            known = self._keys.pseudonyms(principal.agency, [line.subject for line in lines])
        return [mask.apply(_record(line, name)) for line, name in zip(lines, known, strict=True)]


def _record(line: LedgerLine, child: str | None) -> Mapping[str, object]:
    """A line as the contract shows it, before the mask."""
    return {
        "case": line.case,
        "child": child,
        "status": line.status,
        "since": line.since.isoformat(),
        "township": line.township,
        "school": line.school,
        "sources": line.sources,
        "carried_forward": line.carried_forward,
    }


def _moment(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _no_such_day(zh: str, en: str) -> Malformed:
    return Malformed.of("bad_field", zh, en, "/as_of")
