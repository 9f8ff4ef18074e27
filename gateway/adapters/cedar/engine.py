"""The only module that calls cedarpy: parsed handles, typed answers, and every failure a denial.

A policy that fails in evaluation is skipped by Cedar, a `forbid` too; an answer therefore says so
(`failed`), and whoever reads it must take it for a denial.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cedarpy

from gateway.adapters.cedar.ast import Node, Policy
from gateway.adapters.cedar.entities import CALLER, Caller, Entity, added

_FAILURES = (ValueError, TypeError, KeyError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Question:
    """May the caller do `action` to `resource`, in that context?"""

    action: str
    resource: dict[str, str]
    context: dict[str, object]


@dataclass(frozen=True, slots=True)
class Answer:
    """`policies` are the permits that allowed it, or the forbids that stood against it."""

    allowed: bool
    policies: tuple[Policy, ...]
    failed: bool = False


_NO_TEMPLATES: dict[str, Any] = {"templates": {}, "templateLinks": []}
FAILED = Answer(False, (), failed=True)


@dataclass(frozen=True, slots=True)
class Residual:
    """What is left of a policy when only the row is unknown; true for a row when every `condition` is."""

    policy: Policy
    conditions: tuple[Node, ...]


def parse(text: str, file: str = "", start: int = 0) -> tuple[Policy, ...]:
    """The policies of a Cedar text, in order, numbered from `start`; ValueError when it does not parse."""
    bodies = json.loads(cedarpy.policies_to_json_str(text))["staticPolicies"]
    ordered = sorted(bodies, key=lambda name: int(name.removeprefix("policy")))
    return tuple(Policy(f"policy{start + index}", file, bodies[name]) for index, name in enumerate(ordered))


def validation_errors(text: str, schema: str) -> list[tuple[str, str]]:
    """Cedar's own findings as (positional policy id, message); a schema that does not parse is one."""
    try:
        result = cedarpy.validate_policies(text, schema)
    except _FAILURES as failure:
        return [("", str(failure))]
    return [(error.policy_id, error.error) for error in result.errors]


def text_of(policies: Iterable[Policy]) -> str:
    """Cedar text of the policies, in order."""
    return "\n".join(
        cedarpy.policies_from_json_str(
            json.dumps({"staticPolicies": {"policy0": policy.body}, **_NO_TEMPLATES})
        )
        for policy in policies
    )


class Engine:
    """One policy set with its schema and static entities, parsed once.

    `policies` are those of the text in its order, which is how Cedar numbers them. Policies about rows are
    kept a second time by themselves: partial evaluation costs by the policy.
    """

    def __init__(self, text: str, schema: str, entities: str, policies: Sequence[Policy]) -> None:
        self.policies = _numbered(policies)
        self.set = cedarpy.PolicySet.from_str(text)
        self.schema = cedarpy.Schema.from_str(schema)
        self._static = cedarpy.Entities.from_json_str(entities)
        readers = [policy for policy in policies if policy.concerns("read")]
        self.readers = _numbered(readers)
        self.reader_set = cedarpy.PolicySet.from_str(text_of(readers))

    def session(self, caller: Caller, regions: Iterable[str] = (), row: Entity | None = None) -> "Session":
        """A session in which this caller asks; `regions` are those it will speak of besides its own.

        A `row` is held to the schema: one without a required attribute fails, whether or not a policy looks.
        """
        try:
            schema = self.schema if row else None
            entities = self._static.with_added_json_str(added(caller, regions, row), schema)
        except _FAILURES:
            entities = None
        return Session(self, entities)


class Session:
    """Questions of one caller. Without entities (they did not parse) every answer is a failure."""

    def __init__(self, engine: Engine, entities: cedarpy.Entities | None) -> None:
        self._engine = engine
        self._entities = entities

    def ask(self, questions: Sequence[Question]) -> list[Answer]:
        """One answer a question, in order."""
        if self._entities is None or not questions:
            return [FAILED] * len(questions)
        requests = [_request(question) for question in questions]
        engine = self._engine
        try:
            results = cedarpy.is_authorized_batch(requests, engine.set, self._entities, engine.schema)
        except _FAILURES:
            return [FAILED] * len(questions)
        return [_answer(engine.policies, result) for result in results]

    def residuals(self, purpose: str) -> list[Residual] | None:
        """What is left of the `read` policies for this purpose; None when evaluation failed."""
        if self._entities is None:
            return None
        try:
            result = cedarpy.is_authorized_partial(_any_row(purpose), self._engine.reader_set, self._entities)
        except _FAILURES:
            return None
        if result.diagnostics.errors or result.diagnostics.unknown_entities:
            return None
        known = self._engine.readers
        return [_residual(known[name], body) for name, body in sorted(result.residuals.items())]


def _numbered(policies: Iterable[Policy]) -> dict[str, Policy]:
    return {f"policy{index}": policy for index, policy in enumerate(policies)}


def _answer(policies: Mapping[str, Policy], result: cedarpy.AuthzResult) -> Answer:
    diagnostics = result.diagnostics
    reasons = [policies[name] for name in diagnostics.reasons]
    reasons.sort(key=lambda policy: (policy.id, policy.name))
    failed = bool(diagnostics.errors) or result.decision is cedarpy.Decision.NoDecision
    return Answer(result.allowed and not failed, tuple(reasons), failed)


def _residual(policy: Policy, body: Mapping[str, Node]) -> Residual:
    conditions = [
        part["body"] if part["kind"] == "when" else {"!": {"arg": part["body"]}}
        for part in body["conditions"]
    ]
    scopes = {body[scope]["op"] for scope in ("principal", "action", "resource")}
    if scopes != {"All"}:
        conditions.append({"unsupported-scope": sorted(scopes)})
    return Residual(policy, tuple(conditions))


def _any_row(purpose: str) -> dict[str, object]:
    return {
        "principal": f'{CALLER["type"]}::"{CALLER["id"]}"',
        "action": 'Action::"read"',
        "resource": None,
        "context": {"purpose": purpose},
    }


def _request(question: Question) -> dict[str, object]:
    return {
        "principal": CALLER,
        "action": {"type": "Action", "id": question.action},
        "resource": question.resource,
        "context": question.context,
    }
