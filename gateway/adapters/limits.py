"""Reads `policies/limits.yaml`. A figure that is missing, no number or not positive stops the start."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml

from gateway.adapters.rulebook import RulebookError
from gateway.adapters.yaml_text import parse
from gateway.domain.limits import LimitBook, Quota, Rates, ResolutionQuota, TokenRates

FILE = "limits.yaml"
Figures = TypeVar("Figures", Rates, Quota, TokenRates, ResolutionQuota)


def load_limits(folder: Path, roles: Collection[str]) -> LimitBook:
    """The limits of a policies folder; RulebookError names the place, also for a role that is none of `roles`."""
    try:
        body = parse((folder / FILE).read_text(encoding="utf-8"))
        return _book(body, roles)
    except (KeyError, TypeError, AttributeError, ValueError, OSError, yaml.YAMLError) as error:
        raise RulebookError(f"{FILE}: {type(error).__name__}: {error}") from error


def _book(body: dict[str, Any], roles: Collection[str]) -> LimitBook:
    _only(body, {"rates", "tokens", "children", "resolutions"}, "")
    rates, role_rates = _part(body, "rates", Rates, roles)
    quota, role_quotas = _part(body, "children", Quota, roles)
    resolutions, role_resolutions = _part(body, "resolutions", ResolutionQuota, roles)
    tokens = _figures(body["tokens"], TokenRates, "tokens")
    return LimitBook(rates, quota, tokens, resolutions, role_rates, role_quotas, role_resolutions)


def _part(
    body: dict[str, Any], name: str, kind: type[Figures], roles: Collection[str]
) -> tuple[Figures, Mapping[str, Figures]]:
    """The default of a part, and what each role has instead."""
    part = body[name]
    _only(part, {"default", "roles"}, name)
    default = _figures(part["default"], kind, f"{name}/default")
    named = _roles(part, roles).items()
    return default, {role: _figures(given, kind, f"{name}/{role}", default) for role, given in named}


def _roles(part: dict[str, Any], known: Collection[str]) -> dict[str, Any]:
    named: dict[str, Any] = part.get("roles") or {}
    _only(named, set(known), "roles")
    return named


def _only(given: dict[str, Any], known: set[str], place: str) -> None:
    unknown = set(given) - known
    if unknown:
        raise RulebookError(f"{place}: {', '.join(sorted(map(str, unknown)))} is not known")


def _figures(
    given: dict[str, Any], kind: type[Figures], place: str, default: Figures | None = None
) -> Figures:
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
