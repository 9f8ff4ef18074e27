"""Reading Cedar's JSON form of a policy: what it names and what it compares. No evaluation here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

Node = Any  # Cedar's JSON: dicts, lists, strings, numbers; its shape is checked where it is used


@dataclass(frozen=True)
class Policy:
    """One policy: `name` is Cedar's positional id, `id` our `@id` (may be empty), `body` Cedar's JSON."""

    name: str
    file: str
    body: Mapping[str, Node]

    @cached_property
    def annotations(self) -> Mapping[str, str]:
        """The policy's annotations by name."""
        return {name: text or "" for name, text in self.body.get("annotations", {}).items()}

    @property
    def id(self) -> str:
        """The `@id`, or the empty string."""
        return self.annotations.get("id", "")

    @property
    def where(self) -> str:
        """File and id, for findings."""
        return f"{self.file}: {self.id or self.name}"

    @property
    def permits(self) -> bool:
        """Whether it is a permit."""
        return bool(self.body["effect"] == "permit")

    @cached_property
    def actions(self) -> frozenset[str] | None:
        """The action ids it is about; None for every action."""
        scope = self.body["action"]
        if scope["op"] == "==":
            return frozenset({scope["entity"]["id"]})
        if scope["op"] == "in":
            entities = scope.get("entities") or [scope["entity"]]
            return frozenset(entity["id"] for entity in entities)
        return None

    @cached_property
    def named_field(self) -> str | None:
        """The field its scope names with `==`, as `exchange/field`."""
        scope = self.body["resource"]
        if scope["op"] == "==" and scope["entity"]["type"] == "Field":
            return str(scope["entity"]["id"])
        return None

    def concerns(self, *actions: str) -> bool:
        """Whether it is about any of these actions."""
        return self.actions is None or not self.actions.isdisjoint(actions)


def walk(node: Node) -> Iterator[Node]:
    """The node and everything in it."""
    yield node
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in inner:
        yield from walk(child)


def entities(policy: Policy) -> Iterator[tuple[str, str]]:
    """Type and id of every entity the policy names, in its scope or its conditions."""
    for node in walk(policy.body):
        if isinstance(node, dict) and node.keys() >= {"type", "id"}:
            yield str(node["type"]), str(node["id"])


def conjuncts(policy: Policy) -> Iterator[Node]:
    """The parts of the `when` conditions that must all hold."""
    waiting = [part["body"] for part in policy.body["conditions"] if part["kind"] == "when"]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict) and "&&" in node:
            waiting += [node["&&"]["left"], node["&&"]["right"]]
        else:
            yield node


def attribute(variable: str, name: str) -> Node:
    """The node of `variable.name`."""
    return {".": {"left": {"Var": variable}, "attr": name}}


def compared_with(policy: Policy, subject: Node) -> Iterator[str]:
    """The texts that the policy compares `subject` with, by `==`, `!=` or `contains`."""
    for node in walk(policy.body["conditions"]):
        if not isinstance(node, dict):
            continue
        for operator in ("==", "!=", "contains"):
            sides = node.get(operator)
            if isinstance(sides, dict) and subject in (sides.get("left"), sides.get("right")):
                yield from _texts(sides)


def _texts(node: Node) -> Iterator[str]:
    for inner in walk(node):
        if isinstance(inner, dict) and isinstance(inner.get("Value"), str):
            yield inner["Value"]


def mentions(node: Node, variable: str) -> bool:
    """Whether the variable occurs anywhere in the node."""
    return any(isinstance(inner, dict) and inner.get("Var") == variable for inner in walk(node))
