"""What Cedar's validator does not see. A set with any finding is not used.

Cedar takes a misspelt id for an entity that happens not to exist, and an annotation for a comment; here
both matter.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from gateway.adapters.cedar.ast import Policy, attribute, compared_with, conjuncts, entities
from gateway.adapters.cedar.bundle import PolicyBundle
from gateway.adapters.cedar.entities import ACTIONS
from gateway.adapters.cedar.reach import reach
from gateway.adapters.cedar.residual import untranslatable
from gateway.domain.decision import Finding, Treatment
from gateway.domain.predicate import is_region
from schemas.catalogue import Action
from schemas.records import DATASETS

_USES = tuple(action.value for action in Action)
_CLASSES = ("identifier", "quasi", "sensitive", "plain")
# GB/T 2260: the provinces, which the first two digits of every region name.
_PROVINCES = frozenset(
    str(code)
    for first, last in ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 82))
    for code in range(first, last + 1)
)
_IN_REACH = {"in": {"left": attribute("context", "region"), "right": attribute("principal", "region")}}


def lint(bundle: PolicyBundle) -> tuple[Finding, ...]:
    """Every finding, sorted; none for a set that may be used."""
    checks: tuple[Callable[[PolicyBundle], Iterable[Finding]], ...] = (
        _ids,
        _strangers,
        _words,
        _permits,
        _reads,
        _catalogue,
        _cases,
        _unreachable,
    )
    return tuple(sorted({finding for check in checks for finding in check(bundle)}))


def _ids(bundle: PolicyBundle) -> Iterator[Finding]:
    counts = Counter(policy.id for policy in bundle.policies)
    for policy in bundle.policies:
        if not policy.id:
            yield _of(policy, "no-id", "策略缺少 @id", "policy has no @id")
        elif counts[policy.id] > 1:
            yield _of(policy, "duplicate-id", "策略编号重复", "another policy has the same @id")


def _strangers(bundle: PolicyBundle) -> Iterator[Finding]:
    """Ids that exist nowhere. People and single records are never named: policies are about roles."""
    fields = {f"{each.id}/{field.name}" for each in bundle.exchanges.values() for field in each.fields}
    known: dict[str, Callable[[str], bool]] = {
        "Role": bundle.registry.roles.__contains__,
        "Agency": bundle.registry.agencies.__contains__,
        "Exchange": bundle.exchanges.__contains__,
        "Dataset": DATASETS.__contains__,
        "Field": fields.__contains__,
        "Region": lambda code: is_region(code) and code[:2] in _PROVINCES,
        "Action": ACTIONS.__contains__,
    }
    for policy in bundle.policies:
        for kind, name in entities(policy):
            if kind not in known or not known[kind](name):
                what = f'{kind}::"{name}"'
                yield _of(policy, "unknown-id", f"{what} 不存在", f"{what} does not exist")


def _words(bundle: PolicyBundle) -> Iterator[Finding]:
    """Purposes and classifications are texts to Cedar: a misspelt one would never match."""
    for subject, known, code in (
        (attribute("context", "purpose"), set(bundle.registry.purposes), "unknown-purpose"),
        (attribute("resource", "classification"), set(_CLASSES), "unknown-classification"),
    ):
        for policy in bundle.policies:
            for text in set(compared_with(policy, subject)) - known:
                yield _of(policy, code, f"“{text}”不存在", f'"{text}" does not exist')


def _permits(bundle: PolicyBundle) -> Iterator[Finding]:
    """What a permit must say of itself."""
    for policy in bundle.policies:
        if not policy.permits:
            continue
        if not any(compared_with(policy, attribute("context", "purpose"))):
            yield _of(policy, "no-purpose", "许可未限定用途", "permit names no purpose")
        if policy.concerns(*_USES):
            yield from _use(policy)
        if policy.concerns("release"):
            yield from _release(policy)


def _use(policy: Policy) -> Iterator[Finding]:
    if not policy.annotations.get("legal_basis"):
        yield _of(policy, "no-legal-basis", "许可缺少 @legal_basis", "permit has no @legal_basis")
    if policy.actions is None or policy.concerns("release", "read"):
        yield _of(
            policy, "mixed-actions", "许可混合了不同性质的操作", "permit mixes using, releasing and reading"
        )
    elif _IN_REACH not in conjuncts(policy):
        yield _of(policy, "no-region", "许可未限定管辖区域", "permit is not bound to the caller's region")


def _release(policy: Policy) -> Iterator[Finding]:
    text = policy.annotations.get("treatment", "")
    if not text:
        yield _of(policy, "no-treatment", "许可缺少 @treatment", "release permit has no @treatment")
    elif text not in {treatment.name.lower() for treatment in Treatment}:
        yield _of(
            policy, "unknown-treatment", f"处理方式“{text}”不存在", f'treatment "{text}" does not exist'
        )


def _reads(bundle: PolicyBundle) -> Iterator[Finding]:
    for policy in bundle.policies:
        if policy.concerns("read") and (reason := untranslatable(policy)):
            yield _of(
                policy,
                "untranslatable",
                f"行条件无法转换：{reason}",
                f"condition on rows cannot be translated: {reason}",
            )


def _catalogue(bundle: PolicyBundle) -> Iterator[Finding]:
    for exchange in bundle.exchanges.values():
        for purpose in exchange.purposes:
            if purpose not in bundle.registry.purposes:
                where = f"catalogue: {exchange.id}"
                yield Finding(
                    where, "unknown-purpose", f"用途 {purpose} 不存在", f"purpose {purpose} does not exist"
                )


def _cases(bundle: PolicyBundle) -> Iterator[Finding]:
    """Every policy decides some case, and every file of cases refuses at least as often as it permits."""
    tried = {each for case in bundle.cases for each in case.because or ()}
    for policy in bundle.policies:
        if policy.id not in tried:
            yield _of(policy, "no-case", "策略没有用例", "no case tries this policy")
    for stranger in sorted(tried - {policy.id for policy in bundle.policies}):
        yield Finding(
            "cases",
            "unknown-id",
            f"用例引用的策略 {stranger} 不存在",
            f"no policy {stranger}, named by a case",
        )
    permits = Counter(case.where.partition(":")[0] for case in bundle.cases if case.permit)
    denials = Counter(case.where.partition(":")[0] for case in bundle.cases if not case.permit)
    for file in permits:
        if permits[file] > denials[file]:
            yield Finding(file, "few-denials", "拒绝用例少于许可用例", "fewer deny cases than permit cases")


def _unreachable(bundle: PolicyBundle) -> Iterator[Finding]:
    """Permits that no role could ever use, and exchanges that nobody may use."""
    found = reach(bundle)
    for policy in bundle.policies:
        if policy.permits and policy.name not in found.policies:
            yield _of(policy, "never-matches", "许可永远不会生效", "permit can never match")
    for name in sorted(bundle.exchanges.keys() - found.exchanges):
        yield Finding(
            f"catalogue: {name}", "idle-exchange", "无人可用此交换项", "nobody may use this exchange"
        )


def _of(policy: Policy, code: str, zh: str, en: str) -> Finding:
    return Finding(policy.where, code, zh, en)
