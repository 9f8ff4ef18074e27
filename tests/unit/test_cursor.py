"""Where a page ends, told without telling a withheld key."""

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.adapters.keys import create_keyring, load_keyring
from gateway.domain.errors import Malformed
from gateway.domain.principal import Principal
from gateway.services.cursor import SEALED, Cursors
from gateway.services.evidence import Request
from schemas.catalogue import Action

KEY = "ca1-" + "a" * 32
CLERK = Principal("client", "civil_affairs", "civil_affairs/relief_officer", "530423")
MINE = Request(CLERK, Action.LIST, "needy-children", "child_relief", "530423")


@pytest.fixture
def cursors(tmp_path: Path) -> Cursors:
    create_keyring(tmp_path / "keyring.json")
    return Cursors(load_keyring(tmp_path / "keyring.json"))


def test_a_key_that_is_told_anyway_is_the_cursor(cursors: Cursors) -> None:
    assert cursors.told(KEY, MINE, True) == KEY
    assert cursors.read(KEY, MINE, True) == KEY


def test_a_withheld_key_is_sealed_and_comes_back(cursors: Cursors) -> None:
    told = cursors.told(KEY, MINE, False)
    assert told is not None
    assert told.startswith(SEALED)
    assert KEY[4:] not in told
    assert cursors.read(told, MINE, False) == KEY


def test_no_cursor_is_no_cursor(cursors: Cursors) -> None:
    assert cursors.told(None, MINE, False) is None
    assert cursors.read(None, MINE, False) is None


@pytest.mark.parametrize("cursor", [KEY, SEALED + "A" * 60, SEALED + "é" * 60, SEALED])
def test_a_guess_is_refused(cursors: Cursors, cursor: str) -> None:
    with pytest.raises(Malformed):
        cursors.read(cursor, MINE, False)


@pytest.mark.parametrize(
    "other",
    [
        Request(replace(CLERK, client="another"), MINE.action, MINE.exchange, MINE.purpose, MINE.region),
        Request(CLERK, MINE.action, "aid-gap", MINE.purpose, MINE.region),
        Request(CLERK, MINE.action, MINE.exchange, "statistics", MINE.region),
        Request(CLERK, MINE.action, MINE.exchange, MINE.purpose, "530423101"),
        Request(CLERK, MINE.action, MINE.exchange, MINE.purpose, MINE.region, term="2026-1"),
    ],
    ids=["client", "list", "purpose", "region", "term"],
)
def test_another_clients_or_lists_cursor_is_of_no_use(cursors: Cursors, other: Request) -> None:
    told = cursors.told(KEY, MINE, False)
    with pytest.raises(Malformed):
        cursors.read(told, other, False)


def test_one_of_several_lists_is_no_other(cursors: Cursors) -> None:
    told = cursors.told(KEY, MINE, False, part="suspected")
    assert cursors.read(told, MINE, False, part="suspected") == KEY
    with pytest.raises(Malformed):
        cursors.read(told, MINE, False, part="dropped-out")


def test_a_sealed_cursor_is_none_where_keys_are_told(cursors: Cursors) -> None:
    told = cursors.told(KEY, MINE, False)
    with pytest.raises(Malformed):
        cursors.read(told, MINE, True)
