"""Reads `policies/disclosure.yaml`: k, and the order in which a list gives up detail. A wrong file stops the start."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gateway.adapters.yaml_text import parse
from gateway.domain.coarsening import Rule, Step
from schemas.catalogue import EXCHANGES, Action, Exchange

FILE = "disclosure.yaml"
_LEAST_K = 2
_COUNTY = "county"


class DisclosureError(ValueError):
    """What is wrong with the file; the message names the place in it."""


def load_disclosure(folder: Path) -> Mapping[str, Rule]:
    """List exchange → its rule. Raises DisclosureError; ValueError, KeyError or OSError for a file out of shape."""
    found = parse((folder / FILE).read_text(encoding="utf-8"))
    default, bodies = found["default"], found["exchanges"]
    lists = {name: exchange for name, exchange in EXCHANGES.items() if _needs_rule(exchange)}
    _same(set(bodies), set(lists), "exchanges")
    return {name: _rule(lists[name], {**default, **body}) for name, body in bodies.items()}


def _needs_rule(exchange: Exchange) -> bool:
    return exchange.action is Action.LIST and bool(_quasi(exchange))


def _quasi(exchange: Exchange) -> set[str]:
    return {field.name for field in exchange.fields if field.classification == "quasi"}


def _rule(exchange: Exchange, body: Mapping[str, Any]) -> Rule:
    _same(set(body), {"k", "threshold", "place", "steps"}, exchange.id)
    steps = tuple(_step(exchange.id, step) for step in body["steps"])
    rule = Rule(_k(exchange.id, body["k"]), str(body["place"]), steps, _share(exchange.id, body["threshold"]))
    for wrong in _lint(exchange, rule):
        raise DisclosureError(f"{FILE}: {exchange.id}: {wrong}")
    return rule


def _k(where: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < _LEAST_K:
        raise DisclosureError(f"{FILE}: {where}: k is a whole number from {_LEAST_K} on")
    return value


def _share(where: str, value: object) -> float:
    if not isinstance(value, float | int) or isinstance(value, bool) or not 0 < value <= 1:
        raise DisclosureError(f"{FILE}: {where}: threshold lies above 0 and is at most 1")
    return float(value)


def _step(where: str, body: Mapping[str, Any]) -> Step:
    _same(set(body) | {"alone"}, {"field", "to", "alone"}, f"{where}: a step")
    field, to, alone = str(body["field"]), body["to"], body.get("alone", False) is True
    if to == _COUNTY:
        return Step(field, county=True, alone=alone)
    if isinstance(to, Mapping):
        if not to or not all(isinstance(text, str) for pair in to.items() for text in pair):
            raise DisclosureError(f"{FILE}: {where}: {field}: values and what they become are texts")
        return Step(field, values=dict(to), alone=alone)
    if to is not None and not isinstance(to, str):
        raise DisclosureError(f"{FILE}: {where}: {field}: to is a text, some values, county or null")
    return Step(field, to, alone=alone)


def _lint(exchange: Exchange, rule: Rule) -> Iterator[str]:
    """A rule that cannot make everybody alike would leave small groups; one that undoes a step would tell more."""
    quasi, fields = _quasi(exchange), [step.field for step in rule.steps]
    if set(fields) != quasi:
        yield f"steps name {sorted(set(fields))}, the quasi-identifiers are {sorted(quasi)}"
    if [step.field for step in rule.steps if step.county] != [rule.place]:
        yield f"exactly one step, of {rule.place}, leads to the county"
    for name in sorted(set(fields) - {rule.place}):
        own = [step for step in rule.steps if step.field == name]
        if own[-1].values is not None:
            yield f"the last step of {name} does not make everybody alike"
        if any(step.values is None for step in own[:-1]):
            yield f"a step of {name} comes after one that made everybody alike"
    if fields.count(rule.place) != 1:
        yield f"{rule.place} has one step only"
    for step, after in zip(rule.steps, (*rule.steps[1:], None), strict=True):
        if step.alone and (step.values is None or after is None or after.field != step.field):
            yield f"a step of {step.field} alone is followed by one of the same field"
        if step.values is not None and set(step.values) & set(step.values.values()):
            yield f"a step of {step.field} turns a value into one that it changes itself"


def _same(found: set[str], wanted: set[str], where: str) -> None:
    if found != wanted:
        raise DisclosureError(f"{FILE}: {where}: {sorted(found)} should be {sorted(wanted)}")
