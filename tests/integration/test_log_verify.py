"""Whoever keeps the database changes it in every way there is; `huxue audit verify` names the first thing wrong."""

import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.adapters.db.engine import Store, stamp
from gateway.adapters.db.log import SqliteLog
from gateway.adapters.keys import load_keyring
from gateway.adapters.logs.database import opened
from gateway.cli import app
from gateway.domain.audit import leaf_hash
from gateway.domain.log.checkpoint import Checkpoint, log_key, signed
from gateway.domain.log.merkle import root
from gateway.domain.log.tiles import grown, perfect_from
from tests.harness import running
from tests.people import resident_id

CHILD = resident_id(date(2015, 3, 5), 2)
ADULT = resident_id(date(1990, 1, 1), 2)
RUN = CliRunner()


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with some 300 entries under several heads; `old` beside it is the folder as it was before."""
    base = tmp_path_factory.mktemp("log")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.log.SEAL_SECONDS", 3600.0)  # sealed when the test says so, and only then
        _fill(base)
    (base / "new.txt").write_text(head(base / "data"))
    return base


def _fill(base: Path) -> None:
    with running(base / "data") as gateway:
        gateway.upload_sample()
        assert gateway.ask(CHILD).status_code == 200
        gateway.parts.log.sealer.seal()
        for _ in range(150):
            gateway.ask(ADULT)
        gateway.parts.log.sealer.seal()
        with gateway.parts.store.writing():  # nobody writes while it is copied
            copy(base / "data", base / "old")
        (base / "old.txt").write_text(head(base / "old"))
        for _ in range(150):
            gateway.ask(CHILD)
        assert gateway.leads(limit=2)
        gateway.parts.log.sealer.seal()
        gateway.ask(ADULT)
        gateway.parts.log.sealer.seal()


def copy(source: Path, target: Path) -> None:
    """The store as SQLite copies it, and the public key."""
    target.mkdir()
    inside, outside = sqlite3.connect(source / "huxue.db"), sqlite3.connect(target / "huxue.db")
    inside.backup(outside)
    inside.close()
    outside.close()
    for path in (source / "log.vkey", *source.glob("keyring*")):
        shutil.copy(path, target)


@pytest.fixture
def data(original: Path, tmp_path: Path) -> Path:
    """A copy to be tampered with."""
    copy(original / "data", tmp_path / "data")
    return tmp_path / "data"


def verify(*words: str | Path) -> Result:
    return RUN.invoke(app, ["audit", "verify", *map(str, words)])


def head(data: Path) -> str:
    return RUN.invoke(app, ["audit", "head", "--data", str(data)]).stdout


@contextmanager
def tampering(data: Path) -> Iterator[sqlite3.Connection]:
    """The database, with the triggers out of the way, as its keeper has it."""
    connection = sqlite3.connect(data / "huxue.db")
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    yield connection
    connection.commit()
    connection.close()


def rows(connection: sqlite3.Connection) -> list[tuple[int, bytes, bytes]]:
    return connection.execute("SELECT seq, body, leaf FROM audit_entry ORDER BY seq").fetchall()


def refuted(data: Path, *words: str | Path) -> str:
    """What is said of a log that is not whole."""
    found = verify("--data", data, *words)
    assert found.exit_code == 1, found.output
    assert re.fullmatch(r"✗ .+\n✗ .+\n", found.stdout)
    return found.stdout


def test_an_honest_log_is_whole(original: Path) -> None:
    found = verify("--data", original / "data")
    assert found.exit_code == 0
    assert "✓ 日志完好" in found.stdout
    sealed = int(re.search(r"(\d+) sealed", found.stdout)[1])  # type: ignore[index]
    assert sealed > 300
    for checkpoint in ("old.txt", "new.txt"):
        assert verify("--data", original / "data", "--against", original / checkpoint).exit_code == 0
    key = (original / "data" / "log.vkey").read_text().strip()
    assert verify("--data", original / "data", "--key", key).exit_code == 0


def test_only_what_is_new_is_looked_at(original: Path, data: Path) -> None:
    found = verify("--data", data, "--since", original / "old.txt")
    assert found.exit_code == 0
    assert re.search(r"the \d+ entries before it were not checked", found.stdout)
    assert "the log is whole" not in found.stdout
    looked = int(re.search(r"(\d+) sealed, (\d+) checked", found.stdout)[2])  # type: ignore[index]
    assert 150 < looked < 170
    with tampering(data) as database:
        last = rows(database)[-1]
        database.execute("UPDATE audit_entry SET body = ? WHERE seq = ?", (last[1] + b" ", last[0]))
    assert "content was changed" in refuted(data, "--since", original / "old.txt")


Tamper = Callable[[sqlite3.Connection], object]


def change(column: str, at: int, value: str) -> Tamper:
    def tamper(database: sqlite3.Connection) -> None:
        seq = rows(database)[at][0]
        database.execute(f"UPDATE audit_entry SET {column} = {value} WHERE seq = ?", (seq,))

    return tamper


def body_and_leaf(database: sqlite3.Connection) -> None:
    seq, body, _ = rows(database)[7]
    forged = body.replace(b"permit", b"refuse")
    database.execute(
        "UPDATE audit_entry SET body = ?, leaf = ? WHERE seq = ?", (forged, leaf_hash(forged), seq)
    )


def with_tile(database: sqlite3.Connection) -> None:
    before = rows(database)[7][2]
    body_and_leaf(database)
    after = rows(database)[7][2]
    (tile,) = database.execute("SELECT hashes FROM audit_tile WHERE level = 0 AND idx = 0").fetchone()
    changed = tile.replace(before, after)
    assert changed != tile
    database.execute("UPDATE audit_tile SET hashes = ? WHERE level = 0 AND idx = 0", (changed,))


def delete(at: int) -> Tamper:
    return lambda database: database.execute(
        "DELETE FROM audit_entry WHERE seq = ?", (rows(database)[at][0],)
    )


def swap(database: sqlite3.Connection) -> None:
    first, second = rows(database)[20][0], rows(database)[30][0]
    for was, becomes in ((first, -1), (second, first), (-1, second)):
        database.execute("UPDATE audit_entry SET seq = ? WHERE seq = ?", (becomes, was))


def put_in(database: sqlite3.Connection, body: bytes, reference: str) -> None:
    """Between two entries, the later ones moved up by one, heads too."""
    seq = rows(database)[10][0]
    database.execute("UPDATE audit_entry SET seq = -seq - 1 WHERE seq >= ?", (seq,))
    database.execute("UPDATE audit_entry SET seq = -seq WHERE seq < 0")
    database.execute(
        "INSERT INTO audit_entry (seq, reference, body, leaf) VALUES (?, ?, ?, ?)",
        (seq, reference, body, leaf_hash(body)),
    )


def forge(database: sqlite3.Connection) -> None:
    put_in(database, rows(database)[10][1].replace(b"permit", b"refuse"), "ref-forged")


def duplicate(database: sqlite3.Connection) -> None:
    put_in(database, rows(database)[5][1], "ref-copy")


def renumber_one(database: sqlite3.Connection) -> None:
    last = rows(database)[-1][0]
    database.execute("UPDATE audit_entry SET seq = seq + 5 WHERE seq = ?", (last,))


def renumber_inside(database: sqlite3.Connection) -> None:
    """Later entries of one head pushed apart; the order stays."""
    seq = rows(database)[30][0]
    database.execute("UPDATE audit_entry SET seq = -seq - 3 WHERE seq >= ?", (seq,))
    database.execute("UPDATE audit_entry SET seq = -seq WHERE seq < 0")


def head_row(change: str) -> Tamper:
    return lambda database: database.execute(
        f"UPDATE audit_head SET {change} WHERE size = (SELECT min(size) FROM audit_head)"
    )


def run(statement: str) -> Tamper:
    return lambda database: database.execute(statement)


def tile(change: str) -> Tamper:
    return run(f"UPDATE audit_tile {change}")


def drop_all_heads(database: sqlite3.Connection) -> None:
    database.execute("DELETE FROM audit_head")


def drop_last_head(database: sqlite3.Connection) -> None:
    database.execute("DELETE FROM audit_head WHERE size = (SELECT max(size) FROM audit_head)")


def one_set_less(database: sqlite3.Connection) -> None:
    (digest,) = database.execute("SELECT members FROM audit_entry WHERE members IS NOT NULL").fetchone()
    database.execute("DELETE FROM disclosed_set WHERE digest = ?", (digest,))


def another_member(database: sqlite3.Connection) -> None:
    (digest,) = database.execute("SELECT members FROM audit_entry WHERE members IS NOT NULL").fetchone()
    database.execute("UPDATE disclosed_set SET members = zeroblob(16) WHERE digest = ?", (digest,))


def other_members(database: sqlite3.Connection) -> None:
    found = database.execute("SELECT DISTINCT members FROM audit_entry WHERE members IS NOT NULL").fetchmany(
        2
    )
    database.execute("UPDATE audit_entry SET members = ? WHERE members = ?", (found[1][0], found[0][0]))


def another_child(database: sqlite3.Connection) -> None:
    database.execute(
        "UPDATE audit_entry SET subject_id = zeroblob(16) WHERE seq ="
        " (SELECT min(seq) FROM audit_entry WHERE subject_id IS NOT NULL)"
    )


def hide_child(database: sqlite3.Connection) -> None:
    database.execute(
        "UPDATE audit_entry SET subject_id = NULL WHERE seq ="
        " (SELECT min(seq) FROM audit_entry WHERE subject_id IS NOT NULL)"
    )


_OTHER_LETTER = (
    "note = substr(note, 1, length(note) - 12)"
    " || CASE substr(note, length(note) - 11, 1) WHEN 'A' THEN 'B' ELSE 'A' END || substr(note, length(note) - 10)"
)
"""One letter of the signature, whichever it is, becomes another."""

WAYS: list[tuple[str, Tamper, str]] = [
    ("body", change("body", 7, "replace(CAST(body AS TEXT), 'permit', 'refuse')"), r"content was changed.*index 7, row 8"),
    ("leaf", change("leaf", 7, "zeroblob(32)"), r"hash kept beside the entry was changed.*index 7"),
    ("body and leaf", body_and_leaf, r"entry was changed, its hash too.*index 7, row 8"),
    ("body, leaf and tile", with_tile, r"together with its tile.*index 5"),
    ("first deleted", delete(0), r"entry was removed.*index 0"),
    ("middle deleted", delete(100), r"entry was removed.*index 100"),
    ("last deleted", delete(-1), r"entry was removed.*index 3\d\d"),
    ("swapped", swap, r"moved to another place.*index 20"),
    ("forged", forge, r"not in the log was put in.*index 10, row 11, reference ref-forged"),
    ("copied", duplicate, r"copy of another entry.*index 10"),
    ("reference", change("reference", 7, "'ref-0'"), r"reference is not the content's.*index 7"),
    ("last renumbered", renumber_one, r"row number was changed.*index 3\d\d"),
    ("renumbered inside", renumber_inside, r"row number was changed.*index 30"),
    ("another child", another_child, r"child concerned is not the one"),
    ("child hidden", hide_child, r"child concerned is not the one"),
    ("members hidden", change("members", 0, "NULL"), r"set of children is not the one"),
    ("members exchanged", other_members, r"set of children is not the one"),
    ("set deleted", one_set_less, r"kept set of children was changed"),
    ("set changed", another_member, r"kept set of children was changed"),
    ("tile", tile("SET hashes = zeroblob(length(hashes)) WHERE idx = 0 AND level = 0"), r"tile was changed or removed.*tile 0/0"),
    ("tile short", tile("SET hashes = substr(hashes, 1, 64) WHERE level = 0 AND idx = 1"), r"tile was changed.*tile 0/1"),
    ("tile gone", run("DELETE FROM audit_tile WHERE level = 0 AND idx = 0"), r"tile was changed or removed.*tile 0/0"),
    ("upper tile", tile("SET hashes = zeroblob(32) WHERE level = 1"), r"tile was changed or removed.*tile 1/0"),
    ("tiles gone", run("DELETE FROM audit_tile"), r"tile was changed or removed"),
    ("root", head_row("root = zeroblob(32)"), r"head is not what its signed text says.*size 5"),
    ("size", head_row("size = size - 1"), r"head is not what its signed text says.*size 4"),
    ("last row", head_row("last_seq = last_seq - 1"), r"row number was changed.*index 4"),
    ("note", head_row(_OTHER_LETTER), r"signature does not hold|not what its signed text says"),
    ("key", head_row("vkey = 'x'"), r"key that is not trusted"),
    ("time", head_row("at = 'yesterday'"), r"cannot be read"),
    ("one head gone", run("DELETE FROM audit_head WHERE size = 5"), r"^$"),
    ("last head gone", drop_last_head, r"head was removed"),
    ("all heads gone", drop_all_heads, r"head was removed"),
    ("index row gone", run("DELETE FROM audit_subject WHERE seq > 200"), r"index by child was changed"),
    ("index row put in", run("INSERT INTO audit_subject VALUES (zeroblob(16), 1)"), r"index by child was changed.*row 1"),
]  # fmt: skip


@pytest.mark.parametrize(("tamper", "said"), [each[1:] for each in WAYS], ids=[each[0] for each in WAYS])
def test_what_was_done_is_named(data: Path, tamper: Tamper, said: str) -> None:
    with tampering(data) as database:
        tamper(database)
    if said == "^$":  # a head between two others proves nothing that the later one does not
        assert verify("--data", data).exit_code == 0
        return
    assert re.search(said, refuted(data)), refuted(data)


def test_a_history_rewritten_with_the_real_key_is_seen_by_whoever_kept_a_head(
    original: Path, data: Path
) -> None:
    with tampering(data) as database:
        body_and_leaf(database)
        database.execute("DELETE FROM audit_head")
        database.execute("DELETE FROM audit_tile")
    rewrite(data)
    assert verify("--data", data).exit_code == 0  # it is a log, only not the one that was shown before
    for checkpoint in ("old.txt", "new.txt"):
        assert "history was rewritten" in refuted(data, "--against", original / checkpoint)
    assert "history was rewritten" in refuted(data, "--since", original / "old.txt")


def rewrite(data: Path) -> None:
    """All entries sealed anew under one head, with the gateway's own key."""
    store, keys = Store(data / "huxue.db"), load_keyring(data / "keyring.json", demo=True)
    with opened(data / "huxue.db") as log:
        key = log_key(log.origin, keys.head_algorithm, keys.head_public_key)
    with store.writing() as connection:
        everything = rows(connection)
        kept = {
            (t.level, t.index): t.hashes for t in grown(lambda _l, _i: b"", 0, [row[2] for row in everything])
        }
        size = len(everything)
        top = root(perfect_from(lambda level, index: kept[level, index]), size)
        note = signed(Checkpoint(key.name, size, top), key, keys.sign_head).whole
        for (level, index), hashes in kept.items():
            connection.execute("INSERT INTO audit_tile VALUES (?, ?, ?)", (level, index, hashes))
        at = stamp(datetime.now(UTC))
        connection.execute(
            "INSERT INTO audit_head VALUES (?, ?, ?, ?, ?, ?)",
            (size, top, everything[-1][0], at, note, key.text),
        )
    assert SqliteLog(store).head() is not None
    store.close()


def test_an_older_copy_put_back_is_seen_by_whoever_kept_a_head(original: Path) -> None:
    assert verify("--data", original / "old").exit_code == 0
    assert verify("--data", original / "old", "--against", original / "old.txt").exit_code == 0
    assert "shorter than the checkpoint" in refuted(original / "old", "--against", original / "new.txt")


def test_a_tail_cut_off_with_its_heads_is_seen_by_whoever_kept_a_head(original: Path, data: Path) -> None:
    with tampering(data) as database, sqlite3.connect(original / "old" / "huxue.db") as old:
        (last, size) = old.execute("SELECT max(last_seq), max(size) FROM audit_head").fetchone()
        database.execute("DELETE FROM audit_entry WHERE seq > ?", (last,))
        database.execute("DELETE FROM audit_head WHERE size > ?", (size,))
        database.execute("DELETE FROM audit_subject WHERE seq > ?", (last,))
        database.execute("DELETE FROM audit_set WHERE seq > ?", (last,))
        database.execute("DELETE FROM audit_tile")
        database.executemany(
            "INSERT INTO audit_tile VALUES (?, ?, ?)", old.execute("SELECT * FROM audit_tile").fetchall()
        )
    old.close()
    assert verify("--data", data).exit_code == 0
    assert "shorter than the checkpoint" in refuted(data, "--against", original / "new.txt")


def test_a_strangers_checkpoint_or_key_is_not_believed(original: Path, data: Path, tmp_path: Path) -> None:
    forged = (original / "new.txt").read_text().replace("huxue/", "other/")
    (tmp_path / "forged.txt").write_text(forged)
    assert "not signed by this log" in refuted(data, "--against", tmp_path / "forged.txt")
    stranger = log_key("huxue/stranger", "ed25519", bytes(32)).text
    assert "key that is not trusted" in refuted(data, "--key", stranger)


def test_an_export_is_checked_elsewhere_and_names_nobody(original: Path, tmp_path: Path) -> None:
    out = tmp_path / "log.jsonl"
    made = RUN.invoke(app, ["audit", "export", "--data", str(original / "data"), "--out", str(out)])
    assert made.exit_code == 0
    key = (original / "data" / "log.vkey").read_text().strip()
    assert verify("--export", out, "--key", key, "--against", original / "old.txt").exit_code == 0
    assert verify("--export", out, "--key", key, "--since", original / "old.txt").exit_code == 0
    with sqlite3.connect(original / "data" / "huxue.db") as database:
        subjects = {row[0] for row in database.execute("SELECT id FROM subject")}
    database.close()
    written = out.read_bytes()
    assert subjects
    assert not any(subject.hex().encode() in written for subject in subjects)
    lines = written.splitlines(keepends=True)
    first = next(number for number, line in enumerate(lines) if b'"kind":"entry"' in line)
    for name, changed, said in (
        ("less", lines[: first + 9] + lines[first + 10 :], "entry was removed"),
        ("moved", [*lines[: first + 9], lines[first + 10], lines[first + 9], *lines[first + 11 :]], "moved"),
        (
            "other",
            [*lines[: first + 9], lines[first + 9].replace(b"permit", b"refuse"), *lines[first + 10 :]],
            "content",
        ),
        ("cut", lines[: len(lines) - 5], "entry was removed"),
    ):
        path = tmp_path / f"{name}.jsonl"
        path.write_bytes(b"".join(changed))
        found = verify("--export", path, "--key", key)
        assert (found.exit_code, said in found.stdout) == (1, True), (name, found.stdout)


def test_entries_of_the_first_release_verify_and_are_not_exported(data: Path, tmp_path: Path) -> None:
    """Form 1 named the child's random id; such a store is sealed after the upgrade."""
    body = b'{"client":"c","reference":"ref-old","subject":"%s"}' % (b"ab" * 16)
    with tampering(data) as database:
        database.execute("DELETE FROM audit_head")
        database.execute("DELETE FROM audit_tile")
        database.execute("DELETE FROM audit_subject")
        database.execute("DELETE FROM audit_set")
        database.execute("DELETE FROM meta WHERE key = 'audit_indexed_to'")
        database.execute("DELETE FROM audit_entry")
        database.execute(
            "INSERT INTO audit_entry (reference, subject_id, body, leaf) VALUES ('ref-old', ?, ?, ?)",
            (b"\xab" * 16, body, leaf_hash(body)),
        )
    rewrite(data)
    assert verify("--data", data).exit_code == 0
    out = tmp_path / "old.jsonl"
    assert RUN.invoke(app, ["audit", "export", "--data", str(data), "--out", str(out)]).exit_code == 0
    assert b"ab" * 16 not in out.read_bytes()
    assert verify("--export", out, "--key", (data / "log.vkey").read_text()).exit_code == 0
    with tampering(data) as database:
        database.execute("UPDATE audit_entry SET subject_id = zeroblob(16)")
    assert "child concerned" in refuted(data)


def test_entries_that_are_not_sealed_yet_are_looked_at_too(original: Path, data: Path) -> None:
    with tampering(data) as database:
        database.execute(
            "INSERT INTO audit_entry (reference, body, leaf) VALUES ('ref-x', x'00', zeroblob(32))"
        )
    assert "content was changed" in refuted(data)


def test_what_cannot_be_checked_is_said_in_a_line(original: Path, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("no note")
    for words in (
        ["--data", tmp_path],
        ["--export", tmp_path / "none"],
        ["--export", tmp_path / "x", "--key", (original / "data" / "log.vkey").read_text()],
        ["--data", original / "data", "--against", tmp_path / "x"],
        ["--data", original / "data", "--key", "nonsense"],
    ):
        found = verify(*words)
        assert type(found.exception).__name__ == "NotReady", found.output


def test_heads_of_a_key_that_was_turned_still_verify(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data) as gateway:
        gateway.ask(ADULT)
        gateway.parts.log.sealer.seal()
    (data / "keyring.json").unlink()
    with running(data) as gateway:  # the demo profile makes another ring
        gateway.ask(ADULT)
        gateway.parts.log.sealer.seal()
        second = gateway.parts.log.key().text
    assert len((data / "log.vkey").read_text().splitlines()) == 2
    assert verify("--data", data).exit_code == 0
    assert "key that is not trusted" in refuted(data, "--key", second)
