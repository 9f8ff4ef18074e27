"""One policy set, loaded: it decides without a cache, tells why, and runs its own cases."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from gateway.adapters.cedar.ast import Policy
from gateway.adapters.cedar.engine import Answer, Engine, Question, Session
from gateway.adapters.cedar.entities import Caller, Entity, reference, row_entity
from gateway.adapters.cedar.residual import UntranslatableError, rows
from gateway.domain import errors
from gateway.domain.decision import (
    Case,
    Finding,
    Grant,
    Outcome,
    Registry,
    Treatment,
    Withholding,
    floor,
    judge,
    strictest,
)
from gateway.domain.predicate import Nothing, Predicate, is_region
from gateway.domain.principal import Principal
from schemas.catalogue import Action, Exchange, Field

# What answers about one person, or takes data in, reads no rows.
_ROWLESS = frozenset({Action.ASK, Action.UPLOAD})


@dataclass(frozen=True, slots=True)
class _Release:
    """How one field comes out: `why` is None when it does."""

    treatment: Treatment
    policy_ids: tuple[str, ...] = ()
    why: Withholding | None = None


@dataclass(frozen=True, slots=True)
class PolicyBundle:
    """A policy set that parsed: its text and policies by position, who exists, its cases, and the engine.

    It implements `gateway.domain.decision.PolicyBook`. `loader.load` is the only maker that also lints it.
    """

    version: str
    text: str
    schema: str
    policies: tuple[Policy, ...]
    registry: Registry
    cases: tuple[Case, ...]
    engine: Engine
    exchanges: Mapping[str, Exchange]

    def decide(self, principal: Principal, action: Action, exchange: str, purpose: str, region: str) -> Grant:
        """See `PolicyDecisionPoint.decide`; a few hundred microseconds, nothing remembered."""
        if purpose not in self.registry.purposes:
            raise errors.UnknownPurpose()
        product = self._product(principal, action, exchange)
        caller = Caller.of(principal)
        asked = region if is_region(region) else caller.region
        session = self.engine.session(caller, [asked])
        uses = self._use(session, caller, product, purpose, region)
        releases = _releases(session, product, purpose)
        out = {name: release for name, release in releases.items() if release.why is None}
        visible, readers = _rows(session, caller.officer, product, purpose)
        deciding = [*_ids(uses), *(each for release in out.values() for each in release.policy_ids), *readers]
        return Grant(
            exchange=product.id,
            action=product.action,
            purpose=purpose,
            policy_ids=tuple(dict.fromkeys(deciding)),
            legal_basis=_laws(uses),
            fields=MappingProxyType({name: release.treatment for name, release in out.items()}),
            withheld=tuple(name for name in releases if name not in out),
            rows=visible,
            policy_version=self.version,
        )

    def withheld(self, principal: Principal, exchange: str, purpose: str) -> Mapping[str, Withholding]:
        """Why each field of the exchange that this principal does not get stays in."""
        session = self.engine.session(Caller.of(principal))
        releases = _releases(session, self.exchanges[exchange], purpose)
        return {name: release.why for name, release in releases.items() if release.why is not None}

    def failing_cases(self) -> tuple[Finding, ...]:
        """What does not hold of the cases; nothing when all do."""
        return tuple(finding for case in self.cases for finding in judge(case, self.outcome(case)))

    def outcome(self, case: Case) -> Outcome:
        """What comes of a case, by the same paths that serve callers."""
        if case.verb in ("release", "read"):
            return self._single(case)
        try:
            action = Action(case.verb)
            grant = self.decide(case.principal, action, case.target, case.purpose, case.region)
        except errors.UnknownPurpose as refused:
            return Outcome(False, (), refusal=refused.name)
        except errors.NotPermitted as refused:
            return Outcome(False, refused.policy_ids, refusal=refused.name)
        return Outcome(True, grant.policy_ids, grant.fields)

    def _single(self, case: Case) -> Outcome:
        caller = Caller.of(case.principal)
        question = Question(case.verb, reference("Field", case.target), {"purpose": case.purpose})
        row: Entity | None = None
        regions: tuple[str, ...] = ()
        if case.verb == "read":
            row = row_entity(caller, case.target, case.record)
            regions = tuple(str(code) for code in (case.record.get("region"),) if is_region(str(code)))
            question = Question("read", row["uid"], {"purpose": case.purpose})
        answer = self.engine.session(caller, regions, row).ask([question])[0]
        return Outcome(answer.allowed, _ids(answer.policies))

    def _product(self, principal: Principal, action: Action, exchange: str) -> Exchange:
        """The exchange, if this principal exists and the exchange is used that way."""
        role = self.registry.roles.get(principal.role)
        product = self.exchanges.get(exchange)
        if role is None or role.agency != principal.agency or not is_region(principal.region):
            raise errors.NotPermitted()
        if product is None or product.action != action:
            raise errors.NotPermitted()
        return product

    def _granted(self, caller: Caller, product: Exchange) -> frozenset[str]:
        """The purposes that both the role may state and the exchange serves."""
        return frozenset(self.registry.roles[caller.role].purposes) & frozenset(product.purposes)

    def _use(
        self, session: Session, caller: Caller, product: Exchange, purpose: str, region: str
    ) -> tuple[Policy, ...]:
        """The policies that let the caller use the exchange on that region; raises the fitting refusal."""
        granted = self._granted(caller, product)
        asked = region if is_region(region) else caller.region
        answer = _may(session, product, [purpose], asked)[0]
        if answer.allowed and asked == region and purpose in granted:
            return answer.policies
        if answer.failed or (answer.policies and not answer.allowed):
            raise errors.NotPermitted(policy_ids=_ids(answer.policies))
        raise _refusal(session, product, purpose, granted, caller.region)


def _refusal(
    session: Session, product: Exchange, purpose: str, granted: frozenset[str], home: str
) -> errors.NotPermitted:
    """Which refusal it is, by what the caller would get at home: for this purpose, or for another."""
    purposes = sorted(granted)
    answers = _may(session, product, purposes, home)
    allowed = {each for each, answer in zip(purposes, answers, strict=True) if answer.allowed}
    if purpose in allowed:
        return errors.RegionOutOfReach()
    return errors.PurposeNotGranted() if allowed else errors.NotPermitted()


def _may(session: Session, product: Exchange, purposes: Sequence[str], region: str) -> list[Answer]:
    where = {"__entity": reference("Region", region)}
    exchange = reference("Exchange", product.id)
    return session.ask(
        [Question(product.action.value, exchange, {"purpose": each, "region": where}) for each in purposes]
    )


def _releases(session: Session, product: Exchange, purpose: str) -> dict[str, _Release]:
    questions = [
        Question("release", reference("Field", f"{product.id}/{field.name}"), {"purpose": purpose})
        for field in product.fields
    ]
    answers = session.ask(questions)
    if any(answer.failed for answer in answers):
        raise errors.NotPermitted()
    pairs = zip(product.fields, answers, strict=True)
    return {field.name: _release(product, field, answer) for field, answer in pairs}


def _rows(
    session: Session, officer: str | None, product: Exchange, purpose: str
) -> tuple[Predicate, tuple[str, ...]]:
    if product.action in _ROWLESS:
        return Nothing(), ()
    residuals = session.residuals(purpose)
    if residuals is None:
        raise errors.NotPermitted()
    try:
        return rows(residuals, product.id, officer)
    except UntranslatableError:
        raise errors.NotPermitted() from None


def _release(product: Exchange, field: Field, answer: Answer) -> _Release:
    if not answer.allowed:
        why = Withholding.FORBIDDEN if answer.policies else Withholding.NO_POLICY
        return _Release(Treatment.WITHHOLD, (), why)
    named = any(policy.named_field == f"{product.id}/{field.name}" for policy in answer.policies)
    asked = strictest(treatment(policy) for policy in answer.policies)
    least = floor(field.classification, named, product.action)
    if max(asked, least) < Treatment.WITHHOLD:
        return _Release(max(asked, least), _ids(answer.policies))
    by_policy = asked is Treatment.WITHHOLD
    return _Release(Treatment.WITHHOLD, (), Withholding.BY_TREATMENT if by_policy else Withholding.NOT_NAMED)


def treatment(policy: Policy) -> Treatment:
    """The policy's `@treatment`; `WITHHOLD` when it names none or one that does not exist."""
    try:
        return Treatment.parse(policy.annotations.get("treatment", ""))
    except ValueError:
        return Treatment.WITHHOLD


def _ids(policies: Iterable[Policy]) -> tuple[str, ...]:
    return tuple(policy.id or policy.name for policy in policies)


def _laws(policies: Iterable[Policy]) -> tuple[str, ...]:
    texts = (policy.annotations.get("legal_basis", "") for policy in policies)
    return tuple(dict.fromkeys(text for text in texts if text))
