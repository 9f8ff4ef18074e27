"""Reads `policies/cases.yaml`. A table with a hole, a misspelt state or an unknown duty stops the start."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from gateway.domain.case import (
    PREVIOUS,
    SAME,
    CaseBook,
    Proof,
    RecordRule,
    State,
    StateRule,
    Step,
)
from gateway.domain.disclosure import SYSTEM_ROLE

THROUGH = frozenset({"notices", "referrals", "outcomes"})
LEDGERS = frozenset({"suspected", "dropped-out"})
_CODED = frozenset({"code", "codes"})
_KINDS = _CODED | {"date", "day", "text", "texts", "number", "region", "school", "case"}
_RECORDS = ("visit", "plan", "comment")
HUMAN = frozenset({"verify", "persuade", "notify", "sanction", "refer", "exempt", "merge", "dismiss"})
"""Steps that no file can give to the gateway itself (个人信息保护法 art. 24)."""
_PROOF = re.compile(r"(?P<optional>optional )?(?P<kind>[a-z]+)(\[(?P<codes>[a-z_]+(, [a-z_]+)*)\])?")


def read_cases(body: Mapping[str, Any], roles: Collection[str], duties: Collection[str]) -> CaseBook:
    """The table; ValueError names what is wrong with it."""
    states = {State(name): _state(State(name), each) for name, each in body["states"].items()}
    if missing := set(State) - set(states):
        raise ValueError(f"cases.yaml: no {', '.join(sorted(missing))}")
    steps = {name: _step(name, each, states) for name, each in body["steps"].items()}
    for step in steps.values():
        _check(step, {*roles, SYSTEM_ROLE}, duties)
    records = {name: _record(name, body["records"][name], roles, duties) for name in _RECORDS}
    return CaseBook(states, steps, _observation(body["observation"]), str(body["version"]), records)


def check_county(base: CaseBook, own: CaseBook) -> None:
    """ValueError for a county's table in which a step cannot be taken by the gateway as it takes it everywhere."""
    for name, step in own.steps.items():
        default = base.steps[name]
        if SYSTEM_ROLE not in default.by and default.through is None:
            continue
        given = {proof.name for proof in default.evidence}
        asked = {proof.name for proof in step.evidence if proof.required} - given
        if asked or default.origins - step.origins or (SYSTEM_ROLE in default.by - step.by):
            raise ValueError(
                f"cases.yaml: {name}: the gateway takes this step: its states and gateway/system stay, and what else"
                f" a county asks for is optional{': ' if asked else ''}{', '.join(sorted(asked))}"
            )


def _record(
    name: str, body: Mapping[str, Any], roles: Collection[str], duties: Collection[str]
) -> RecordRule:
    by, done = frozenset(body.get("by", ())), tuple(body["done"])
    if unknown := {*(set(done) - set(duties)), *(by - set(roles))}:
        raise ValueError(f"cases.yaml: {name}: unknown: {', '.join(sorted(unknown))}")
    evidence = tuple(_proof(name, *pair) for pair in body["evidence"].items())
    return RecordRule(body["title_zh"], body["title_en"], evidence, done, by)


def _state(state: State, body: Mapping[str, Any]) -> StateRule:
    ledger, end = body.get("ledger"), bool(body.get("end", False))
    if (ledger in LEDGERS) == end:
        raise ValueError(f"cases.yaml: {state} is either an end or on a ledger")
    return StateRule(state, body["title_zh"], body["title_en"], body["owner"], ledger, end)


def _step(name: str, body: Mapping[str, Any], states: Mapping[State, StateRule]) -> Step:
    origins = body["from"]
    if origins == "open":
        origins = [state for state, rule in states.items() if not rule.end]
    to = body["to"]
    return Step(
        id=name,
        title_zh=body["title_zh"],
        title_en=body["title_en"],
        origins=frozenset(State(each) for each in origins),
        to=to if to in (SAME, PREVIOUS) else State(to),
        by=frozenset(body["by"]),
        evidence=tuple(_proof(name, *pair) for pair in body["evidence"].items()),
        done=tuple(body["done"]),
        opens=tuple(body["opens"]),
        through=_through(name, body.get("through")),
    )


def _through(step: str, word: str | None) -> str | None:
    if word is not None and word not in THROUGH:
        raise ValueError(f"cases.yaml: {step}: through is one of {', '.join(sorted(THROUGH))}")
    return word


def _proof(step: str, name: str, text: str) -> Proof:
    found = _PROOF.fullmatch(text)
    # `on` without quotes is "true" in YAML.
    if (
        found is None
        or not isinstance(name, str)
        or found["kind"] not in _KINDS
        or (found["kind"] in _CODED) != bool(found["codes"])
    ):
        raise ValueError(f"cases.yaml: {step}: {name} is of no known kind")
    codes = tuple(found["codes"].split(", ")) if found["codes"] else ()
    return Proof(name, found["kind"], found["optional"] is None, codes)


def _check(step: Step, roles: Collection[str], duties: Collection[str]) -> None:
    unknown = [*(step.by - set(roles)), *({*step.done, *step.opens} - set(duties))]
    if step.id in HUMAN and SYSTEM_ROLE in step.by:
        unknown.append(SYSTEM_ROLE)
    if unknown or not step.by or not step.origins:
        raise ValueError(f"cases.yaml: {step.id}: unknown or missing: {', '.join(unknown)}")


def _observation(days: list[Any]) -> tuple[int, ...]:
    if not days or sorted(set(days)) != days or not all(isinstance(day, int) and day > 0 for day in days):
        raise ValueError("cases.yaml: observation is a rising list of days")
    return tuple(days)
