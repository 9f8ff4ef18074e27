"""The entity graph: what never changes while the gateway runs, and the little that each caller adds to it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.domain.decision import Registry
from gateway.domain.predicate import is_region, region_chain
from gateway.domain.principal import Principal
from schemas.catalogue import EXCHANGES, Action, Exchange
from schemas.records import DATASETS

# The caller is always this officer, whoever it is: who the person is matters only as the owner of a record.
CALLER = {"type": "Officer", "id": "caller"}
STRANGER = {"type": "Officer", "id": "stranger"}
ROW = {"type": "Record", "id": "row"}
ACTIONS = (*(action.value for action in Action), "release", "read")

Entity = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Caller:
    """What of a principal counts for a decision; `officer` only for the rows it owns."""

    role: str
    region: str
    school: str | None
    officer: str | None

    @classmethod
    def of(cls, principal: Principal) -> "Caller":
        """The caller that this principal is."""
        return cls(principal.role, principal.region, principal.school, principal.officer)


def reference(kind: str, name: str) -> dict[str, str]:
    """How Cedar's JSON refers to an entity."""
    return {"type": kind, "id": name}


def _entity(uid: dict[str, str], parents: Iterable[dict[str, str]] = (), **attrs: object) -> Entity:
    return {"uid": uid, "attrs": attrs, "parents": list(parents)}


def static(registry: Registry, exchanges: Mapping[str, Exchange] = EXCHANGES) -> str:
    """Actions, agencies, roles, datasets, exchanges and fields, as Cedar's JSON.

    A field is a child of its exchange and of every dataset it is derived from. Actions are listed because
    partial evaluation takes an entity it does not know for an unknown.
    """
    found = [_entity(reference("Action", name)) for name in ACTIONS]
    for agency in registry.agencies.values():
        above = [reference("Agency", agency.parent)] if agency.parent else []
        found.append(_entity(reference("Agency", agency.id), above))
    found += [
        _entity(reference("Role", role.id), [reference("Agency", role.agency)])
        for role in registry.roles.values()
    ]
    found += [_entity(reference("Dataset", name)) for name in DATASETS]
    for exchange in exchanges.values():
        found.append(_entity(reference("Exchange", exchange.id)))
        found += _fields(exchange)
    return json.dumps(found)


def _fields(exchange: Exchange) -> list[Entity]:
    return [
        _entity(
            reference("Field", f"{exchange.id}/{field.name}"),
            [
                reference("Exchange", exchange.id),
                *(reference("Dataset", name) for name in field.derived_from),
            ],
            classification=field.classification,
        )
        for field in exchange.fields
    ]


def added(caller: Caller, regions: Iterable[str], row: Entity | None = None) -> str:
    """The caller, the chains of its region and of `regions`, and a row if there is one, as Cedar's JSON."""
    attrs: dict[str, object] = {"region": {"__entity": reference("Region", caller.region)}}
    if caller.school is not None:
        attrs["school"] = caller.school
    found = [_entity(CALLER, [reference("Role", caller.role)], **attrs), *_regions({caller.region, *regions})]
    return json.dumps([*found, row] if row else found)


def _regions(codes: Iterable[str]) -> list[Entity]:
    levels = {level for code in codes for level in region_chain(code)}
    return [_entity(reference("Region", level), _above(level)) for level in sorted(levels)]


def _above(code: str) -> list[dict[str, str]]:
    return [reference("Region", level) for level in region_chain(code)[1:2]]


def row_entity(caller: Caller, exchange: str, record: Mapping[str, object]) -> Entity:
    """A record of the exchange as a Cedar entity. An attribute that is None is missing.

    Its owner is the caller when the officer's id says so, and a stranger otherwise.
    """
    attrs: dict[str, object] = {
        name: record[name] for name in ("school", "sealed", "agency", "above") if record.get(name) is not None
    }
    region, owner = record.get("region"), record.get("owner")
    if isinstance(region, str) and is_region(region):
        attrs["region"] = {"__entity": reference("Region", region)}
    if owner is not None:
        attrs["owner"] = {"__entity": CALLER if owner == caller.officer else STRANGER}
    return _entity(ROW, [reference("Exchange", exchange)], **attrs)
