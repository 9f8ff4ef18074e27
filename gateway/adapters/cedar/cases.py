"""Cases files: lists of what a role does and what must come of it, beside each policy file.

YAML 1.1 reads a bare `on` as true, so the key is taken in both forms.
"""

from collections.abc import Mapping
from typing import Any

import yaml

from gateway.adapters.cedar.entities import ACTIONS
from gateway.adapters.yaml_text import parse
from gateway.domain.decision import Case, Finding, PolicyError, Treatment
from gateway.domain.principal import Principal

_REQUIRED = {"as", "purpose", "do", "expect"}
_OPTIONAL = {"on", "school", "officer", "because", "fields", "refusal", "record"}


def parse_cases(text: str, file: str) -> tuple[Case, ...]:
    """The cases of one file. Raises PolicyError with a finding for every line that cannot be read."""
    try:
        lines = parse(text) or []
    except yaml.YAMLError as wrong:
        raise PolicyError([_unreadable(file, str(wrong))]) from wrong
    if not isinstance(lines, list):
        raise PolicyError([_unreadable(file, "not a list")])
    cases, findings = [], []
    for number, line in enumerate(lines, 1):
        try:
            cases.append(_case(f"{file}: case {number}", line))
        except (ValueError, TypeError, AttributeError) as wrong:
            findings.append(_unreadable(f"{file}: case {number}", str(wrong)))
    if findings:
        raise PolicyError(findings)
    return tuple(cases)


def _case(where: str, line: Mapping[Any, Any]) -> Case:
    data: dict[str, Any] = {"on" if key is True else str(key): value for key, value in line.items()}
    if missing := _REQUIRED - data.keys():
        raise ValueError(f"without {', '.join(sorted(missing))}")
    if strange := data.keys() - _REQUIRED - _OPTIONAL:
        raise ValueError(f"with unknown {', '.join(sorted(strange))}")
    principal = _principal(data)
    verb, _, target = str(data["do"]).partition(" ")
    if verb not in ACTIONS or not target or data["expect"] not in ("permit", "deny"):
        raise ValueError("do or expect is not understood")
    return Case(
        where=where,
        principal=principal,
        purpose=str(data["purpose"]),
        verb=verb,
        target=target,
        region=str(data.get("on", principal.region)),
        permit=data["expect"] == "permit",
        because=tuple(data["because"]) if "because" in data else None,
        fields=_treatments(data["fields"]) if "fields" in data else None,
        refusal=data.get("refusal"),
        record=dict(data.get("record", {})),
    )


def _principal(data: Mapping[str, Any]) -> Principal:
    role, at, region = str(data["as"]).partition("@")
    if not at:
        raise ValueError("as is not role@region")
    return Principal(
        client="case",
        agency=role.partition("/")[0],
        role=role,
        region=region,
        school=data.get("school"),
        officer=data.get("officer"),
    )


def _treatments(fields: Mapping[str, str]) -> dict[str, Treatment]:
    return {name: Treatment.parse(text) for name, text in fields.items()}


def _unreadable(where: str, reason: str) -> Finding:
    return Finding(where, "unreadable", f"用例无法读取：{reason}", f"case cannot be read: {reason}")
