"""From a folder of files to a policy bundle that may be used."""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from gateway.adapters.cedar import entities, registry
from gateway.adapters.cedar.ast import Policy
from gateway.adapters.cedar.bundle import PolicyBundle
from gateway.adapters.cedar.cases import parse_cases
from gateway.adapters.cedar.engine import Engine, parse, validation_errors
from gateway.adapters.cedar.lint import lint
from gateway.domain.decision import Case, Finding, PolicyError
from schemas.catalogue import EXCHANGES, Exchange

SCHEMA = "huxue.cedarschema"
_CEDAR, _CASES = ".cedar", ".cases.yaml"


def load(directory: Path) -> PolicyBundle:
    """The policy set in the folder, parsed, validated and linted; its cases are not run yet.

    Raises PolicyError with every finding; nothing of a set with a finding can be used. The same texts are judged once
    a process: who reaches what, and every case, take a second or two.
    """
    return _linted(frozenset(read_files(directory).items()))


def usable(directory: Path) -> PolicyBundle:
    """What `load` gives, once its own cases hold as well; PolicyError when they do not."""
    return _usable(frozenset(read_files(directory).items()))


@lru_cache(maxsize=2)
def _linted(files: frozenset[tuple[str, str]]) -> PolicyBundle:
    bundle = assemble(dict(files))
    if findings := lint(bundle):
        raise PolicyError(findings)
    return bundle


@lru_cache(maxsize=2)
def _usable(files: frozenset[tuple[str, str]]) -> PolicyBundle:
    bundle = _linted(files)
    if failing := bundle.failing_cases():
        raise PolicyError(failing)
    return bundle


def read_files(directory: Path) -> dict[str, str]:
    """The texts that make a policy set, by file name: schema, roles, policies and cases; no other file."""
    try:
        return {
            path.name: path.read_text(encoding="utf-8")
            for path in sorted(directory.iterdir())
            if path.name in (SCHEMA, registry.FILE) or path.name.endswith((_CEDAR, _CASES))
        }
    except (OSError, UnicodeDecodeError) as wrong:
        raise PolicyError([_unreadable(directory.name, str(wrong))]) from wrong


def assemble(files: Mapping[str, str], exchanges: Mapping[str, Exchange] = EXCHANGES) -> PolicyBundle:
    """The bundle of these texts, valid against its schema but not linted: for `load`, and for tests of walls.

    Raises PolicyError when a file is missing, does not parse, or Cedar's validator refuses it.
    """
    if missing := {SCHEMA, registry.FILE} - files.keys():
        raise PolicyError([_unreadable(name, "missing") for name in sorted(missing)])
    who = registry.parse_registry(files[registry.FILE])
    policies = _policies(files)
    text = "\n".join(files[name] for name in _named(files, _CEDAR))
    _validate(text, files[SCHEMA], policies)
    return PolicyBundle(
        version=version(files),
        text=text,
        schema=files[SCHEMA],
        policies=policies,
        registry=who,
        cases=_cases(files),
        engine=Engine(text, files[SCHEMA], entities.static(who, exchanges), policies),
        exchanges=exchanges,
    )


def version(files: Mapping[str, str]) -> str:
    """The first 12 hex digits of SHA-256 over every file's name and content."""
    digest = hashlib.sha256()
    for name in sorted(files):
        for part in (name, files[name]):
            content = part.encode()
            digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()[:12]


def _named(files: Mapping[str, str], ending: str) -> list[str]:
    return sorted(name for name in files if name.endswith(ending))


def _policies(files: Mapping[str, str]) -> tuple[Policy, ...]:
    """Every policy with its file, numbered as Cedar numbers them in the joined text."""
    found: tuple[Policy, ...] = ()
    for name in _named(files, _CEDAR):
        try:
            found += parse(files[name], name, start=len(found))
        except ValueError as wrong:
            raise PolicyError([_unreadable(name, str(wrong))]) from wrong
    return found


def _cases(files: Mapping[str, str]) -> tuple[Case, ...]:
    return tuple(case for name in _named(files, _CASES) for case in parse_cases(files[name], name))


def _validate(text: str, schema: str, policies: tuple[Policy, ...]) -> None:
    where = {policy.name: policy.where for policy in policies}
    findings = [
        Finding(where.get(name, SCHEMA), "invalid", f"策略未通过模式校验：{message}", message)
        for name, message in validation_errors(text, schema)
    ]
    if findings:
        raise PolicyError(findings)


def _unreadable(where: str, reason: str) -> Finding:
    return Finding(where, "unreadable", f"无法读取：{reason}", f"cannot be read: {reason}")
