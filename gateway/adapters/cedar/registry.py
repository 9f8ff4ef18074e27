"""`policies/roles.yaml`: agencies, purposes and roles."""

from collections.abc import Mapping
from typing import Any

import yaml

from gateway.adapters.yaml_text import parse
from gateway.domain.decision import Agency, Finding, PolicyError, Purpose, Registry, Role

FILE = "roles.yaml"


def parse_registry(text: str) -> Registry:
    """Who exists. Raises PolicyError when the file is not as it should be."""
    try:
        data = parse(text)
        registry = Registry(
            agencies={key: Agency(id=key, **value) for key, value in data["agencies"].items()},
            purposes={key: Purpose(id=key, **value) for key, value in data["purposes"].items()},
            roles={key: _role(key, value) for key, value in data["roles"].items()},
        )
    except (yaml.YAMLError, AttributeError, KeyError, TypeError) as wrong:
        raise PolicyError(
            [_finding("unreadable", "无法读取角色文件", f"roles cannot be read: {wrong}")]
        ) from wrong
    if findings := [*_strangers(registry), *_idle(registry)]:
        raise PolicyError(findings)
    return registry


def _role(key: str, value: Mapping[str, Any]) -> Role:
    fields = {**value, "purposes": tuple(value["purposes"])}
    return Role(id=key, agency=key.partition("/")[0], **fields)


def _strangers(registry: Registry) -> list[Finding]:
    """Agencies and purposes that are named but do not exist."""
    named = [(role.id, role.agency, registry.agencies) for role in registry.roles.values()]
    named += [(each.id, each.parent, registry.agencies) for each in registry.agencies.values() if each.parent]
    known: list[tuple[str, str, Mapping[str, object]]] = list(named)
    known += [
        (role.id, purpose, registry.purposes) for role in registry.roles.values() for purpose in role.purposes
    ]
    return [
        _finding("unknown-id", f"{who} 引用了不存在的 {what}", f"{who} names {what}, which does not exist")
        for who, what, place in known
        if what not in place
    ]


def _idle(registry: Registry) -> list[Finding]:
    """Purposes that no role may state."""
    used = {purpose for role in registry.roles.values() for purpose in role.purposes}
    return [
        _finding("idle-purpose", f"没有角色使用用途 {each}", f"purpose {each} is no role's")
        for each in registry.purposes
        if each not in used
    ]


def _finding(code: str, zh: str, en: str) -> Finding:
    return Finding(FILE, code, zh, en)
