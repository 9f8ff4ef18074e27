"""List exchanges: the rows a grant allows, each child under the consumer's own pseudonym, ordered by it.

A computed list is kept while no fact changes, so that paging through it costs one computation.
"""

import hashlib
import re
from bisect import bisect_right
from collections import OrderedDict
from datetime import UTC, date, datetime, time
from threading import Lock

import orjson

from gateway.domain.audit import AuditEntry
from gateway.domain.decision import Grant
from gateway.domain.deidentify import TOWNSHIP_DIGITS, Mask
from gateway.domain.listing import KEY, Table
from gateway.domain.model import Schooling, SubjectId
from gateway.domain.needy import age_band, need_classes, schooling_word
from gateway.domain.ports import Clock, KeyRing, Likeness, Lists
from gateway.domain.rulebook import Rulebook
from gateway.domain.schooling import REGISTER, Thresholds, judge
from gateway.services.evidence import Evidence, Request, new_reference
from schemas.catalogue import EXCHANGES

AID_SOURCE = "aid-payments"
"""No agency hands in aid payments yet, so `aid_received` is unknown and the caller is told why."""

_KEPT = 8
_VERSION = re.compile(r"[a-z]{2}(\d{1,6})-")


class NeedyChildren:
    """Computes `needy-children`; for worker threads."""

    def __init__(self, lists: Lists, keys: KeyRing, clock: Clock, rulebook: Rulebook) -> None:
        self._lists, self._keys, self._clock, self._book = lists, keys, clock, rulebook

    def key_version(self, consumer: str, cursor: str | None = None) -> int:
        """The pseudonyms' key version: the one a page was begun with, while it counts; else the one in use."""
        versions = self._keys.pseudonym_versions(consumer)
        begun = _VERSION.match(cursor or "")
        return int(begun[1]) if begun and int(begun[1]) in versions else versions[0]

    def compute(self, grant: Grant, consumer: str, region: str, key_version: int) -> Table:
        """Every needy child of the region that the grant's rows allow, de-identified."""
        today = self._clock.today()
        kinds = _Kinds(today, self._book.limits)
        subjects: list[SubjectId] = []
        indexes: list[int] = []
        for subject, likeness, birth in self._lists.needy(grant.rows, region, today):
            index = kinds.index_of(likeness, birth)
            if index >= 0:
                subjects.append(subject)
                indexes.append(index)
        pseudonyms = self._keys.pseudonyms(consumer, subjects, key_version)
        order = sorted(range(len(subjects)), key=pseudonyms.__getitem__)
        as_of, missing = self._freshness(region, today)
        mask = Mask(EXCHANGES[grant.exchange], grant)
        return Table(
            keys=[pseudonyms[index] for index in order],
            subjects=[subjects[index] for index in order],
            kinds=[indexes[index] for index in order],
            alike=[_without_key(mask.apply(record)) for record in kinds.records],
            names=tuple(mask.names),
            as_of=as_of,
            missing_sources=missing,
        )

    def _freshness(self, region: str, today: date) -> tuple[datetime, tuple[str, ...]]:
        as_of = self._lists.register_as_of(region)
        stale = as_of is None or (today - as_of).days > self._book.limits.register_stale_days
        missing = (REGISTER, AID_SOURCE) if stale else (AID_SOURCE,)
        return datetime.combine(as_of or today, time(), UTC), missing

    def version(self) -> tuple[object, date]:
        """What a computed list is valid for."""
        return self._lists.version(), self._clock.today()


def _without_key(record: dict[str, object]) -> dict[str, object]:
    record.pop(KEY, None)
    return record


class _Kinds:
    """What is told of a child besides the pseudonym; each different telling is made once."""

    def __init__(self, today: date, limits: Thresholds) -> None:
        self._today, self._limits = today, limits
        self._known: dict[tuple[Likeness, str], int] = {}
        self._bands: dict[date, str] = {}
        self._indexes: dict[tuple[object, ...], int] = {}
        self.records: list[dict[str, object]] = []

    def index_of(self, likeness: Likeness, birth: date) -> int:
        """The index of what is told of such a child; -1 when the child is not needy."""
        band = self._bands.get(birth)
        if band is None:
            band = self._bands[birth] = age_band(birth, self._today)
        found = self._known.get((likeness, band))
        if found is None:
            found = self._known[likeness, band] = self._learn(likeness, band)
        return found

    def _learn(self, alike: Likeness, band: str) -> int:
        schooling = judge(alike.standings, self._today, self._limits).out_of_school
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


class ListRecords:
    """The use case: one page, evidence first."""

    def __init__(self, evidence: Evidence, needy: NeedyChildren, clock: Clock) -> None:
        self._evidence, self._needy, self._clock = evidence, needy, clock
        self._kept: OrderedDict[tuple[object, ...], Table] = OrderedDict()
        self._lock = Lock()

    def table(self, grant: Grant, consumer: str, region: str, cursor: str | None = None) -> Table:
        """The whole list, computed or kept. Runs in a worker thread."""
        key_version = self._needy.key_version(consumer, cursor)
        key = (
            grant.exchange,
            consumer,
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
            found = self._needy.compute(grant, consumer, region, key_version)
            with self._lock:
                self._kept[key] = found
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
        return found

    def page(
        self, request: Request, grant: Grant, limit: int, cursor: str | None
    ) -> tuple[bytes, AuditEntry]:
        """One page's bytes and the entry that must be committed before they leave."""
        table = self.table(grant, request.principal.agency, request.region, cursor)
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
            members=table.subjects[start:stop],
        )
        return body, entry
