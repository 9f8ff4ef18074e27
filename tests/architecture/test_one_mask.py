"""Nothing builds an outgoing record of an exchange beside the mask: who could write one, and who could forge one.

`Released` is made in one module, the services write bytes in one module, and that one takes `Released` only (mypy holds
its callers to that). Whoever needs a new writer adds it below with the reason why it writes no record.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.test_modules import ROOT

MINT, WRITER = "gateway/domain/deidentify.py", "gateway/services/outgoing.py"
SERIALISERS = frozenset({"orjson", "json", "msgspec", "pickle", "csv"})
STRUCTS = frozenset({"Struct", "field"})
"""What is taken from msgspec to hold values, not to write them."""
WRITES_NO_RECORD = {
    WRITER: "the one writer of records, of `Released` only",
    "gateway/domain/audit.py": "canonical audit entries: commitments in place of children",
    "gateway/http/wire.py": "decodes bodies; `dump` writes what is no record (see the routers below)",
    "gateway/http/problems.py": "problem documents, each text scrubbed",
    "gateway/http/oauth.py": "tokens",
    "gateway/http/dpop.py": "decodes proofs",
    "gateway/http/fastlane.py": "routing only",
    "gateway/http/bodies.py": "decodes bodies",
    "gateway/http/routers/identity.py": "decodes bodies",
    "gateway/http/routers/notices.py": "decodes bodies",
    "gateway/http/routers/cases.py": "decodes bodies",
    "gateway/http/routers/duties.py": "decodes bodies",
    "gateway/http/routers/disclosures.py": "decodes bodies; writes down what `outgoing.uses` put together",
    "gateway/http/routers/referrals.py": "decodes bodies",
    "gateway/http/routers/handovers.py": "decodes bodies",
    "gateway/domain/package.py": "the signed history of a case, itself a field that the mask of its exchange releases",
    "gateway/domain/disclosure.py": "decodes audit entries",
    "gateway/domain/log/verifying.py": "decodes audit entries",
    "gateway/services/mapping.py": "pairs of the caller's own pseudonyms, where the grant tells them",
    "gateway/http/routers/pseudonyms.py": "decodes bodies",
    "gateway/http/routers/placement.py": "decodes bodies",
    "gateway/http/routers/reports.py": "decodes bodies",
    "gateway/services/transparency.py": "heads and proofs: hashes, and the caller's own entry as it was hashed",
}
FOLDERS = ("gateway/services", "gateway/domain", "gateway/http")
ROUTERS_OF_RECORDS = (
    *("exchanges", "leads", "duties", "jobs", "identity", "deletions", "notices", "reports", "cases"),
    *("referrals", "handovers", "ledgers"),
)
DUMPED = {"receipt", "found.manifest"}
"""A receipt holds shapes and counts; a manifest says where a file is. Otherwise a job's id and state."""
JOB = {"job", "state"}


def modules(*folders: str) -> Iterator[tuple[str, str]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def serialisers(text: str) -> set[str]:
    """Which serialisers a module imports, however. Who takes nothing but structs from msgspec writes nothing with it."""
    found: set[str] = set()
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names if not _is_plain(alias)}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    structs = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr in STRUCTS
    }
    names = (node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "msgspec")
    if any(id(name) not in structs for name in names):
        found.add("msgspec")
    return found & SERIALISERS


def _is_plain(alias: ast.alias) -> bool:
    return alias.name == "msgspec" and alias.asname is None


def forgeries(text: str) -> list[int]:
    """Lines that make a `Released`, or talk the type checker into one."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            forged = name == "cast" and "Released" in ast.unparse(node)
            if name == "Released" or forged:
                found.append(node.lineno)
    lines = text.splitlines()
    found += [number for number, line in enumerate(lines, 1) if "Released" in line and "type: ignore" in line]
    return sorted(found)


def loose(text: str) -> list[str]:
    """Public functions of the writer that take a mapping or object where a record belongs."""
    found = []
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            first = node.args.args[0].annotation
            kind = ast.unparse(first) if first is not None else "nothing"
            if kind not in ("Released", "Sequence[Released]"):
                found.append(f"{node.name}({kind})")
    return found


def dumped(text: str) -> Iterator[ast.expr]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "dump":
            yield node.args[0]


def is_known(value: ast.expr) -> bool:
    if isinstance(value, ast.Dict):
        return {key.value for key in value.keys if isinstance(key, ast.Constant)} == JOB
    return ast.unparse(value) in DUMPED


@pytest.mark.parametrize(
    ("text", "writes"),
    [
        ("import msgspec\nclass A(msgspec.Struct, frozen=True):\n    a: int = msgspec.field()", False),
        ("import msgspec\nmsgspec.json.encode(1)", True),
        ("import msgspec\nwrite = msgspec", True),
        ("import msgspec as m\nm.json.encode(1)", True),
        ("import msgspec.json", True),
        ("from msgspec import Struct", True),
        ("def f() -> None:\n    import orjson", True),
    ],
)
def test_a_writer_is_told_from_a_struct(text: str, writes: bool) -> None:
    assert bool(serialisers(text)) is writes


def test_only_known_modules_can_write() -> None:
    writers = {name for name, text in modules(*FOLDERS) if serialisers(text)}
    assert writers <= set(WRITES_NO_RECORD), "write with gateway.services.outgoing, or say why not"
    assert WRITER in writers


@pytest.mark.parametrize(("name", "text"), list(modules("gateway", "connectors", "schemas")), ids=str)
def test_a_released_record_is_made_by_the_mask_only(name: str, text: str) -> None:
    assert bool(forgeries(text)) is (name == MINT)


def test_the_writer_takes_released_records_only() -> None:
    assert loose((ROOT / WRITER).read_text(encoding="utf-8")) == [
        "digest(Mapping[str, object])",
        "fingerprint(Mapping[str, object])",
    ]


@pytest.mark.parametrize("router", ROUTERS_OF_RECORDS)
def test_routers_of_records_pass_bytes_on(router: str) -> None:
    text = (ROOT / f"gateway/http/routers/{router}.py").read_text(encoding="utf-8")
    assert [ast.unparse(value) for value in dumped(text) if not is_known(value)] == []


def test_logs_and_errors_use_the_domains_redaction() -> None:
    """One module decides what may leave that is no record; the edge has no rules of its own."""
    for name, needed in (("logging", "redact"), ("problems", "scrubbed")):
        text = (ROOT / f"gateway/http/{name}.py").read_text(encoding="utf-8")
        assert f"from gateway.domain.redaction import {needed}" in text
        assert "import re\n" not in text


@pytest.mark.parametrize(
    "text",
    [
        "import orjson\n",
        "def f():\n    from json import dumps\n",
        "import msgspec.json as quick\n",
    ],
)
def test_the_check_sees_a_serialiser(text: str) -> None:
    assert serialisers(text)


@pytest.mark.parametrize(
    "text",
    [
        "page([Released(record)])",
        "page([deidentify.Released(dict(record))])",
        "x = cast(Released, record)",
        "x = typing.cast('list[Released]', rows)",
        "x: Released = record  # type: ignore[assignment]",
    ],
)
def test_the_check_sees_a_forgery(text: str) -> None:
    assert forgeries(text)


def test_the_check_sees_a_loose_writer_and_a_loose_router() -> None:
    assert loose("def page(items: Sequence[dict[str, object]]) -> bytes: ...")
    assert loose("def page(items) -> bytes: ...")
    assert [is_known(value) for value in dumped("x(dump(record)); dump({'job': 1, 'sex': s})")] == [False] * 2


def test_every_exception_names_a_module_that_is_there() -> None:
    assert [name for name in WRITES_NO_RECORD if not Path(ROOT / name).is_file()] == []
