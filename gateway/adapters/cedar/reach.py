"""Which permits can match at all, and which exchanges somebody may use: found by asking everything once.

Every role asks every exchange for every purpose that both know, with and without a school, from a sample
region and from every region that a policy names. Forbids are left out when permits are looked for: a walled
permit still matches.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product

from gateway.adapters.cedar import entities as graph
from gateway.adapters.cedar.ast import Policy, entities
from gateway.adapters.cedar.bundle import PolicyBundle
from gateway.adapters.cedar.engine import Engine, Question, Session, text_of
from gateway.adapters.cedar.entities import Caller, reference
from gateway.adapters.cedar.residual import UntranslatableError, rows
from gateway.domain.predicate import Nothing, is_region
from schemas.catalogue import Exchange

_SAMPLE_REGION = "530423"
_SAMPLE_OFFICER = "sample"


@dataclass(slots=True)
class Reach:
    """Positional ids of the permits that matched, and the exchanges that were granted."""

    policies: set[str] = field(default_factory=set)
    exchanges: set[str] = field(default_factory=set)


def reach(bundle: PolicyBundle) -> Reach:
    """What the whole product of roles, purposes and exchanges reaches."""
    found = Reach()
    permits = _without_forbids(bundle)
    for caller, exchange, purpose in _everything(bundle):
        context: dict[str, object] = {
            "purpose": purpose,
            "region": {"__entity": reference("Region", caller.region)},
        }
        question = Question(exchange.action.value, reference("Exchange", exchange.id), context)
        if bundle.engine.session(caller).ask([question])[0].allowed:
            found.exchanges.add(exchange.id)
        found.policies |= _matching(permits, caller, exchange, purpose, question)
    return found


def _matching(permits: Engine, caller: Caller, exchange: Exchange, purpose: str, use: Question) -> set[str]:
    session = permits.session(caller)
    releases = [
        Question("release", reference("Field", f"{exchange.id}/{each.name}"), {"purpose": purpose})
        for each in exchange.fields
    ]
    matched = {policy.name for answer in session.ask([use, *releases]) for policy in answer.policies}
    return matched | {policy.name for policy in _readers(session, exchange, purpose)}


def _readers(session: Session, exchange: Exchange, purpose: str) -> Iterator[Policy]:
    for residual in session.residuals(purpose) or ():
        try:
            visible, _ = rows([residual], exchange.id, _SAMPLE_OFFICER)
        except UntranslatableError:
            continue
        if visible != Nothing():
            yield residual.policy


def _everything(bundle: PolicyBundle) -> Iterator[tuple[Caller, Exchange, str]]:
    named = {name for policy in bundle.policies for kind, name in entities(policy) if kind == "Region"}
    regions = sorted({_SAMPLE_REGION} | {name for name in named if is_region(name)})
    schools = (None, "sample")
    for role, region, school in product(bundle.registry.roles.values(), regions, schools):
        for exchange in bundle.exchanges.values():
            for purpose in sorted(set(role.purposes) & set(exchange.purposes)):
                yield Caller(role.id, region, school, _SAMPLE_OFFICER), exchange, purpose


def _without_forbids(bundle: PolicyBundle) -> Engine:
    permits = [policy for policy in bundle.policies if policy.permits]
    return Engine(text_of(permits), bundle.schema, graph.static(bundle.registry, bundle.exchanges), permits)
