"""Where a page ends, told without telling a withheld key."""

from pathlib import Path

import pytest

from gateway.adapters.keys import create_keyring, load_keyring
from gateway.domain.errors import Malformed
from gateway.services.cursor import SEALED, Cursors

KEY = "ca1-" + "a" * 32


@pytest.fixture
def cursors(tmp_path: Path) -> Cursors:
    create_keyring(tmp_path / "keyring.json")
    return Cursors(load_keyring(tmp_path / "keyring.json"))


def test_a_key_that_is_told_anyway_is_the_cursor(cursors: Cursors) -> None:
    assert cursors.told(KEY, "client", True) == KEY
    assert cursors.read(KEY, "client", True) == KEY


def test_a_withheld_key_is_sealed_and_comes_back(cursors: Cursors) -> None:
    told = cursors.told(KEY, "client", False)
    assert told is not None
    assert told.startswith(SEALED)
    assert KEY[4:] not in told
    assert cursors.read(told, "client", False) == KEY


def test_no_cursor_is_no_cursor(cursors: Cursors) -> None:
    assert cursors.told(None, "client", False) is None
    assert cursors.read(None, "client", False) is None


@pytest.mark.parametrize("cursor", [KEY, SEALED + "A" * 60, SEALED + "é" * 60, SEALED])
def test_a_guess_is_refused(cursors: Cursors, cursor: str) -> None:
    with pytest.raises(Malformed):
        cursors.read(cursor, "client", False)


def test_another_clients_cursor_is_of_no_use(cursors: Cursors) -> None:
    told = cursors.told(KEY, "client", False)
    with pytest.raises(Malformed):
        cursors.read(told, "another", False)
    with pytest.raises(Malformed):
        cursors.read(told, "client", True)
