"""Imports point one way, and the contracts that say so in pyproject.toml bite."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("gateway", "connectors", "schemas")


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command as c; c()",
        "--no-cache",
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the packages, to be spoilt."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_contract_is_kept() -> None:
    found = lint(ROOT)
    assert found.returncode == 0, found.stdout + found.stderr
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    assert f"Contracts: {len(contracts)} kept, 0 broken" in found.stdout


def test_every_module_of_the_gateway_stands_in_a_contract() -> None:
    """A new one beside the others is in no layer until somebody says where it belongs."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found = {
        path.stem for path in (ROOT / "gateway").iterdir() if path.stem not in {"__init__", "__pycache__"}
    }
    free = {"version"}
    assert not [name for name in sorted(found - free) if f"gateway.{name}" not in text]


def test_the_copy_as_it_is_passes(tree: Path) -> None:
    found = lint(tree)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("gateway/domain/rules.py", "from gateway.services.ask import Ask"),
        ("gateway/domain/rules.py", "import gateway.adapters.keys"),
        ("gateway/domain/rules.py", "import fastapi"),
        ("gateway/domain/schooling.py", "from sqlalchemy import text"),
        ("gateway/services/ask.py", "from gateway.http.problems import STATUS"),
        ("gateway/services/ask.py", "from gateway.adapters.db.engine import Store"),
        ("gateway/services/list.py", "import httpx"),
        ("gateway/services/list.py", "import starlette.requests"),
        ("gateway/services/list.py", "import sqlmodel"),
        ("gateway/services/list.py", "import authlib.jose"),
        ("gateway/http/auth.py", "import gateway.app"),
        ("gateway/http/auth.py", "import gateway.adapters.db.clients"),
        ("gateway/http/auth.py", "import gateway.log"),
        ("gateway/http/auth.py", "import gateway.parts"),
        ("gateway/services/daily.py", "import gateway.background"),
        ("gateway/log.py", "import gateway.parts"),
        ("gateway/parts.py", "import gateway.background"),
        ("gateway/background.py", "import gateway.app"),
        ("gateway/adapters/clock.py", "import gateway.log"),
        ("gateway/adapters/clock.py", "import gateway.parts"),
        ("gateway/adapters/clock.py", "import gateway.services.daily"),
        ("gateway/adapters/clock.py", "import gateway.http.language"),
        ("gateway/adapters/clock.py", "import connectors.registry"),
        ("gateway/app.py", "import gateway.cli"),
        ("gateway/log.py", "import gateway.app"),
        ("gateway/start.py", "import gateway.app"),
        ("gateway/adapters/clock.py", "import gateway.start"),
        ("gateway/http/auth.py", "import gateway.start"),
        ("gateway/http/dpop.py", "import gateway.log"),
        ("gateway/adapters/logs/export.py", "import gateway.services.sealing"),
        ("gateway/domain/log/verifying.py", "import sqlmodel"),
        ("schemas/identifiers.py", "import gateway.domain.model"),
        ("schemas/identifiers.py", "import connectors.base"),
        ("schemas/identifiers.py", "import httpx"),
        ("connectors/base.py", "import gateway.domain.model"),
        ("connectors/health/mapping.py", "import connectors.education.mapping"),
    ],
)
def test_a_wrong_import_is_found(tree: Path, module: str, line: str) -> None:
    path = tree / module
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{line}\n", encoding="utf-8")
    found = lint(tree)
    assert found.returncode == 1, found.stdout + found.stderr
    assert "BROKEN" in found.stdout
    assert module.removesuffix(".py").replace("/", ".") in found.stdout
