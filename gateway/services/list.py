"""List exchanges: the rows a grant allows, each child under the consumer's own pseudonym, ordered by it.

A computed list is kept while no fact changes, so that paging through it costs one computation.
"""

import hashlib
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from threading import Lock

import orjson

from gateway.domain.audit import AuditEntry
from gateway.domain.decision import Grant
from gateway.domain.deidentify import TOWNSHIP_DIGITS, Mask
from gateway.domain.model import SchoolingAnswer, Standings
from gateway.domain.needy import age_band, need_classes, schooling_word
from gateway.domain.ports import Clock, KeyRing, Lists, NeedyRow
from gateway.domain.rulebook import Rulebook
from gateway.domain.schooling import REGISTER, judge
from gateway.services.evidence import Evidence, Request, new_reference
from schemas.catalogue import EXCHANGES

AID_SOURCE = "aid-payments"
"""No agency hands in aid payments yet, so `aid_received` is unknown and the caller is told why."""

_KEPT = 8
Columns = Mapping[str, Sequence[object]]


@dataclass(frozen=True, slots=True)
class Table:
    """A whole list as one consumer gets it: released columns of equal length, ordered by pseudonym."""

    keys: Sequence[str]
    columns: Columns
    as_of: datetime
    missing_sources: tuple[str, ...]

    def rows(self, start: int, stop: int) -> list[dict[str, object]]:
        """Rows as objects."""
        parts = {name: values[start:stop] for name, values in self.columns.items()}
        return [dict(zip(parts, row, strict=True)) for row in zip(*parts.values(), strict=True)]


class NeedyChildren:
    """Computes `needy-children`; for worker threads."""

    def __init__(self, lists: Lists, keys: KeyRing, clock: Clock, rulebook: Rulebook) -> None:
        self._lists, self._keys, self._clock, self._book = lists, keys, clock, rulebook

    def compute(self, grant: Grant, consumer: str, region: str) -> Table:
        """Every needy child of the region that the grant's rows allow, de-identified."""
        today = self._clock.today()
        rows = self._rows(grant, region, today)
        pseudonyms = self._keys.pseudonyms(consumer, [row.subject for row, *_ in rows])
        order = sorted(range(len(rows)), key=pseudonyms.__getitem__)
        keys = [pseudonyms[index] for index in order]
        columns = self._columns([rows[index] for index in order], keys, today)
        as_of, missing = self._freshness(region, today)
        mask = Mask(EXCHANGES[grant.exchange], grant)
        return Table(keys, mask.columns(columns), as_of, missing)

    def _rows(
        self, grant: Grant, region: str, today: date
    ) -> list[tuple[NeedyRow, SchoolingAnswer, list[str]]]:
        judged: dict[Standings, SchoolingAnswer] = {}
        classed: dict[tuple[object, str], list[str]] = {}
        kept = []
        for row in self._lists.needy(grant.rows, region, today):
            answer = judged.get(row.standings)
            if answer is None:
                answer = judged[row.standings] = judge(row.standings, today, self._book.limits)
            key = (row.flags, answer.out_of_school)
            classes = classed.get(key)
            if classes is None:
                classes = classed[key] = need_classes(row.flags, answer.out_of_school)
            if classes:
                kept.append((row, answer, classes))
        return kept

    def _columns(
        self, rows: Sequence[tuple[NeedyRow, SchoolingAnswer, list[str]]], keys: Sequence[str], today: date
    ) -> Columns:
        births = {row.birth_date for row, *_ in rows}
        bands = {birth: age_band(birth, today) for birth in births}
        return {
            "pseudonym": keys,
            "age_band": [bands[row.birth_date] for row, *_ in rows],
            "sex": [row.sex for row, *_ in rows],
            "township": [row.residence[:TOWNSHIP_DIGITS] for row, *_ in rows],
            "need_classes": [classes for *_, classes in rows],
            "schooling": [schooling_word(answer.out_of_school) for _, answer, _ in rows],
            "aid_received": [None] * len(rows),
        }

    def _freshness(self, region: str, today: date) -> tuple[datetime, tuple[str, ...]]:
        as_of = self._lists.register_as_of(region)
        stale = as_of is None or (today - as_of).days > self._book.limits.register_stale_days
        missing = (REGISTER, AID_SOURCE) if stale else (AID_SOURCE,)
        return datetime.combine(as_of or today, time(), UTC), missing

    def version(self) -> tuple[object, date]:
        """What a computed list is valid for."""
        return self._lists.version(), self._clock.today()


class ListRecords:
    """The use case: one page, evidence first."""

    def __init__(self, evidence: Evidence, needy: NeedyChildren, clock: Clock) -> None:
        self._evidence, self._needy, self._clock = evidence, needy, clock
        self._kept: OrderedDict[tuple[object, ...], Table] = OrderedDict()
        self._lock = Lock()

    def table(self, grant: Grant, consumer: str, region: str) -> Table:
        """The whole list, computed or kept. Runs in a worker thread."""
        key = (
            grant.exchange,
            consumer,
            region,
            grant.rows,
            tuple(sorted(grant.fields.items())),
            self._needy.version(),
        )
        with self._lock:
            found = self._kept.get(key)
        if found is None:
            found = self._needy.compute(grant, consumer, region)
            with self._lock:
                self._kept[key] = found
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
        return found

    def page(
        self, request: Request, grant: Grant, limit: int, cursor: str | None
    ) -> tuple[bytes, AuditEntry]:
        """One page's bytes and the entry that must be committed before they leave."""
        table = self.table(grant, request.principal.agency, request.region)
        start = bisect_right(table.keys, cursor) if cursor else 0
        stop = min(start + limit, len(table.keys))
        reference = new_reference(self._clock.now())
        body = orjson.dumps(
            {
                "items": table.rows(start, stop),
                "next_cursor": table.keys[stop - 1] if start < stop < len(table.keys) else None,
                "as_of": table.as_of.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "missing_sources": table.missing_sources,
                "reference": reference,
            }
        )
        entry = self._evidence.entry(
            request,
            grant,
            reference=reference,
            count=stop - start,
            digest=hashlib.sha256(body).hexdigest(),
        )
        return body, entry
