"""Modules stay small, whole and findable."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(
    path.relative_to(ROOT)
    for package in ("gateway", "connectors", "schemas")
    for path in (ROOT / package).rglob("*.py")
)
_UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")


def test_the_modules_are_found() -> None:
    assert len(MODULES) > 80


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_module_is_small_and_finished(module: Path) -> None:
    text = (ROOT / module).read_text(encoding="utf-8")
    assert len(text.splitlines()) < 400
    assert not _UNFINISHED.search(text)


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_imports_are_absolute(module: Path) -> None:
    tree = ast.parse((ROOT / module).read_text(encoding="utf-8"))
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level]


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_module_says_what_it_is_for(module: Path) -> None:
    text = (ROOT / module).read_text(encoding="utf-8")
    assert not text.strip() or ast.get_docstring(ast.parse(text))
