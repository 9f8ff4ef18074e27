"""Sealed files: nothing readable on disk, and no chunk swapped, cut, moved or changed without notice."""

from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag

from gateway.adapters.filestore import SealedFileStore
from gateway.adapters.keys import create_keyring, load_keyring

CHUNKS = [b"one" * 100, b"two" * 100, b"three" * 100]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    path = tmp_path_factory.mktemp("keys") / "keyring.json"
    create_keyring(path)
    return load_keyring(path)


@pytest.fixture
def store(tmp_path: Path, keys) -> SealedFileStore:  # type: ignore[no-untyped-def]
    return SealedFileStore(tmp_path / "files", keys)


def frames(path: Path) -> list[bytes]:
    """A stored file's frames, length included."""
    raw, found = path.read_bytes(), []
    while raw:
        end = 4 + int.from_bytes(raw[:4], "big")
        found.append(raw[:end])
        raw = raw[end:]
    return found


@pytest.mark.parametrize("chunks", [CHUNKS, [b"x"], [b""], [], [b"", b"y", b""]], ids=len)
def test_what_was_written_is_read(store: SealedFileStore, chunks: list[bytes]) -> None:
    assert store.write("file-a", chunks) == len(b"".join(chunks))
    assert b"".join(store.read("file-a")) == b"".join(chunks)


def test_nothing_is_readable_on_disk(store: SealedFileStore, tmp_path: Path) -> None:
    store.write("file-a", CHUNKS)
    assert all(chunk[:6] not in (tmp_path / "files" / "file-a").read_bytes() for chunk in CHUNKS)
    assert (tmp_path / "files").stat().st_mode & 0o077 == 0


def spoil(store: SealedFileStore, path: Path, parts: list[bytes]) -> None:
    path.write_bytes(b"".join(parts))
    with pytest.raises(InvalidTag):
        b"".join(store.read(path.name))


def test_chunks_are_not_swapped_reordered_or_left_out(store: SealedFileStore, tmp_path: Path) -> None:
    store.write("file-a", CHUNKS)
    path = tmp_path / "files" / "file-a"
    one, two, three, last = frames(path)
    for parts in (
        [two, one, three, last],
        [one, three, last],
        [one, last],
        [last],
        [one, two, one, three, last],
    ):
        spoil(store, path, parts)


@pytest.mark.parametrize("kept", [0, 1, 3])
def test_a_file_cut_between_chunks_is_refused(store: SealedFileStore, tmp_path: Path, kept: int) -> None:
    store.write("file-a", CHUNKS)
    path = tmp_path / "files" / "file-a"
    spoil(store, path, frames(path)[:kept])


@pytest.mark.parametrize("cut", [1, 2, 3, 4, 5, 20, 40])
def test_a_file_cut_anywhere_is_refused(store: SealedFileStore, tmp_path: Path, cut: int) -> None:
    store.write("file-a", CHUNKS)
    path = tmp_path / "files" / "file-a"
    spoil(store, path, [path.read_bytes()[:-cut]])


def test_any_changed_byte_is_refused(store: SealedFileStore, tmp_path: Path) -> None:
    store.write("file-a", [b"abc"])
    path = tmp_path / "files" / "file-a"
    raw = path.read_bytes()
    for place in range(len(raw)):
        spoil(store, path, [raw[:place], bytes([raw[place] ^ 1]), raw[place + 1 :]])


def test_one_files_bytes_do_not_pass_as_anothers(store: SealedFileStore, tmp_path: Path) -> None:
    store.write("file-a", CHUNKS)
    store.write("file-b", CHUNKS)
    path = tmp_path / "files" / "file-b"
    spoil(store, path, [(tmp_path / "files" / "file-a").read_bytes()])


def test_another_key_ring_reads_nothing(store: SealedFileStore, tmp_path: Path) -> None:
    store.write("file-a", CHUNKS)
    create_keyring(tmp_path / "other.json")
    with pytest.raises(InvalidTag):
        list(SealedFileStore(tmp_path / "files", load_keyring(tmp_path / "other.json")).read("file-a"))


@pytest.mark.parametrize(
    "name",
    [
        "../keyring.json",
        "..",
        ".",
        "",
        "/etc/passwd",
        "a/b",
        "a\\b",
        "A",
        "a.partial",
        "a\0",
        "ａ",
        "a" * 81,
        "a\n",
    ],
)
def test_a_name_leads_nowhere_else(store: SealedFileStore, tmp_path: Path, name: str) -> None:
    (tmp_path / "keyring.json").write_text("{}")
    for use in (store.read, store.remove, lambda each: store.write(each, [b"x"])):
        with pytest.raises(FileNotFoundError):
            use(name)
    assert (tmp_path / "keyring.json").read_text() == "{}"


def test_a_missing_file_is_refused_before_anything_is_sent(store: SealedFileStore) -> None:
    with pytest.raises(FileNotFoundError):
        store.read("file-never")


def test_removing_twice_is_no_error(store: SealedFileStore) -> None:
    store.write("file-a", CHUNKS)
    store.remove("file-a")
    store.remove("file-a")
    with pytest.raises(FileNotFoundError):
        store.read("file-a")


def test_a_write_that_breaks_off_leaves_nothing_to_read(store: SealedFileStore, tmp_path: Path) -> None:
    def broken():  # type: ignore[no-untyped-def]
        yield b"one"
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        store.write("file-a", broken())
    with pytest.raises(FileNotFoundError):
        store.read("file-a")
    assert list((tmp_path / "files").iterdir()) == []
