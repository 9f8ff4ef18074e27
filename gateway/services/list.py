"""List exchanges: the rows a grant allows, each child under the consumer's own pseudonym, ordered by it.

A computed list is kept while no fact changes, so that paging through it costs one computation.
"""

import re
from bisect import bisect_right
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from threading import Lock

from gateway.domain.audit import AuditEntry
from gateway.domain.coarsening import COUNTY_DIGITS, Kind, Rule, Rungs, rungs
from gateway.domain.decision import Grant
from gateway.domain.deidentify import KEY, TOWNSHIP_DIGITS, Mask, without_key
from gateway.domain.errors import NotPermitted
from gateway.domain.listing import Release, Table, narrowed, release
from gateway.domain.model import Schooling, SubjectId
from gateway.domain.needy import age_band, need_classes, schooling_word
from gateway.domain.ports import Clock, KeyRing, Likeness, Lists
from gateway.domain.predicate import All, covers
from gateway.domain.rulebook import Rulebook
from gateway.domain.schooling import REGISTER, Thresholds, judge
from gateway.services import pages
from gateway.services.cursor import Cursors
from gateway.services.evidence import Evidence, Request
from schemas.catalogue import EXCHANGES

AID_SOURCE = "aid-payments"
"""No agency hands in aid payments yet, so `aid_received` is unknown and the caller is told why."""

_KEPT = 8
_UNSEALED = {"sealed": False}
"""Nobody on the list is sealed: what the registers say of every row."""
_MADE_HERE = frozenset({"needy-children"})
_VERSION = re.compile(r"[a-z]{2}(\d{1,6})-")


class NeedyChildren:
    """Computes `needy-children`; for worker threads."""

    def __init__(self, lists: Lists, keys: KeyRing, clock: Clock, rulebook: Rulebook) -> None:
        self._lists, self._keys, self._clock, self._book = lists, keys, clock, rulebook

    def key_version(self, consumer: str, after: str | None = None) -> int:
        """The pseudonyms' key version: the one a page was begun with, while it counts; else the one in use."""
        versions = self._keys.pseudonym_versions(consumer)
        begun = _VERSION.match(after or "")
        return int(begun[1]) if begun and int(begun[1]) in versions else versions[0]

    def compute(self, grant: Grant, consumer: str, region: str, key_version: int) -> Release:
        """Every needy child of the region that the grant's rows allow, de-identified."""
        today = self._clock.today()
        kinds = _Kinds(today, self._book)
        subjects, indexes = kinds.read(self._lists.needy(grant.rows, region, today))
        pseudonyms = self._keys.pseudonyms(consumer, subjects, key_version)
        order = sorted(range(len(subjects)), key=pseudonyms.__getitem__)
        as_of, missing = self._freshness(region, today)
        mask = Mask(EXCHANGES[grant.exchange], grant)
        masked = [mask.apply(record) for record in kinds.records]
        table = Table(
            keys=list(map(pseudonyms.__getitem__, order)),
            subjects=list(map(subjects.__getitem__, order)),
            kinds=list(map(indexes.__getitem__, order)),
            alike=[without_key(record) for record in masked] if KEY in mask.told else masked,
            names=tuple(mask.names),
            as_of=as_of,
            missing_sources=missing,
            key_told=KEY in mask.told,
            words=mask.words,
        )
        groups = kinds.groups(mask, indexes)
        return release(table, groups, self._rungs(grant, region, mask, groups), self._rule(grant), region)

    def _rule(self, grant: Grant) -> Rule:
        return self._book.disclosure[grant.exchange]

    def _rungs(self, grant: Grant, region: str, mask: Mask, own: Sequence[Kind]) -> Rungs:
        """How coarse: decided over whole counties, so that every caller of a county is told alike.

        A caller who sees only a part of a county is told no finer than the county, and coarser where the part needs it.
        """
        rule, counties = self._rule(grant), region[:COUNTY_DIGITS]
        if len(region) <= COUNTY_DIGITS and covers(grant.rows, region, _UNSEALED):
            return rungs(rule, own)
        today = self._clock.today()
        kinds = _Kinds(today, self._book)
        _, indexes = kinds.read(self._lists.needy(All(), counties, today))
        return rungs(rule, own, rungs(rule, kinds.groups(mask, indexes)))

    def population(self, grant: Grant, region: str) -> Sequence[Kind]:
        """Every child the registers know of in the region, listed or not, as the grant would tell of it."""
        today, mask = self._clock.today(), Mask(EXCHANGES[grant.exchange], grant)
        return [
            _kind(
                mask, _record(age_band(birth, today), sex, residence[:TOWNSHIP_DIGITS], (), "unknown"), count
            )
            for birth, sex, residence, count in self._lists.population(region, today)
        ]

    def _freshness(self, region: str, today: date) -> tuple[datetime, tuple[str, ...]]:
        as_of = self._lists.register_as_of(region)
        stale = as_of is None or (today - as_of).days > self._book.of(region).limits.register_stale_days
        missing = (REGISTER, AID_SOURCE) if stale else (AID_SOURCE,)
        return datetime.combine(as_of or today, time(), UTC), missing

    def version(self) -> tuple[object, date]:
        """What a computed list is valid for."""
        return self._lists.version(), self._clock.today()


class _Kinds:
    """What is told of a child besides the pseudonym; each different telling is made once."""

    def __init__(self, today: date, book: Rulebook) -> None:
        self._today, self._book = today, book
        self._known: dict[tuple[Likeness, str], int] = {}
        self._bands: dict[date, str] = {}
        self._indexes: dict[tuple[object, ...], int] = {}
        self.records: list[dict[str, object]] = []

    def read(self, rows: Iterable[tuple[SubjectId, Likeness, date]]) -> tuple[list[SubjectId], list[int]]:
        """The needy ones of the children, and the index of what is told of each."""
        subjects: list[SubjectId] = []
        indexes: list[int] = []
        index_of = self.index_of
        for subject, likeness, birth in rows:
            index = index_of(likeness, birth)
            if index >= 0:
                subjects.append(subject)
                indexes.append(index)
        return subjects, indexes

    def groups(self, mask: Mask, indexes: Sequence[int]) -> list[Kind]:
        """What is told of how many, as far as it may single somebody out."""
        counts = Counter(indexes)
        return [_kind(mask, record, counts[index]) for index, record in enumerate(self.records)]

    def index_of(self, likeness: Likeness, birth: date) -> int:
        """The index of what is told of such a child; -1 when the child is not needy."""
        band = self._bands.get(birth)
        if band is None:
            band = self._bands[birth] = age_band(birth, self._today)
        found = self._known.get((likeness, band))
        if found is None:
            found = self._known[likeness, band] = self._learn(likeness, band)
        return found

    def _limits_of(self, alike: Likeness) -> Thresholds:
        """The figures of the county whose register shows them."""
        rows = alike.standings.enrolments
        return self._book.of(rows[0].region).limits if rows else self._book.limits

    def _learn(self, alike: Likeness, band: str) -> int:
        schooling = judge(alike.standings, self._today, self._limits_of(alike)).out_of_school
        classes = need_classes(alike.flags, schooling)
        if not classes:
            return -1
        told = (band, alike.sex, alike.residence[:TOWNSHIP_DIGITS], tuple(classes), schooling)
        found = self._indexes.get(told)
        if found is None:
            found = self._indexes[told] = len(self.records)
            self.records.append(_record(*told))
        return found


def _record(
    band: str, sex: str | None, township: str, classes: tuple[str, ...], schooling: Schooling
) -> dict[str, object]:
    """The contract's fields; the pseudonym's place is kept for the mask."""
    return {
        "pseudonym": None,
        "age_band": band,
        "sex": sex,
        "township": township,
        "need_classes": list(classes),
        "schooling": schooling_word(schooling),
        "aid_received": None,
    }


def _kind(mask: Mask, record: Mapping[str, object], count: int) -> Kind:
    told = mask.apply(record)
    return Kind(str(record["township"]), {name: told[name] for name in _QUASI if name in told}, count)


_QUASI = tuple(field.name for field in EXCHANGES["needy-children"].fields if field.classification == "quasi")


class ListRecords:
    """The use case: one page, evidence first."""

    def __init__(self, evidence: Evidence, needy: NeedyChildren, cursors: Cursors) -> None:
        self._evidence, self._needy, self._cursors = evidence, needy, cursors
        self._kept: OrderedDict[tuple[object, ...], Release] = OrderedDict()
        self._lock = Lock()

    async def decide(self, request: Request) -> Grant:
        """The grant for one of the lists made here; a list with a route of its own is not there."""
        grant = await self._evidence.decide(request)
        if grant.exchange not in _MADE_HERE:
            await self._evidence.failed(request, grant, NotPermitted.name)
            raise NotPermitted
        return grant

    def forget_old(self) -> None:
        """Drop tables computed from facts that have changed since, or gone: they hold children. For a worker thread."""
        version = self._needy.version()
        with self._lock:
            for key in [key for key in self._kept if key[-1] != version]:
                del self._kept[key]

    def table(self, request: Request, grant: Grant, after: str | None = None) -> Table:
        """The whole list, computed or kept; under the key version `after` is of. Runs in a worker thread."""
        version = self._needy.key_version(request.principal.agency, after)
        scope = _scope(request.region, request.principal.region)
        whole = self._find(request, grant, scope, version, self._compute)
        if scope == request.region:
            return whole.table
        narrow = lambda *_: narrowed(whole, request.region)  # noqa: E731 - shorter than its name
        return self._find(request, grant, request.region, version, narrow).table

    def _compute(self, request: Request, grant: Grant, scope: str, key_version: int) -> Release:
        return self._needy.compute(grant, request.principal.agency, scope, key_version)

    def _find(
        self,
        request: Request,
        grant: Grant,
        region: str,
        key_version: int,
        make: Callable[[Request, Grant, str, int], Release],
    ) -> Release:
        key = (
            grant.exchange,
            request.principal.agency,
            request.principal.region,
            region,
            key_version,
            grant.rows,
            tuple(sorted(grant.fields.items())),
            self._needy.version(),
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

    def page(
        self, request: Request, grant: Grant, limit: int, cursor: str | None
    ) -> tuple[bytes, AuditEntry]:
        """One page's bytes and the entry that must be committed before they leave."""
        client = request.principal.client
        keyed = KEY in Mask(EXCHANGES[grant.exchange], grant).told
        after = self._cursors.read(cursor, client, keyed)
        table = self.table(request, grant, after)
        start = bisect_right(table.keys, after) if after else 0
        stop = min(start + limit, len(table.keys))
        last = table.keys[stop - 1] if start < stop < len(table.keys) else None
        page = pages.Page(
            table.rows(start, stop),
            self._cursors.told(last, client, table.keyed),
            table.as_of,
            table.missing_sources,
            table.disclosure(),
            members=table.subjects[start:stop],
            cut_from=(table.subjects, start),
            fields=table.words,
        )
        return pages.written(self._evidence, request, grant, page)


def _scope(region: str, reach: str) -> str:
    """The list a smaller region is cut out of: its county's, or as much of the county as the caller reaches."""
    county = region[:COUNTY_DIGITS]
    return county if county.startswith(reach) else reach
