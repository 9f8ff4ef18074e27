"""The project's own policies, loaded once, and ways to break a copy of them."""

from functools import cache
from pathlib import Path

from gateway.adapters.cedar import PolicyBundle, assemble, load, read_files

POLICIES = Path(__file__).resolve().parents[2] / "policies"
GOLDEN = Path(__file__).with_name("matrix.golden.txt")


@cache
def bundle() -> PolicyBundle:
    return load(POLICIES)


@cache
def _files() -> tuple[tuple[str, str], ...]:
    return tuple(read_files(POLICIES).items())


def files(**changes: str) -> dict[str, str]:
    """The texts of our policies; `education_cedar="…"` appends that text to education.cedar."""
    texts = dict(_files())
    for key, more in changes.items():
        name = key.removesuffix("_cedar") + ".cedar"
        texts[name] = texts.get(name, "") + "\n" + more
    return texts


def careless(cedar: str) -> PolicyBundle:
    """Our policies with more text in them, valid but not linted."""
    return assemble(files(education_cedar=cedar))


def write(directory: Path, texts: dict[str, str]) -> Path:
    """The texts as files in the folder."""
    for name, text in texts.items():
        (directory / name).write_text(text, encoding="utf-8")
    return directory
