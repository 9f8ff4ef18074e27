"""List exchanges: the rows a grant allows, each child under the consumer's own pseudonym, ordered by it.

A computed list is kept while no fact changes, so that paging through it costs one computation. Which lists there are,
and who is on each, is `gateway.services.child_lists`.
"""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable
from threading import Lock

from gateway.domain.audit import AuditEntry
from gateway.domain.decision import Grant
from gateway.domain.deidentify import KEY, Mask
from gateway.domain.errors import Malformed, NotPermitted
from gateway.domain.listing import Release, Table, narrowed
from gateway.domain.predicate import COUNTY_DIGITS
from gateway.services import pages
from gateway.services.child_lists.making import ChildList
from gateway.services.cursor import Cursors
from gateway.services.evidence import Evidence, Request
from schemas.catalogue import EXCHANGES

_KEPT = 8


class ListRecords:
    """The use case: one page, evidence first."""

    def __init__(self, evidence: Evidence, lists: Iterable[ChildList], cursors: Cursors) -> None:
        self._evidence, self._cursors = evidence, cursors
        self._lists = {each.noun.exchange: each for each in lists}
        self._kept: OrderedDict[tuple[object, ...], Release] = OrderedDict()
        self._lock = Lock()

    async def decide(self, request: Request) -> Grant:
        """The grant for one of the lists made here; a list with a route of its own is not there.

        Malformed for a term that the list does not have.
        """
        grant = await self._evidence.decide(request)
        try:
            if grant.exchange not in self._lists:
                raise NotPermitted
            self._lists[grant.exchange].noun.part(request.term)
        except (NotPermitted, Malformed) as error:
            await self._evidence.failed(request, grant, error.name)
            raise
        return grant

    def forget_old(self) -> None:
        """Drop tables computed from facts that have changed since, or gone: they hold children. For a worker thread."""
        versions = {name: each.version() for name, each in self._lists.items()}
        with self._lock:
            for key in [key for key in self._kept if key[-1] != versions[str(key[0])]]:
                del self._kept[key]

    def table(self, request: Request, grant: Grant, after: str | None = None) -> Table:
        """The whole list, computed or kept; under the key version `after` is of. Runs in a worker thread."""
        version = self._lists[grant.exchange].key_version(request.principal.agency, after)
        scope = _scope(request.region, request.principal.region)
        whole = self._find(request, grant, scope, version, self._compute)
        if scope == request.region or not self._lists[grant.exchange].places_told:
            return whole.table
        narrow = lambda *_: narrowed(whole, request.region)  # noqa: E731 - shorter than its name
        return self._find(request, grant, request.region, version, narrow).table

    def _compute(self, request: Request, grant: Grant, scope: str, key_version: int) -> Release:
        found = self._lists[grant.exchange]
        part = found.noun.part(request.term)
        return found.compute(grant, request.principal.agency, scope, key_version, part)

    def _find(
        self,
        request: Request,
        grant: Grant,
        region: str,
        key_version: int,
        make: Callable[[Request, Grant, str, int], Release],
    ) -> Release:
        child_list = self._lists[grant.exchange]
        key = (
            grant.exchange,
            child_list.noun.part(request.term),
            request.principal.agency,
            request.principal.region,
            region,
            key_version,
            grant.rows,
            tuple(sorted(grant.fields.items())),
            child_list.version(),
        )
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
        if found is None:
            found = make(request, grant, region, key_version)
            with self._lock:
                self._kept[key] = found
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
        return found

    def detail(self, request: Request) -> str:
        """What the evidence says of the part that was asked for: ``term:2026-2027-1``; nothing of a whole list."""
        part = self._lists[request.exchange].noun.part(request.term)
        return f"term:{part}" if part else ""

    def page(
        self, request: Request, grant: Grant, limit: int, cursor: str | None
    ) -> tuple[bytes, AuditEntry]:
        """One page's bytes and the entry that must be committed before they leave."""
        keyed = KEY in Mask(EXCHANGES[grant.exchange], grant).told
        after = self._cursors.read(cursor, request, keyed)
        table = self.table(request, grant, after)
        start = bisect_right(table.keys, after) if after else 0
        stop = min(start + limit, len(table.keys))
        last = table.keys[stop - 1] if start < stop < len(table.keys) else None
        page = pages.Page(
            table.rows(start, stop),
            self._cursors.told(last, request, table.keyed),
            table.as_of,
            table.missing_sources,
            table.disclosure(),
            members=table.subjects[start:stop],
            cut_from=(table.subjects, start),
            detail=self.detail(request),
            fields=table.words,
        )
        return pages.written(self._evidence, request, grant, page)


def _scope(region: str, reach: str) -> str:
    """The list a smaller region is cut out of: its county's, or as much of the county as the caller reaches."""
    county = region[:COUNTY_DIGITS]
    return county if county.startswith(reach) else reach
