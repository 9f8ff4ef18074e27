"""SECURITY.md claims nothing without a test: every row of its tables names test files, and tests in them, that exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
HEAD = ["threat", "control", "where it is tested"]
_NAMED = re.compile(r"`(tests/[a-z0-9_/]+\.py)(?:::(\w+))?`")


def _rows(text: str) -> list[list[str]]:
    """Cells of the threat tables, without their heads and rules."""
    lines = [line.strip("|").split(" | ") for line in text.splitlines() if line.startswith("|")]
    cells = [[each.strip() for each in line] for line in lines]
    return [row for row in cells if row != HEAD and not re.fullmatch(r"[-| ]+", "".join(row))]


def _tests(path: Path) -> set[str]:
    """Every test function of a file, in classes too."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and _is_test(node.name)}


def _is_test(name: str) -> bool:
    return name.startswith("test_")


def wrong_in(row: list[str]) -> list[str]:
    """What a row names that is not there."""
    if len(row) != 3:
        return [f"not three cells: {row[0]}"]
    named = _NAMED.findall(row[2])
    left = re.sub(r"[\s,]", "", _NAMED.sub("", row[2]))
    wrong = [f"no test: {row[0]}"] if not named else []
    wrong += [f"not a test: {left}"] if left else []
    for file, test in named:
        found = _tests(ROOT / file) if (ROOT / file).is_file() else set()
        if not found or (test and test not in found):
            wrong.append(f"{file}::{test}")
    return wrong


ROWS = _rows(TEXT)


def test_there_are_threats() -> None:
    assert len(ROWS) > 50
    assert len({row[0] for row in ROWS}) == len(ROWS), "a threat stands there twice"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row[0])[:60])
def test_every_threat_has_a_control_and_tests_that_exist(row: list[str]) -> None:
    assert wrong_in(row) == []


@pytest.mark.parametrize(
    "tested",
    [
        "",
        "by hand",
        "`tests/unit/test_none.py`",
        "`tests/harness.py`",
        "`tests/unit/test_limits.py::test_none`",
        "`tests/unit/test_limits.py`, by hand",
    ],
)
def test_the_check_sees_a_claim_without_a_test(tested: str) -> None:
    assert wrong_in(["a threat", "a control", tested])


def test_the_check_sees_a_row_with_a_cell_too_many() -> None:
    assert wrong_in(["a threat", "a control", "another", "`tests/unit/test_limits.py`"])


def test_test_names_elsewhere_in_the_document_exist() -> None:
    outside = [line for line in TEXT.splitlines() if not line.startswith("|")]
    named = re.findall(r"`(test_\w+)`", "\n".join(outside))
    known = {name for path in (ROOT / "tests").rglob("test_*.py") for name in (path.stem, *_tests(path))}
    assert set(named) <= known
