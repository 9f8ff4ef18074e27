"""What Cedar leaves of the `read` policies, as a row predicate; what is not understood is refused.

Understood: `resource in Exchange`, `resource.region in Region`, `==` of a row's attribute with a text, a
truth value, a region or the caller, `resource has …`, a truth attribute by itself, `&&`, `||`, `!` and
constants.
"""

from collections.abc import Sequence

from gateway.adapters.cedar.ast import Node, Policy, mentions
from gateway.adapters.cedar.engine import Residual
from gateway.adapters.cedar.entities import CALLER
from gateway.domain.predicate import (
    All,
    Equals,
    Has,
    InRegion,
    IsTrue,
    Not,
    Nothing,
    Predicate,
    conjunction,
    disjunction,
    is_region,
    negation,
)

# Cedar errs on a row that lacks one of these, and an error is a denial.
REQUIRED = ("region", "sealed")
_BOOLEANS = frozenset({"sealed"})
_TEXTS = frozenset({"school", "agency", "above"})
_ATTRIBUTES = frozenset({"region", "owner", "sealed"}) | _TEXTS


class UntranslatableError(ValueError):
    """A condition on rows outside what is understood here."""


def rows(
    residuals: Sequence[Residual], exchange: str, officer: str | None
) -> tuple[Predicate, tuple[str, ...]]:
    """The rows of the exchange that are permitted and not forbidden, and the ids of the permits giving any.

    `officer` is the person behind the caller, who may own rows; None owns none. Raises UntranslatableError.
    """
    translator = _Translator(exchange, officer)
    found = [(residual.policy, translator.all_of(residual.conditions)) for residual in residuals]
    permits = [(policy, part) for policy, part in found if policy.permits and part != Nothing()]
    forbids = [part for policy, part in found if not policy.permits]
    required: list[Predicate] = [Has(name) for name in REQUIRED]
    allowed = disjunction(part for _, part in permits)
    kept = conjunction([*required, allowed, *(negation(part) for part in forbids)])
    ids = () if kept == Nothing() else tuple(sorted(policy.id for policy, _ in permits))
    return kept, ids


class _Translator:
    """Translates the conditions on one exchange's rows."""

    def __init__(self, exchange: str, officer: str | None) -> None:
        self._exchange = exchange
        self._officer = officer

    def all_of(self, conditions: Sequence[Node]) -> Predicate:
        return conjunction([self.translate(condition) for condition in conditions])

    def translate(self, node: Node) -> Predicate:
        kind, inner = _only(node)
        if kind in ("&&", "||"):
            return self._both(kind, inner)
        if kind == "!":
            return negation(self.translate(inner["arg"]))
        if kind == "Value" and isinstance(inner, bool):
            return All() if inner else Nothing()
        return self._leaf(kind, inner, node)

    def _both(self, kind: str, inner: Node) -> Predicate:
        """The right side is not looked at when the left decides: Cedar leaves it unevaluated there."""
        left = self.translate(inner["left"])
        if left == (Nothing() if kind == "&&" else All()):
            return left
        join = conjunction if kind == "&&" else disjunction
        return join([left, self.translate(inner["right"])])

    def _leaf(self, kind: str, inner: Node, node: Node) -> Predicate:
        if kind == "in":
            return self._inside(inner)
        if kind == "==":
            return self._equal(inner)
        if kind == "has" and _is_row(inner["left"]) and inner["attr"] in _ATTRIBUTES:
            return Has(inner["attr"])
        if kind == "." and _row_attribute(node) in _BOOLEANS:
            return IsTrue(inner["attr"])
        raise UntranslatableError(f"row condition {kind}")

    def _inside(self, inner: Node) -> Predicate:
        kind, name = _entity(inner["right"])
        if _is_row(inner["left"]) and kind == "Exchange":
            return All() if name == self._exchange else Nothing()
        if _row_attribute(inner["left"]) == "region" and kind == "Region" and is_region(name):
            return InRegion("region", name)
        raise UntranslatableError(f"in {kind}")

    def _equal(self, inner: Node) -> Predicate:
        left, right = inner["left"], inner["right"]
        if _row_attribute(left) is None:
            left, right = right, left
        name = _row_attribute(left)
        value = right.get("Value") if isinstance(right, dict) else None
        if name in _BOOLEANS and isinstance(value, bool):
            return IsTrue(name) if value else conjunction([Has(name), Not(IsTrue(name))])
        if name in _TEXTS and isinstance(value, str):
            return Equals(name, value)
        return self._same_entity(name, right)

    def _same_entity(self, name: str | None, right: Node) -> Predicate:
        kind, identifier = _entity(right)
        if name == "region" and kind == "Region" and is_region(identifier):
            return Equals(name, identifier)
        if name == "owner" and {"type": kind, "id": identifier} == CALLER:
            return Equals(name, self._officer) if self._officer else Nothing()
        raise UntranslatableError(f"== {kind}")


def _only(node: Node) -> tuple[str, Node]:
    if not isinstance(node, dict) or len(node) != 1:
        raise UntranslatableError("unknown form")
    return next(iter(node.items()))


def _is_row(node: Node) -> bool:
    return node in ({"unknown": [{"Value": "resource"}]}, {"Var": "resource"})


def _row_attribute(node: Node) -> str | None:
    """The attribute of the row that the node reads, if it does."""
    inner = node.get(".") if isinstance(node, dict) else None
    known = isinstance(inner, dict) and _is_row(inner["left"]) and inner["attr"] in _ATTRIBUTES
    return str(inner["attr"]) if known and isinstance(inner, dict) else None


def _entity(node: Node) -> tuple[str, str]:
    value = node.get("Value") if isinstance(node, dict) else None
    inner = value.get("__entity") if isinstance(value, dict) else None
    if not isinstance(inner, dict):
        raise UntranslatableError("not an entity")
    return str(inner["type"]), str(inner["id"])


def untranslatable(policy: Policy) -> str | None:
    """Why a `read` policy could leave a residual that is not understood, whoever asks; None when it cannot.

    Looked for in the text itself, because what one caller short-circuits may be left over for another.
    """
    try:
        for part in policy.body["conditions"]:
            _check(part["body"])
        scope = policy.body["resource"]
        if scope["op"] != "All" and (scope["op"] != "in" or scope["entity"]["type"] != "Exchange"):
            raise UntranslatableError("resource scope")
    except UntranslatableError as reason:
        return str(reason)
    return None


def _check(node: Node) -> None:
    if not mentions(node, "resource"):
        return
    kind, inner = _only(node)
    if kind in ("&&", "||"):
        _check(inner["left"])
        _check(inner["right"])
    elif kind == "!":
        _check(inner["arg"])
    else:
        _check_leaf("==" if kind == "!=" else kind, inner, node)


def _check_leaf(kind: str, inner: Node, node: Node) -> None:
    """A leaf translates whatever the caller's side of it turns out to be."""
    if kind in ("in", "=="):
        sides = _standing_in(inner)
        _Translator("", "anyone").translate({kind: sides})
        return
    _Translator("", "anyone").translate(node)


def _standing_in(inner: Node) -> Node:
    """The two sides with the caller's own values in place of `principal` and `principal.…`."""
    return {side: _CALLERS.get(_key(inner[side]), inner[side]) for side in ("left", "right")}


def _key(node: Node) -> str:
    if node == {"Var": "principal"}:
        return "principal"
    inner = node.get(".") if isinstance(node, dict) else None
    of_caller = isinstance(inner, dict) and inner.get("left") == {"Var": "principal"}
    return f"principal.{inner['attr']}" if of_caller and isinstance(inner, dict) else ""


_CALLERS: dict[str, Node] = {
    "principal": {"Value": {"__entity": CALLER}},
    "principal.region": {"Value": {"__entity": {"type": "Region", "id": "53"}}},
    "principal.school": {"Value": "school"},
}
