"""A whole list as one consumer gets it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from gateway.domain.coarsening import Generalised, Kind, Rule, Rungs, notes, released, smallest, within
from gateway.domain.decision import Treatment
from gateway.domain.deidentify import KEY, Released, coarser, with_keys
from gateway.domain.model import SubjectId


@dataclass(frozen=True, slots=True)
class Table:
    """Rows ordered by pseudonym; `names` are the released fields.

    Many children are alike but for the pseudonym: `kinds[i]` is the index in `alike` of what row i says besides it.
    `keys` order the rows even where the pseudonym itself is not released (`key_told`). `subjects` are the children,
    for the evidence only. `words`: field → what was really released of it, for the evidence too. `k`: how many
    children no released group may fall under, None where there are no quasi-identifiers; `k_reached`: whether none
    does; `generalised`: what that took.
    """

    keys: Sequence[str]
    subjects: Sequence[SubjectId]
    kinds: Sequence[int]
    alike: Sequence[Released]
    names: tuple[str, ...]
    as_of: datetime
    missing_sources: tuple[str, ...]
    key_told: bool = True
    k: int | None = None
    k_reached: bool = True
    generalised: tuple[Generalised, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)

    @property
    def keyed(self) -> bool:
        """Whether rows bear their pseudonym."""
        return self.key_told and KEY in self.names

    def rows(self, start: int, stop: int) -> list[Released]:
        """Rows as objects."""
        kinds = self.kinds[start:stop]
        if not self.keyed:
            return [self.alike[kind] for kind in kinds]
        return with_keys(self.keys[start:stop], kinds, self.alike)

    def disclosure(self) -> dict[str, object]:
        """What page and manifest say of k."""
        told = [each.told() for each in self.generalised]
        return {"k": self.k, "k_reached": self.k_reached, "generalised": told}


@dataclass(frozen=True, slots=True)
class Release:
    """A list with how it was made coarse enough.

    `table.alike[i]` is told of the children of `kinds[i]`, who live in one place and were alike before; `at` says
    how many of the rule's steps were taken in each place.
    """

    table: Table
    kinds: Sequence[Kind]
    at: Rungs
    rule: Rule
    region: str


def release(table: Table, kinds: Sequence[Kind], at: Rungs, rule: Rule, region: str) -> Release:
    """The table with its kinds told as coarsely as `at` says, and saying so."""
    alike = [
        coarser(record, released(rule, kind.values, at[kind.place]))
        for record, kind in zip(table.alike, kinds, strict=True)
    ]
    return _said(Release(replace(table, alike=alike), kinds, at, rule, region))


def narrowed(whole: Release, region: str) -> Release:
    """The part of a list that may lie in a region, as far as the list itself tells (`coarsening.within`)."""
    table, places = whole.table, within(whole.rule, whole.at, region, _places_told(whole))
    counts = [kind.count if kind.place in places else 0 for kind in whole.kinds]
    rows = [row for row, kind in enumerate(table.kinds) if counts[kind]]
    part = replace(
        table,
        keys=[table.keys[row] for row in rows],
        subjects=[table.subjects[row] for row in rows],
        kinds=[table.kinds[row] for row in rows],
    )
    kinds = [replace(kind, count=count) for kind, count in zip(whole.kinds, counts, strict=True)]
    return _said(replace(whole, table=part, kinds=kinds, region=region))


def _places_told(found: Release) -> bool:
    """Whether the caller is told of places at all: their kinds say where, as they were masked."""
    return all(kind.values.get(found.rule.place) == kind.place for kind in found.kinds)


def _said(found: Release) -> Release:
    """What the answer and the evidence say of the coarsening, from the rows that are in the list."""
    rule, there = found.rule, [kind for kind in found.kinds if kind.count]
    told = notes(rule, there, found.at, _places_told(found))
    table = replace(
        found.table,
        k=rule.k or None,
        k_reached=not there or smallest(rule, there, found.at) >= rule.k,
        generalised=told,
        words={**found.table.words, **_words(told, there, found)},
    )
    return replace(found, table=table)


def _words(told: Sequence[Generalised], there: Sequence[Kind], found: Release) -> dict[str, str]:
    """Field → `suppress` where nobody's is told any more, `generalise` where some became coarser."""
    words = {}
    for name in dict.fromkeys(note.field for note in told):
        values = {released(found.rule, kind.values, found.at[kind.place])[name] for kind in there}
        words[name] = (Treatment.SUPPRESS if values == {None} else Treatment.GENERALISE).name.lower()
    return words
