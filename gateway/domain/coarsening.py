"""When a list would show fewer than k children alike, it tells less: which steps are taken, where, and what is said.

A list is looked at county by county and, inside, place by place (township). Each place stands on one rung of a ladder
of steps, the same for all of its children, so that a child of a small group is not given away by being told of more
coarsely than the others. Places that have reached the step that gives up the place itself are one pool and share a
rung. Every group of children whose released quasi-identifiers are equal has k members in the end; only a county with
fewer than k children on its list cannot get there: it stands on the last rung, and the answer says so.

Sources: GB/T 37964-2019 (generalisation, k-anonymity); GB/T 42460-2023.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway.domain.predicate import COUNTY_DIGITS

_Values = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One step: `field` is told as `to`; with `values`, only those values are, each as its own. `county`: as county.

    `alone`: the next step, of the same field, is taken instead of this one and not on top of it.
    """

    field: str
    to: str | None = None
    values: Mapping[str, str] | None = None
    county: bool = False
    alone: bool = False

    def apply(self, value: object) -> object:
        """The coarser value. What a treatment has already made null or a yes stays as it is."""
        if not isinstance(value, str):
            return value
        if self.county:
            return value[:COUNTY_DIGITS]
        return self.to if self.values is None else self.values.get(value, value)


@dataclass(frozen=True, slots=True)
class Rule:
    """What `policies/disclosure.yaml` says of one list. `threshold`: the highest tolerated risk of one record."""

    k: int
    place: str
    steps: tuple[Step, ...]
    threshold: float

    @property
    def pooled(self) -> int:
        """The rung from which on places are one pool."""
        return next(rung for rung, step in enumerate(self.steps, 1) if step.county)


@dataclass(frozen=True, slots=True)
class Kind:
    """Children told of alike but for the pseudonym: where they live, their quasi-identifiers as masked, how many."""

    place: str
    values: Mapping[str, object]
    count: int

    @property
    def county(self) -> str:
        """The county the place lies in."""
        return self.place[:COUNTY_DIGITS]


@dataclass(frozen=True, slots=True)
class Generalised:
    """What the answer says of one coarsening: the field, what it is told as, and in which places."""

    field: str
    to: object
    where: tuple[str, ...]

    def told(self) -> dict[str, object]:
        """As the answer has it."""
        return {"field": self.field, "to": self.to, "where": list(self.where)}


Rungs = Mapping[str, int]
"""Place → how many steps are taken there."""


def released(rule: Rule, values: Mapping[str, object], rung: int) -> dict[str, object]:
    """The quasi-identifiers as they are told on a rung."""
    found = dict(values)
    for number, step in enumerate(rule.steps[:rung], 1):
        if step.field in found and (number == rung or not step.alone):
            found[step.field] = step.apply(found[step.field])
    return found


def rungs(rule: Rule, kinds: Iterable[Kind], start: Rungs | None = None) -> dict[str, int]:
    """The rung of every place, at least `start`'s: the same kinds, in whatever order, give the same rungs."""
    counties: dict[str, list[Kind]] = defaultdict(list)
    for kind in kinds:
        counties[kind.county].append(kind)
    found: dict[str, int] = {}
    for inside in counties.values():
        found |= _Ladder(rule, inside, start or {}).climb()
    return found


def smallest(rule: Rule, kinds: Iterable[Kind], at: Rungs) -> int:
    """The size of the smallest group of children who are told of alike; 0 of nobody."""
    sizes: Counter[_Values] = Counter()
    for kind in kinds:
        sizes[(kind.county, *released(rule, kind.values, at[kind.place]).values())] += kind.count
    return min(sizes.values(), default=0)


def notes(rule: Rule, kinds: Iterable[Kind], at: Rungs, places_told: bool) -> tuple[Generalised, ...]:
    """What really became coarser. `places_told`: whether the caller may know townships at all; else counties."""
    where: dict[tuple[str, object], set[str]] = defaultdict(set)
    for kind in kinds:
        for name, value in released(rule, kind.values, at[kind.place]).items():
            if value != kind.values[name]:
                where[name, value].add(kind.place if places_told else kind.county)
    order = {name: index for index, name in enumerate(dict.fromkeys(step.field for step in rule.steps))}
    found = sorted(where.items(), key=lambda item: (order[item[0][0]], str(item[0][1])))
    return tuple(Generalised(name, value, tuple(sorted(places))) for (name, value), places in found)


def unit(rule: Rule, at: Rungs, place: str, places_told: bool = True) -> frozenset[str]:
    """The places nobody can tell from this one in the list: the place alone, or the county's pool.

    Where townships are not told at all, the county's places altogether.
    """
    inside = {other for other in at if other[:COUNTY_DIGITS] == place[:COUNTY_DIGITS]}
    if not places_told:
        return frozenset(inside)
    if not _pooled(rule, place, at[place]):
        return frozenset((place,))
    return frozenset(other for other in inside if _pooled(rule, other, at[other]))


def within(rule: Rule, at: Rungs, region: str, places_told: bool = True) -> frozenset[str]:
    """The places whose children may live in a region as far as the list tells: whole units, so that asking for
    a small region tells nothing that the whole list does not."""
    found: set[str] = set()
    for place in at:
        if place.startswith(region) or (len(place) > COUNTY_DIGITS and region.startswith(place)):
            found |= unit(rule, at, place, places_told)
    return frozenset(found)


def _pooled(rule: Rule, place: str, rung: int) -> bool:
    """Whether the place is told as its county: because it was given up, or because nothing finer is known of it."""
    return rung >= rule.pooled or len(place) <= COUNTY_DIGITS


class _Ladder:
    """One county's places, climbing until every group has k members or nothing is left to give up."""

    def __init__(self, rule: Rule, kinds: Sequence[Kind], start: Rungs) -> None:
        self._rule, self._kinds, self._last = rule, kinds, len(rule.steps)
        self._at = {kind.place: start.get(kind.place, 0) for kind in kinds}
        self._sizes: Counter[str] = Counter()
        for kind in kinds:
            self._sizes[kind.place] += kind.count

    def climb(self) -> dict[str, int]:
        """The rung of every place. Each round raises one at least, so it ends."""
        self._level()
        while (low := self._too_few()) and self._raise(low):
            self._level()
        return self._at

    def _too_few(self) -> set[str]:
        """Places with a child whose group is smaller than k."""
        sizes: Counter[_Values] = Counter()
        places: dict[_Values, set[str]] = defaultdict(set)
        for kind in self._kinds:
            told = tuple(released(self._rule, kind.values, self._at[kind.place]).values())
            sizes[told] += kind.count
            places[told].add(kind.place)
        return {place for told, size in sizes.items() if size < self._rule.k for place in places[told]}

    def _raise(self, low: set[str]) -> bool:
        """One round; False when there is nothing left. Single places first: they may come to join the pool."""
        pool = self._pool()
        if single := low - pool:
            for place in single:
                self._at[place] += 1
            return True
        rung, outside = self._at[next(iter(pool))], self._at.keys() - pool
        too_small = sum(self._sizes[place] for place in pool) < self._rule.k
        if outside and rung >= self._rule.pooled and (too_small or rung == self._last):
            # Telling less does not help a pool that is too small as a whole: the smallest other place joins it.
            self._at[min(outside, key=lambda place: (self._sizes[place], place))] = rung
            return True
        for place in pool:
            self._at[place] = min(rung + 1, self._last)
        return rung < self._last

    def _pool(self) -> set[str]:
        return {place for place, rung in self._at.items() if _pooled(self._rule, place, rung)}

    def _level(self) -> None:
        """All of the pool stands on its highest rung: one recoding for all of its children."""
        pool = self._pool()
        highest = max((self._at[place] for place in pool), default=0)
        for place in pool:
            self._at[place] = highest
