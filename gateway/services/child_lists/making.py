"""A list of children as one consumer may have it: own pseudonyms, masked, as coarse as k demands.

What is on a list its `Noun` says; every list is put together here, so that none is told by another way.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Protocol

from gateway.domain.coarsening import Kind, Rule, Rungs, Step, rungs
from gateway.domain.decision import Grant
from gateway.domain.deidentify import KEY, Mask, without_key
from gateway.domain.errors import Malformed
from gateway.domain.listing import Release, Table, release
from gateway.domain.model import SubjectId
from gateway.domain.ports import Clock, KeyRing
from gateway.domain.predicate import COUNTY_DIGITS, All, Predicate, covers
from gateway.domain.rulebook import Rulebook
from schemas.catalogue import EXCHANGES

_UNSEALED = {"sealed": False}
"""Nobody on the lists is sealed: what the registers say of every row."""
_VERSION = re.compile(r"[a-z]{2}(\d{1,6})-")
NO_QUASI = Rule(k=0, place="township", steps=(Step("township", county=True),), threshold=1.0)
"""For lists that tell no quasi-identifier: there is nothing to make coarser, and a place narrows them to counties."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """Children on a list: `indexes[i]` says which of `records` is told of `subjects[i]`; `places[j]` where those live.

    `as_of` is the day the facts are of, `missing` the sources that said nothing.
    """

    subjects: Sequence[SubjectId]
    indexes: Sequence[int]
    records: Sequence[Mapping[str, object]]
    places: Sequence[str]
    as_of: date | None = None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Likely:
    """Children somebody could hold a list against, alike in all that is told: the record, where they live, how many."""

    record: Mapping[str, object]
    place: str
    count: int


class Noun(Protocol):
    """One list: who is on it. Every record has all the fields of the exchange; the pseudonym's place is kept for the
    mask."""

    @property
    def exchange(self) -> str:
        """The exchange's id."""
        ...

    def part(self, asked: str | None) -> str | None:
        """The part of the list (a term) that is meant; Malformed for one the list does not have."""
        ...

    def parts(self) -> Sequence[str | None]:
        """The parts that may be asked for today: all of them are told equally coarse."""
        ...

    def gather(self, rows: Predicate, region: str, part: str | None) -> Gathered:
        """Everybody of the region on the list whom the rows allow."""
        ...

    def population(self, region: str) -> Sequence[Likely]:
        """Every child the registers know of in the region, listed or not."""
        ...

    def version(self) -> object:
        """Changes when any fact does."""
        ...


def no_part(asked: str | None) -> None:
    """The part of a list that has none; Malformed when one was asked for."""
    if asked is not None:
        zh, en = "该名单不分学期，请勿填写 term。", "This list has no terms; leave out term."
        raise Malformed.of("bad_field", zh, en, "/term")


class ChildList:
    """Computes one list; for worker threads."""

    def __init__(self, noun: Noun, keys: KeyRing, clock: Clock, rulebook: Rulebook) -> None:
        self.noun = noun
        self._keys, self._clock, self._book = keys, clock, rulebook
        exchange = EXCHANGES[noun.exchange]
        self._quasi = tuple(field.name for field in exchange.fields if field.classification == "quasi")

    @property
    def places_told(self) -> bool:
        """Whether the list says where children live at all; asking for a small region of one that does not must not."""
        return bool(self._quasi)

    def key_version(self, consumer: str, after: str | None = None) -> int:
        """The pseudonyms' key version: the one a page was begun with, while it counts; else the one in use."""
        versions = self._keys.pseudonym_versions(consumer)
        begun = _VERSION.match(after or "")
        return int(begun[1]) if begun and int(begun[1]) in versions else versions[0]

    def compute(
        self, grant: Grant, consumer: str, region: str, key_version: int, part: str | None = None
    ) -> Release:
        """Every child of the region that the grant's rows allow, de-identified."""
        found = self.noun.gather(grant.rows, region, part)
        subjects, indexes = found.subjects, found.indexes
        pseudonyms = self._keys.pseudonyms(consumer, subjects, key_version)
        order = sorted(range(len(subjects)), key=pseudonyms.__getitem__)
        mask = Mask(EXCHANGES[grant.exchange], grant)
        masked = [mask.apply(record) for record in found.records]
        table = Table(
            keys=list(map(pseudonyms.__getitem__, order)),
            subjects=list(map(subjects.__getitem__, order)),
            kinds=list(map(indexes.__getitem__, order)),
            alike=[without_key(record) for record in masked] if KEY in mask.told else masked,
            names=tuple(mask.names),
            as_of=datetime.combine(found.as_of or self._clock.today(), time(), UTC),
            missing_sources=found.missing,
            key_told=KEY in mask.told,
            words=mask.words,
        )
        groups = self._groups(mask, found)
        at = self._rungs(grant, region, mask, groups, part)
        return release(table, groups, at, self._rule(grant), region)

    def _rule(self, grant: Grant) -> Rule:
        return self._book.disclosure.get(grant.exchange, NO_QUASI)

    def _groups(self, mask: Mask, found: Gathered) -> list[Kind]:
        """What is told of how many, as far as it may single somebody out."""
        counts = Counter(found.indexes)
        return [
            self._kind(mask, Likely(record, place, counts[index]))
            for index, (record, place) in enumerate(zip(found.records, found.places, strict=True))
        ]

    def _kind(self, mask: Mask, likely: Likely) -> Kind:
        told = mask.apply(likely.record)
        values = {name: told[name] for name in self._quasi if name in told}
        return Kind(likely.place, values, likely.count)

    def _rungs(self, grant: Grant, region: str, mask: Mask, own: Sequence[Kind], part: str | None) -> Rungs:
        """How coarse: decided over whole counties, so that every caller of a county is told alike.

        A caller who sees only a part of a county is told no finer than the county, and coarser where the part needs
        it. All parts of a list are told equally coarse: a child on two of them is told no finer by both together.
        """
        rule, counties = self._rule(grant), region[:COUNTY_DIGITS]
        whole = len(region) <= COUNTY_DIGITS and covers(grant.rows, region, _UNSEALED)
        others = [each for each in self.noun.parts() if each != part]
        if whole and not others:
            return rungs(rule, own)
        kinds = [
            self._groups(mask, self.noun.gather(All(), counties, each))
            for each in (others if whole else [part, *others])
        ]
        return _level(rule, [own, *kinds]) if whole else rungs(rule, own, _level(rule, kinds))

    def population(self, grant: Grant, region: str) -> Sequence[Kind]:
        """Every child the registers know of in the region, listed or not, as the grant would tell of it."""
        mask = Mask(EXCHANGES[grant.exchange], grant)
        return [self._kind(mask, likely) for likely in self.noun.population(region)]

    def version(self) -> tuple[object, date]:
        """What a computed list is valid for."""
        return self.noun.version(), self._clock.today()


def _level(rule: Rule, lists: Sequence[Sequence[Kind]]) -> Rungs:
    """One rung a place for all the lists: raised until each of them is coarse enough on it."""
    at: dict[str, int] = {}
    before: dict[str, int] | None = None
    while at != before:
        before = dict(at)
        for kinds in lists:
            at |= rungs(rule, kinds, at)
        if len(lists) == 1:
            break
    return at
