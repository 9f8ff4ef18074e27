"""Who may learn what: the words in which a policy decision is taken, without the engine that takes it.

The decision point itself is `gateway.adapters.cedar`; what it must do, and what it hands back, is fixed here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Protocol

from gateway.domain.predicate import Predicate
from gateway.domain.principal import Principal
from schemas.catalogue import Action
from schemas.records import Classification


class Treatment(IntEnum):
    """What is done to a field on its way out; the greater, the less it tells."""

    KEEP = 0
    PRESENCE = 1
    GENERALISE = 2
    BAND = 3
    PSEUDONYM = 4
    SUPPRESS = 5
    WITHHOLD = 6

    @classmethod
    def parse(cls, text: str) -> "Treatment":
        """The treatment a policy names in lower case; ValueError for any other word."""
        for treatment in cls:
            if text == treatment.name.lower():
                return treatment
        raise ValueError(f"no such treatment: {text}")


def strictest(treatments: Iterable[Treatment]) -> Treatment:
    """The one that tells least; of none at all, `WITHHOLD`."""
    return max(treatments, default=Treatment.WITHHOLD)


def floor(classification: Classification, named: bool, action: Action | None = None) -> Treatment:
    """The mildest treatment any policy can reach for a field of that class.

    `named`: whether a permitting policy names the field itself. A `quasi` field may be kept here; how fine
    it may be is measured on the list (k) when it is made. A class nobody knows is withheld. Of all `action`s
    only a resolution may give an identifier back, and only one that a policy names.
    """
    if classification == "identifier":
        return Treatment.KEEP if named and action is Action.RESOLVE else Treatment.PSEUDONYM
    if classification == "sensitive":
        return Treatment.KEEP if named else Treatment.WITHHOLD
    return Treatment.KEEP if classification in ("quasi", "plain") else Treatment.WITHHOLD


class Withholding(StrEnum):
    """Why a field of a granted exchange does not come out."""

    NO_POLICY = "no-policy"
    FORBIDDEN = "forbidden"
    NOT_NAMED = "not-named"
    BY_TREATMENT = "by-treatment"


@dataclass(frozen=True, slots=True)
class Grant:
    """What one caller gets from one exchange for one purpose.

    `policy_ids` are the `@id`s of every policy that permitted something, for the evidence; `fields` the
    released ones with their treatment, `withheld` the rest. `rows` says which records the caller may read
    wherever they lie: a list narrows them further to the region asked for. It is `Nothing` for what answers
    about one person.
    """

    exchange: str
    action: Action
    purpose: str
    policy_ids: tuple[str, ...]
    legal_basis: tuple[str, ...]
    fields: Mapping[str, Treatment]
    withheld: tuple[str, ...]
    rows: Predicate
    policy_version: str


class PolicyDecisionPoint(Protocol):
    """Decides; everything not permitted is refused."""

    @property
    def version(self) -> str:
        """The policy set's version: 12 hex digits."""

    def decide(self, principal: Principal, action: Action, exchange: str, purpose: str, region: str) -> Grant:
        """The grant, or a refusal.

        Raises UnknownPurpose when the purpose is in no list; RegionOutOfReach when it would be granted in the
        caller's own region; PurposeNotGranted when another purpose would be; NotPermitted for everything
        else, ids that do not exist and errors in evaluation included.
        """


@dataclass(frozen=True, slots=True)
class Agency:
    """An agency; `parent` the one it stands under."""

    id: str
    title_zh: str
    title_en: str
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Purpose:
    """What data may be used for."""

    id: str
    title_zh: str
    title_en: str


@dataclass(frozen=True, slots=True)
class Role:
    """A role `agency/name`; `purposes` is the outer bound of what it may ever state."""

    id: str
    agency: str
    title_zh: str
    title_en: str
    purposes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Registry:
    """Who exists, as `policies/roles.yaml` says."""

    agencies: Mapping[str, Agency]
    purposes: Mapping[str, Purpose]
    roles: Mapping[str, Role]


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing wrong with a policy set: `where` is a file with a policy id or case; `code` is stable."""

    where: str
    code: str
    message_zh: str
    message_en: str


class PolicyError(ValueError):
    """A policy set that cannot be taken. The one in use, if any, stays."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(sorted(set(findings)))
        super().__init__("; ".join(f"{each.where}: {each.message_en}" for each in self.findings))


@dataclass(frozen=True, slots=True)
class Case:
    """One line of a cases file: who does what, and what must come of it.

    `verb` is an exchange's action, or `release` (target a field) or `read` (target an exchange, `record`
    the row) to ask one question by itself. `because` are the ids of all policies that decided; None when
    not said.
    """

    where: str
    principal: Principal
    purpose: str
    verb: str
    target: str
    region: str
    permit: bool
    because: tuple[str, ...] | None = None
    fields: Mapping[str, Treatment] | None = None
    refusal: str | None = None
    record: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a case; `fields` and `refusal` only where an exchange was used."""

    permit: bool
    policy_ids: tuple[str, ...]
    fields: Mapping[str, Treatment] = field(default_factory=dict)
    refusal: str | None = None


def judge(case: Case, outcome: Outcome) -> tuple[Finding, ...]:
    """What of the outcome is not as the case says; nothing when it holds."""
    pairs: list[tuple[str, object, object]] = [("expect", case.permit, outcome.permit)]
    if case.because is not None:
        pairs.append(("because", sorted(case.because), sorted(outcome.policy_ids)))
    if case.fields is not None:
        pairs.append(("fields", _words(case.fields), _words(outcome.fields)))
    if case.refusal is not None:
        pairs.append(("refusal", case.refusal, outcome.refusal))
    return tuple(_differs(case, *pair) for pair in pairs if pair[1] != pair[2])


def _words(fields: Mapping[str, Treatment]) -> dict[str, str]:
    return {name: fields[name].name.lower() for name in sorted(fields)}


def _differs(case: Case, what: str, expected: object, actual: object) -> Finding:
    return Finding(
        case.where,
        "case-failed",
        f"用例不符：{what} 应为 {expected}，实为 {actual}",
        f"case does not hold: {what} should be {expected}, is {actual}",
    )


class PolicyBook(PolicyDecisionPoint, Protocol):
    """A loaded policy set that can also be asked about itself."""

    @property
    def registry(self) -> Registry:
        """Agencies, roles and purposes."""

    @property
    def cases(self) -> Sequence[Case]:
        """Every case of every file, in order."""

    def withheld(self, principal: Principal, exchange: str, purpose: str) -> Mapping[str, Withholding]:
        """Why each field that does not come out stays in."""

    def outcome(self, case: Case) -> Outcome:
        """What comes of a case."""
