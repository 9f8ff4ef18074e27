"""The decision point that serves: a bundle, a cache of its decisions, and a reload without a gap."""

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import TypeVar

from gateway.adapters.cedar.bundle import PolicyBundle
from gateway.adapters.cedar.loader import load
from gateway.domain import errors
from gateway.domain.decision import Grant, PolicyError
from gateway.domain.principal import Principal
from schemas.catalogue import Action

_Value = TypeVar("_Value")
_Key = tuple[str, str, str, str | None, str | None, Action, str, str, str]
# Who the person is counts only where rows can be owned; all else is shared between clients and officers.
_PERSONAL = frozenset({Action.LIST, Action.SUBSCRIBE, Action.REFER, Action.RESOLVE})


class _State:
    """A bundle and what it decided, replaced together so that no decision outlives its policies."""

    __slots__ = ("bundle", "grants", "refusals")

    def __init__(self, bundle: PolicyBundle) -> None:
        self.bundle = bundle
        self.grants: OrderedDict[_Key, Grant] = OrderedDict()
        self.refusals: OrderedDict[_Key, Callable[[], errors.HuxueError]] = OrderedDict()


class CedarDecisionPoint:
    """Implements `gateway.domain.decision.PolicyDecisionPoint` over a bundle, for any number of threads.

    At most `size` grants are remembered, and as many refusals apart from them, so that a caller who is
    refused a thousand times pushes no grant out.
    """

    def __init__(self, bundle: PolicyBundle, size: int = 4096) -> None:
        self._state = _State(bundle)
        self._size = size
        self._lock = Lock()

    @property
    def version(self) -> str:
        """The version of the policies in use."""
        return self._state.bundle.version

    @property
    def bundle(self) -> PolicyBundle:
        """The policies in use."""
        return self._state.bundle

    def decide(self, principal: Principal, action: Action, exchange: str, purpose: str, region: str) -> Grant:
        """See `PolicyDecisionPoint.decide`; a grant given before costs a look-up."""
        state = self._state
        key = (
            principal.role,
            principal.agency,
            principal.region,
            principal.school,
            principal.officer if action in _PERSONAL else None,
            action,
            exchange,
            purpose,
            region,
        )
        grant = state.grants.get(key)
        if grant is None:
            return self._miss(state, key, principal)
        try:
            state.grants.move_to_end(key)
        except KeyError:  # another thread has just dropped it
            return grant
        return grant

    def reload(self, directory: Path) -> None:
        """Take the policies in the folder, if they lint clean and their cases hold.

        Raises PolicyError with the findings otherwise; then those in use stay in use.
        """
        bundle = load(directory)
        if findings := bundle.failing_cases():
            raise PolicyError(findings)
        self._state = _State(bundle)

    def _miss(self, state: _State, key: _Key, principal: Principal) -> Grant:
        if refusal := state.refusals.get(key):
            raise refusal()
        _, _, _, _, _, action, exchange, purpose, region = key
        try:
            grant = state.bundle.decide(principal, action, exchange, purpose, region)
        except (errors.UnknownPurpose, errors.NotPermitted) as refused:
            self._remember(state.refusals, key, _again(refused))
            raise
        self._remember(state.grants, key, grant)
        return grant

    def _remember(self, kept: "OrderedDict[_Key, _Value]", key: _Key, value: _Value) -> None:
        with self._lock:
            kept[key] = value
            while len(kept) > self._size:
                kept.popitem(last=False)


def _again(refused: errors.UnknownPurpose | errors.NotPermitted) -> Callable[[], errors.HuxueError]:
    """Makes the same refusal anew: a raised exception carries its traceback and is not raised twice."""
    if isinstance(refused, errors.NotPermitted):
        kind, ids = type(refused), refused.policy_ids
        return lambda: kind(policy_ids=ids)
    return errors.UnknownPurpose
