"""Documents say what is so: generated pages, links, commands, targets; and nothing of the machine they were made on."""

import os
import re
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from docs import generate
from gateway.cli import app

ROOT = Path(__file__).resolve().parents[2]
_SKIPPED = {"build", "dist", "node_modules", "__pycache__", "keys"}
_DOTTED = {".ci", ".dockerignore", ".gitignore", ".importlinter", ".github"}


def _files() -> Iterator[Path]:
    """The repository's own files, with or without git."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [
            name for name in folders if name not in _SKIPPED and (name[0] != "." or name in _DOTTED)
        ]
        here = [name for name in names if name[0] != "." or name in _DOTTED]
        yield from (Path(folder) / name for name in here)


FILES = sorted(_files())
DOCUMENTS = [path for path in FILES if path.suffix == ".md"]


def _id(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _code(text: str) -> Iterator[str]:
    """Lines of code blocks, fenced or indented, and inline code."""
    fenced = False
    for line in text.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif fenced or line.startswith("    "):
            yield line.strip()
        else:
            yield from re.findall(r"`([^`]+)`", line)


# --- generated pages ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", generate.PAGES)
def test_a_generated_page_is_what_the_code_says(name: str) -> None:
    """When it differs on purpose: `make docs`, and read the diff."""
    assert (generate.REFERENCE / name).read_text(encoding="utf-8") == generate.PAGES[name]()


def test_no_page_is_written_by_nobody() -> None:
    assert generate.drifted() == []


# --- links, paths, commands --------------------------------------------------------------------------------


@pytest.mark.parametrize("document", DOCUMENTS, ids=_id)
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8"))
    local = [link.partition("#")[0] for link in links if not re.match(r"[a-z]+:", link)]
    assert [link for link in local if link and not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=_id)
def test_files_named_in_code_exist(document: Path) -> None:
    """`tests/…`, `docs/…` and the like; placeholders (`<agency>`, `NNNN`) are not files."""
    named = re.findall(
        r"`((?:tests|docs|gateway|schemas|connectors|policies|docker)/[\w./-]+)`",
        document.read_text(encoding="utf-8"),
    )
    made_later = {"docker/keys/keyring.json", "docker/keys/keyring.passphrase"}
    paths = [name for name in named if "." in name or name.endswith("/")]
    missing = [name for name in paths if not (ROOT / name).exists() and name not in made_later]
    assert missing == []


def _targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))


@pytest.mark.parametrize("document", DOCUMENTS, ids=_id)
def test_make_targets_exist(document: Path) -> None:
    code = "\n".join(_code(document.read_text(encoding="utf-8")))
    assert set(re.findall(r"^make ([a-z]+)", code, re.MULTILINE)) <= _targets()


def test_every_target_is_phony_and_the_comment_names_real_ones() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = set(re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[0].split())
    assert phony == _targets()
    assert set(re.findall(r"^#   make ([a-z]+)", makefile, re.MULTILINE)) <= _targets()


def _command(words: list[str]) -> tuple[Any, list[str]]:
    """The command those words lead to, and the words left."""
    found: Any = get_command(app)
    while words and words[0] in getattr(found, "commands", {}):
        found, words = found.commands[words[0]], words[1:]
    return found, words


@pytest.mark.parametrize("document", DOCUMENTS, ids=_id)
def test_commands_and_their_options_exist(document: Path) -> None:
    wrong = []
    for line in _code(document.read_text(encoding="utf-8")):
        for call in re.findall(r"(?<![\w/.-])huxue +([a-z][^)|;`}]*)", line):
            found, _ = _command(call.split())
            options = {option for each in found.params for option in each.opts} | {"--help"}
            if found is get_command(app) or set(re.findall(r"--[a-z-]+", call)) - options:
                wrong.append(call)
    assert wrong == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=_id)
def test_python_modules_exist(document: Path) -> None:
    code = "\n".join(_code(document.read_text(encoding="utf-8")))
    named = re.findall(r"python3? -m ((?:docs|tests|benchmarks|gateway)[\w.]*)", code)
    assert [name for name in named if find_spec(name) is None] == []


def test_both_readmes_show_the_same_commands() -> None:
    def commands(name: str) -> list[str]:
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        return [line.partition(" # ")[0].rstrip() for line in lines if re.match(r" {4}[^#]", line)]

    def bare(lines: list[str]) -> list[str]:
        return [re.sub(r"\s+#.*", "", line) for line in lines]

    english, chinese = bare(commands("README.md")), bare(commands("README.zh-CN.md"))
    mermaid = re.compile(r"    [A-Z]\[")
    assert [x for x in english if not mermaid.match(x)] == [x for x in chinese if not mermaid.match(x)]


# --- decisions ---------------------------------------------------------------------------------------------


def test_every_dependency_is_accounted_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    named = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    text = (ROOT / "docs/decisions/0001-dependencies.md").read_text(encoding="utf-8")
    cells = {
        name.strip() for row in re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE) for name in row.split(",")
    }
    packages = {re.split(r"[^A-Za-z0-9-]", each)[0] for each in named}
    assert packages <= cells
    assert cells - packages == {"package"}


def test_every_decision_is_in_the_index_and_has_its_parts() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    for path in sorted(folder.glob("[0-9]*.md")):
        text = path.read_text(encoding="utf-8")
        title = text.partition("\n")[0].removeprefix("# ")
        assert f"[{path.name[:4]}]({path.name}) | {title[5:]} |" in index
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]


# --- the project stands alone ------------------------------------------------------------------------------

# Put together, so that this file does not contain what it looks for.
_FOREIGN = (
    "/wo" + "rk/",
    "../sha" + "red",
    "/ro" + "ot/",
    "artifac" + "tory",
    "dev" + "pi",
    "verdac" + "cio",
)


def test_nothing_points_out_of_the_repository() -> None:
    found = []
    for path in FILES:
        text = path.read_bytes().decode("utf-8", "replace").lower()
        found += [f"{_id(path)}: {word}" for word in _FOREIGN if word in text]
    assert found == []


def test_the_lock_names_the_public_index_only() -> None:
    lock = (ROOT / "uv.lock").read_text(encoding="utf-8")
    assert set(re.findall(r"https?://([^/\"]+)", lock)) == {"pypi.org", "files.pythonhosted.org"}


def test_ci_runs_the_tests_and_nothing_else() -> None:
    script = ROOT / ".ci" / "run"
    lines = [line for line in script.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert lines[0] == "set -euo pipefail"
    assert lines[-1] == "make test"
    assert len(lines) == 3
    assert os.access(script, os.X_OK)
