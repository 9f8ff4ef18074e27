"""Domain errors and problem types are the same set, told once in each language."""

import ast
import re
from pathlib import Path

import pytest

from gateway.domain import errors
from gateway.domain.errors import Flaw, HuxueError, problem_types
from gateway.http.problems import STATUS

_CHINESE = re.compile(r"[\u4e00-\u9fff]")
TYPES = problem_types()


def test_every_error_has_a_status_and_every_status_an_error() -> None:
    assert set(STATUS) == set(TYPES)


def test_every_error_class_is_a_type_of_its_own() -> None:
    kinds = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, HuxueError)
    ]
    assert len(kinds) == len(TYPES)
    assert set(kinds) == set(TYPES.values())


@pytest.mark.parametrize("name", sorted(TYPES))
def test_a_type_is_named_titled_and_documented_in_both_languages(name: str) -> None:
    kind = TYPES[name]
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", name)
    assert _CHINESE.search(kind.title_zh)
    assert kind.title_en.isascii()
    assert kind.title_en
    assert kind.__doc__
    assert "title_zh" in vars(kind)


@pytest.mark.parametrize("name", sorted(TYPES))
def test_a_status_is_a_client_or_server_error(name: str) -> None:
    assert 400 <= STATUS[name] < 600
    assert (STATUS[name] >= 500) is (name in ("internal", "source-unavailable"))


@pytest.mark.parametrize(
    "name", sorted(name for name, kind in TYPES.items() if issubclass(kind, errors.NotPermitted))
)
def test_every_refusal_is_a_403(name: str) -> None:
    assert STATUS[name] == 403


def test_the_contract_names_the_same_types() -> None:
    """`identity-unreadable` and `officer-unnamed` were added to it, see decision 0020; `unprintable`: 0026."""
    contract = {
        400: {"malformed", "unknown-purpose", "invalid-resident-id"},
        401: {"unauthenticated", "token-not-bound"},
        403: {
            *("not-permitted", "purpose-not-granted", "region-out-of-reach"),
            *("quota-exceeded-enumeration", "officer-unnamed"),
        },
        409: {"conflict", "idempotency-mismatch", "identity-unreadable"},
        412: {"stale"},
        413: {"too-large"},
        415: {"unsupported-media"},
        422: {"invalid-record", "unprintable"},
        429: {"rate-limited"},
        500: {"internal"},
        503: {"source-unavailable"},
    }
    assert {
        status: {name for name in STATUS if STATUS[name] == status} for status in set(STATUS.values())
    } == contract


def test_the_domains_errors_know_no_http() -> None:
    text = Path(errors.__file__).read_text(encoding="utf-8")
    names = {
        node.id if isinstance(node, ast.Name) else node.attr
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Name | ast.Attribute)
    }
    assert not {name for name in names if "status" in name.lower() or "header" in name.lower()}
    code = "".join(ast.unparse(node) for node in ast.parse(text).body if not isinstance(node, ast.Expr))
    assert not re.search(r"\b[45]\d\d\b", code)


def test_an_error_shows_its_name_and_not_its_detail() -> None:
    error = HuxueError("细节", "detail", (Flaw("code", "话", "words", value_hint="hint"),))
    assert str(error) == "internal"
    assert "detail" not in repr(error)
