"""Reads `policies/limits.yaml`. A figure that is missing, no number or not positive stops the start."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml

from gateway.adapters.rulebook import RulebookError
from gateway.domain.limits import LimitBook, Quota, Rates, TokenRates

FILE = "limits.yaml"


def load_limits(folder: Path, roles: Collection[str]) -> LimitBook:
    """The limits of a policies folder; RulebookError names the place, also for a role that is none of `roles`."""
    try:
        body = yaml.safe_load((folder / FILE).read_text(encoding="utf-8"))
        return _book(body, roles)
    except (KeyError, TypeError, AttributeError, ValueError, OSError, yaml.YAMLError) as error:
        raise RulebookError(f"{FILE}: {type(error).__name__}: {error}") from error


def _book(body: dict[str, Any], roles: Collection[str]) -> LimitBook:
    _only(body, {"rates", "tokens", "children"}, "")
    _only(body["rates"], {"default", "roles"}, "rates")
    _only(body["children"], {"default", "roles"}, "children")
    rates = _figures(body["rates"]["default"], Rates, "rates/default")
    quota = _figures(body["children"]["default"], Quota, "children/default")
    return LimitBook(
        rates=rates,
        quota=quota,
        tokens=_figures(body["tokens"], TokenRates, "tokens"),
        role_rates={
            role: _figures(given, Rates, f"rates/{role}", rates)
            for role, given in _roles(body["rates"], roles).items()
        },
        role_quotas={
            role: _figures(given, Quota, f"children/{role}", quota)
            for role, given in _roles(body["children"], roles).items()
        },
    )


def _roles(part: dict[str, Any], known: Collection[str]) -> dict[str, Any]:
    named: dict[str, Any] = part.get("roles") or {}
    _only(named, set(known), "roles")
    return named


def _only(given: dict[str, Any], known: set[str], place: str) -> None:
    unknown = set(given) - known
    if unknown:
        raise RulebookError(f"{place}: {', '.join(sorted(map(str, unknown)))} is not known")


def _figures(given: dict[str, Any], kind: Any, place: str, default: Any = None) -> Any:
    """A row of figures; a role's row says only what differs from the default."""
    names = list(kind.__dataclass_fields__)
    _only(given, set(names), place)
    found = {
        name: given[name] if default is None or name in given else getattr(default, name) for name in names
    }
    for name, value in found.items():
        if type(value) is not int or value < 1:
            raise RulebookError(f"{place}/{name} is a whole number from 1")
    return kind(**found)
