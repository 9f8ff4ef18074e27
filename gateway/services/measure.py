"""What de-identification comes to: each list as each consumer gets it, before and after it is made coarser.

Counts only. Nothing here names a child, a pseudonym or the values of a record; townships are named where they are
told of more coarsely.
"""

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence

from gateway.domain.anonymity import Effect, Group, effect
from gateway.domain.coarsening import Kind, Rungs, released
from gateway.domain.decision import Grant, PolicyBook, Role
from gateway.domain.errors import NotPermitted, UnknownPurpose
from gateway.domain.listing import Release
from gateway.domain.principal import Principal
from gateway.services.child_lists.making import ChildList
from schemas.catalogue import EXCHANGES, Exchange

_SCHOOL = "sample"


class Measure:
    """The use case; synchronous, for the command line."""

    def __init__(self, book: PolicyBook, lists: Mapping[str, ChildList]) -> None:
        self._book, self._lists = book, lists

    def __call__(self, regions: Sequence[str]) -> list[dict[str, object]]:
        """One report for every list, role and region."""
        return [
            self._report(role, grant, region)
            for region in regions
            for role in sorted(self._book.registry.roles.values(), key=lambda role: role.id)
            for grant in self._grants(role, region)
        ]

    def _grants(self, role: Role, region: str) -> Iterator[Grant]:
        who = Principal(client="measure", agency=role.agency, role=role.id, region=region, school=_SCHOOL)
        for exchange in map(EXCHANGES.__getitem__, self._lists):
            for purpose in exchange.purposes:
                try:
                    yield self._book.decide(who, exchange.action, exchange.id, purpose, region)
                except (NotPermitted, UnknownPurpose):
                    continue

    def _report(self, role: Role, grant: Grant, region: str) -> dict[str, object]:
        made, exchange = self._lists[grant.exchange], EXCHANGES[grant.exchange]
        key_version, part = made.key_version(role.agency), made.noun.part(None)
        found = made.compute(grant, role.agency, region, key_version, part)
        population = made.population(grant, region)
        nothing = dict.fromkeys(found.at, 0)
        return {
            "exchange": grant.exchange,
            "role": role.id,
            "purpose": grant.purpose,
            "region": region,
            "fields": {name: treatment.name.lower() for name, treatment in grant.fields.items()},
            "quasi_identifiers": list(found.kinds[0].values) if found.kinds else [],
            "threshold": found.rule.threshold,
            **found.table.disclosure(),
            "before": _effect(exchange, found, population, nothing).told(),
            "after": _effect(exchange, found, population, found.at).told(),
        }


def _effect(exchange: Exchange, found: Release, population: Sequence[Kind], at: Rungs) -> Effect:
    sensitive = [field.name for field in exchange.fields if field.classification == "sensitive"]
    groups = [
        Group(_class(found, kind, at), kind.count, _values(record, sensitive))
        for kind, record in zip(found.kinds, found.table.alike, strict=True)
    ]
    people: Counter[Hashable] = Counter()
    for kind in population:
        people[_class(found, kind, at)] += kind.count
    return effect(groups, people, found.rule.threshold)


def _class(found: Release, kind: Kind, at: Rungs) -> Hashable:
    """A place with nobody on the list is told apart as it is: nobody there answers to a listed description."""
    return (kind.county, *released(found.rule, kind.values, at.get(kind.place, 0)).values())


def _values(record: Mapping[str, object], names: Sequence[str]) -> dict[str, Hashable]:
    """Sensitive values as something that can be counted; a field that is told of nobody is left out."""
    told = {name: record[name] for name in names if record.get(name) is not None}
    return {name: tuple(value) if isinstance(value, list) else str(value) for name, value in told.items()}
