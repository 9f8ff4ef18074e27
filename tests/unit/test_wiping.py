"""What is deleted leaves the file: zeroed cells are not enough where pages were split before."""

import random
from pathlib import Path

from gateway.adapters.clock import SystemClock
from gateway.adapters.db.engine import Store
from gateway.adapters.db.migrate import upgrade
from gateway.adapters.db.purging import SqlitePurging
from gateway.adapters.keys import create_keyring, load_keyring

CHILDREN, PART, GOING = 30_000, 3_000, 1_500


def test_no_page_keeps_what_was_deleted_even_where_it_was_split(tmp_path: Path) -> None:
    """Random keys over many pages: some of the moved rows' bytes stay between cells until the table is rewritten."""
    upgrade(f"sqlite:///{tmp_path / 'huxue.db'}")
    create_keyring(tmp_path / "keyring.json")
    store, dice = Store(tmp_path / "huxue.db"), random.Random(5)
    rows = [
        (
            dice.randbytes(16),
            dice.randbytes(60),
            dice.randbytes(dice.randint(100, 180)),
            dice.randbytes(20),
            1,
            "2026-01-01",
        )
        for _ in range(CHILDREN)
    ]
    for start in range(0, CHILDREN, PART):
        with store.writing() as connection:
            connection.executemany(
                "INSERT INTO subject VALUES (?, ?, ?, ?, ?, ?)", rows[start : start + PART]
            )
    going = dice.sample(rows, GOING)
    with store.writing() as connection:
        connection.executemany("DELETE FROM subject WHERE id = ?", ((row[0],) for row in going))
    purging = SqlitePurging(store, load_keyring(tmp_path / "keyring.json"), SystemClock())
    purging.wipe(["subject"], 0)
    assert purging.truncate()
    raw = (tmp_path / "huxue.db").read_bytes()
    assert not [row[1] for row in going if row[1] in raw]
    kept = set(rows) - set(going)
    assert set(store.reader.execute("SELECT * FROM subject")) == kept
    assert store.reader.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    store.close()
