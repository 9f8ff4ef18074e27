"""What may be asked of the policies themselves: are they sound, what do they grant, and why."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from gateway.domain import errors
from gateway.domain.decision import (
    Finding,
    Grant,
    PolicyBook,
    PolicyError,
    Role,
    Treatment,
    Withholding,
    judge,
)
from gateway.domain.principal import Principal
from schemas.catalogue import EXCHANGES, Exchange

# Any region does for what the policies say in general: every permit is bound to the caller's own.
_REGION = "530423"
_SCHOOL = "3153000001"

_REASONS: Mapping[Withholding, tuple[str, str]] = {
    Withholding.NO_POLICY: ("没有策略开放此字段", "no policy releases this field"),
    Withholding.FORBIDDEN: ("法规禁止向此角色提供", "the law walls it off from this role"),
    Withholding.NOT_NAMED: ("敏感字段须逐项授权", "a sensitive field must be granted by name"),
    Withholding.BY_TREATMENT: ("策略规定不予提供", "the policy says to withhold it"),
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a role gets from an exchange for a purpose; `withheld` says why in Chinese and in English.

    `refusal` is the problem's name with its Chinese and English titles when the exchange itself is refused.
    """

    permitted: bool
    policy_ids: tuple[str, ...] = ()
    legal_basis: tuple[str, ...] = ()
    fields: Mapping[str, Treatment] = field(default_factory=dict)
    withheld: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    refusal: tuple[str, str, str] | None = None


def check(directory: Path, load: Callable[[Path], PolicyBook]) -> tuple[Finding, ...]:
    """Everything wrong with the policies in the folder, failing cases included; nothing when sound.

    `load` raises PolicyError for a set that does not lint; cases are run only on one that does.
    """
    try:
        return run_cases(load(directory))
    except PolicyError as refused:
        return refused.findings


def run_cases(book: PolicyBook) -> tuple[Finding, ...]:
    """What does not hold of the cases; nothing when all do."""
    return tuple(finding for case in book.cases for finding in judge(case, book.outcome(case)))


def matrix(book: PolicyBook) -> str:
    """Role × purpose × exchange × field as tab-separated lines, sorted; the same policies give the same text.

    Permitted combinations are written out field by field, `-` where none is released; refused ones are
    counted per role and kind of refusal.
    """
    lines = ["role\tpurpose\texchange\taction\tfield\ttreatment"]
    for role in sorted(book.registry.roles.values(), key=lambda each: each.id):
        lines += _role_lines(book, role)
    return "\n".join(lines) + "\n"


def _role_lines(book: PolicyBook, role: Role) -> Iterator[str]:
    refused: dict[str, int] = {}
    for purpose, exchange in product(sorted(book.registry.purposes), sorted(EXCHANGES)):
        result = _try(book, role, purpose, EXCHANGES[exchange])
        if isinstance(result, Grant):
            yield from _grant_lines(role, result)
        else:
            refused[result.name] = refused.get(result.name, 0) + 1
    counts = " ".join(f"{name}={refused[name]}" for name in sorted(refused))
    yield f"# {role.id}: refused {counts}"


def _grant_lines(role: Role, grant: Grant) -> Iterator[str]:
    start = f"{role.id}\t{grant.purpose}\t{grant.exchange}\t{grant.action.value}"
    for name in sorted(grant.fields):
        yield f"{start}\t{name}\t{grant.fields[name].name.lower()}"
    for name in sorted(grant.withheld):
        yield f"{start}\t{name}\twithhold"
    if not grant.fields and not grant.withheld:
        yield f"{start}\t-\t-"


def explain(book: PolicyBook, role: str, purpose: str, exchange: str) -> Explanation:
    """Whether, on which law, and in which form; never the text of a policy."""
    known = book.registry.roles.get(role)
    offered = EXCHANGES.get(exchange)
    if known is None or offered is None:
        return _refused(errors.NotPermitted())
    result = _try(book, known, purpose, offered)
    if isinstance(result, errors.HuxueError):
        return _refused(result)
    reasons = book.withheld(_principal(known), exchange, purpose)
    return Explanation(
        permitted=True,
        policy_ids=result.policy_ids,
        legal_basis=result.legal_basis,
        fields=result.fields,
        withheld={name: _REASONS[reasons[name]] for name in result.withheld},
    )


def _refused(refusal: errors.HuxueError) -> Explanation:
    return Explanation(False, refusal=(refusal.name, refusal.title_zh, refusal.title_en))


def _try(book: PolicyBook, role: Role, purpose: str, exchange: Exchange) -> Grant | errors.HuxueError:
    try:
        return book.decide(_principal(role), exchange.action, exchange.id, purpose, _REGION)
    except (errors.UnknownPurpose, errors.NotPermitted) as refusal:
        return refusal


def _principal(role: Role) -> Principal:
    return Principal(client="policy", agency=role.agency, role=role.id, region=_REGION, school=_SCHOOL)
