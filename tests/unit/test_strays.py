"""Files that lost their card, and identities that a later file tells less of."""

import os
import time
from pathlib import Path

import pytest

from gateway.adapters.filestore import SealedFileStore
from gateway.adapters.keys import FileKeyRing, create_keyring, load_keyring


@pytest.fixture
def keys(tmp_path: Path) -> FileKeyRing:
    create_keyring(tmp_path / "keyring.json")
    return load_keyring(tmp_path / "keyring.json")


def test_old_files_are_candidates_and_new_ones_are_not(tmp_path: Path, keys: FileKeyRing) -> None:
    store = SealedFileStore(tmp_path / "files", keys)
    store.write("file-old", [b"a"])
    store.write("file-new", [b"b"])
    long_ago = time.time() - 7200
    os.utime(tmp_path / "files" / "file-old", (long_ago, long_ago))
    assert store.orphans(time.time() - 3600) == ["file-old"]
    store.remove("file-old")
    assert store.orphans(time.time() + 1) == ["file-new"]
