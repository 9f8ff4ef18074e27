"""The key ring: its file, what it shows, and that no two uses share a key."""

import base64
import copy
import hashlib
import hmac
import json
import os
import pickle
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag

from gateway.adapters.hmacs import Hmac
from gateway.adapters.keys import (
    CONSUMER_PREFIXES,
    FileKeyRing,
    KeyRingError,
    create_keyring,
    load_keyring,
)
from gateway.adapters.keys.base32 import base32, base32_many
from gateway.domain.model import SubjectId
from tests.harness import private

SUBJECTS = [SubjectId(hashlib.sha256(bytes([number])).digest()[:16]) for number in range(100)]


@pytest.fixture(scope="module", params=["intl", "gm"])
def suite(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory, suite: str) -> Path:
    path = tmp_path_factory.mktemp("keys") / "keyring.json"
    create_keyring(path, suite)
    return path


@pytest.fixture(scope="module")
def keys(path: Path) -> FileKeyRing:
    return load_keyring(path)


def test_the_file_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        create_keyring(tmp_path / "k.json")
    finally:
        os.umask(before)
    assert (tmp_path / "k.json").stat().st_mode & 0o777 == 0o600
    assert private(tmp_path / "k.json")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644])
def test_a_file_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "k.json"
    create_keyring(path)
    path.chmod(mode)
    with pytest.raises(KeyRingError, match="chmod 600"):
        load_keyring(path)


def test_a_key_ring_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "k.json"
    create_keyring(path)
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        create_keyring(path)
    assert path.read_bytes() == before


def test_a_missing_key_ring_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(KeyRingError, match="huxue keys create"):
        load_keyring(tmp_path / "none.json")


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", '{"roots": {}}', "\x00", '{"roots": 5, "pseudonym": {}}']
)
def test_what_is_no_key_ring_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "k.json"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(KeyRingError, match="is not a key ring"):
        load_keyring(path)


def test_a_spoilt_key_ring_shows_none_of_its_secrets(tmp_path: Path, path: Path) -> None:
    body = json.loads(path.read_text())
    body["roots"]["token"]["1"]["secret"] = "eA=="
    spoilt = tmp_path / "k.json"
    spoilt.write_text(json.dumps(body))
    spoilt.chmod(0o600)
    with pytest.raises(KeyRingError) as found:
        load_keyring(spoilt)
    assert not any(secret in str(found.value) for secret in secrets_of(path))


def secrets_of(path: Path) -> list[str]:
    roots = json.loads(path.read_text())["roots"]
    secrets = [version["secret"] for versions in roots.values() for version in versions.values()]
    token = json.loads(base64.b64decode(roots["token"]["1"]["secret"]))
    return [*secrets, token["d"]]


def test_nothing_is_shown(keys: FileKeyRing, path: Path, suite: str) -> None:
    every = [keys, keys.roots, keys.roots.versions, keys.token_key, vars(keys)]
    shown = " ".join(f"{each!r} {each}" for each in every)
    assert f"FileKeyRing(suite={suite})" in shown
    for secret in secrets_of(path):
        assert secret not in shown
        assert repr(base64.urlsafe_b64decode(secret + "==")) not in shown


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_key_ring_is_neither_pickled_nor_copied(keys: FileKeyRing, protocol: int) -> None:
    with pytest.raises(TypeError):
        pickle.dumps(keys, protocol)
    with pytest.raises(TypeError):
        copy.deepcopy(keys)


def test_root_secrets_are_not_pickled_either(keys: FileKeyRing) -> None:
    with pytest.raises(TypeError):
        pickle.dumps(keys.roots)
    with pytest.raises(TypeError):
        pickle.dumps(keys.roots.of("index")[0])
    with pytest.raises(TypeError):
        copy.deepcopy(keys.roots)


@pytest.mark.parametrize("length", [16, 24, 32])
def test_the_prepared_hmac_is_the_librarys_one_by_one_and_by_the_column(length: int) -> None:
    secret = os.urandom(length)
    key, prepared = secret.hex().encode(), Hmac(secret)
    for message in (b"", b"x", os.urandom(55), os.urandom(64), os.urandom(1000)):
        assert prepared.digest(message) == hmac.digest(key, message, "sha256")
    texts = ["", "x", "学籍号", "y" * 200]
    expected = [hmac.digest(key, ("p\0" + text).encode(), "sha256")[:20] for text in texts]
    assert prepared.digests(texts, 20, "p\0") == expected
    raw = [os.urandom(16) for _ in range(9)]
    assert prepared.digests(raw, 32) == [hmac.digest(key, each, "sha256") for each in raw]
    assert prepared.digests([], 20) == []


@pytest.mark.parametrize("length", [0, 15, 33])
def test_a_secret_too_short_or_too_long_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="16 to 32"):
        Hmac(b"k" * length)


def test_an_hmac_key_shows_nothing_and_is_not_pickled() -> None:
    secret = os.urandom(32)
    assert secret.hex() not in repr(Hmac(secret))
    with pytest.raises(TypeError):
        pickle.dumps(Hmac(secret))


@pytest.mark.parametrize("count", [1, 2, 3, 100])
def test_base32_of_many_is_base64s(count: int) -> None:
    digests = [bytes(20), b"\xff" * 20, *(os.urandom(20) for _ in range(98))][:count]
    expected = [base64.b32encode(digest).decode().lower() for digest in digests]
    assert base32_many(b"".join(digests)) == expected == [base32(digest) for digest in digests]
    assert base32_many(b"".join(digests), "ca12-") == ["ca12-" + text for text in expected]


@pytest.mark.parametrize("consumer", sorted(CONSUMER_PREFIXES))
def test_many_pseudonyms_are_the_single_ones(keys: FileKeyRing, consumer: str) -> None:
    found = keys.pseudonyms(consumer, SUBJECTS)
    assert found == [keys.pseudonym(consumer, subject) for subject in SUBJECTS]
    assert all(text.startswith(f"{CONSUMER_PREFIXES[consumer]}1-") and len(text) == 36 for text in found)


def test_no_subjects_have_no_pseudonyms(keys: FileKeyRing) -> None:
    assert keys.pseudonyms("health", []) == []


def test_consumers_share_no_pseudonym_whatever_the_prefix(keys: FileKeyRing) -> None:
    found = {
        consumer: {text[4:] for text in keys.pseudonyms(consumer, SUBJECTS)} for consumer in CONSUMER_PREFIXES
    }
    assert sum(map(len, found.values())) == len(set().union(*found.values()))
    assert len(set(CONSUMER_PREFIXES.values())) == len(CONSUMER_PREFIXES)


def test_an_unknown_consumer_has_no_pseudonyms(keys: FileKeyRing) -> None:
    with pytest.raises(KeyError):
        keys.pseudonym("tax_office", SUBJECTS[0])


def test_lookup_domains_are_separated(keys: FileKeyRing) -> None:
    values = {
        keys.lookup(kind, "530423201503052") for kind in ("resident_id", "student_number", "identity-tag", "")
    }
    assert len(values) == 4
    assert all(len(value) == 20 for value in values)


def test_many_lookups_are_the_single_ones(keys: FileKeyRing) -> None:
    values = ["", "1", "张三", "530423201503050028"]
    assert keys.lookups("resident_id", values) == [keys.lookup("resident_id", value) for value in values]


def test_two_key_rings_share_nothing(keys: FileKeyRing, tmp_path: Path, suite: str) -> None:
    create_keyring(tmp_path / "k.json", suite)
    other = load_keyring(tmp_path / "k.json")
    assert keys.lookup("resident_id", "1") != other.lookup("resident_id", "1")
    assert keys.pseudonym("health", SUBJECTS[0]) != other.pseudonym("health", SUBJECTS[0])
    assert keys.derived_id("lead", b"a") != other.derived_id("lead", b"a")


def test_derived_ids_are_framed(keys: FileKeyRing) -> None:
    found = [
        keys.derived_id("lead", b"ab", b"c"),
        keys.derived_id("lead", b"a", b"bc"),
        keys.derived_id("lead", b"abc"),
        keys.derived_id("case", b"ab", b"c"),
    ]
    assert len({text.partition("-")[2] for text in found}) == 4
    assert keys.derived_id("lead", b"ab", b"c") == found[0]
    assert len(found[0]) == len("lead-") + 26


def test_an_identity_opens_with_its_own_subject_only(keys: FileKeyRing) -> None:
    wrapped, sealed = keys.seal_identity(SUBJECTS[0], "张三".encode())
    assert keys.open_identity(SUBJECTS[0], wrapped, sealed) == "张三".encode()
    with pytest.raises(InvalidTag):
        keys.open_identity(SUBJECTS[1], wrapped, sealed)
    assert "张三".encode() not in wrapped + sealed


def test_sealing_twice_shares_no_bytes(keys: FileKeyRing) -> None:
    first, second = (keys.seal_identity(SUBJECTS[0], b"same") for _ in range(2))
    assert first[0] != second[0]
    assert first[1] != second[1]
    with pytest.raises(InvalidTag):
        keys.open_identity(SUBJECTS[0], first[0], second[1])


@pytest.mark.parametrize("erased", [b"", bytes(60), b"\0"])
def test_without_its_data_key_an_identity_is_gone(keys: FileKeyRing, erased: bytes) -> None:
    _, sealed = keys.seal_identity(SUBJECTS[0], b"identity")
    with pytest.raises(InvalidTag):
        keys.open_identity(SUBJECTS[0], erased, sealed)


def test_any_changed_byte_of_key_or_identity_is_noticed(keys: FileKeyRing) -> None:
    wrapped, sealed = keys.seal_identity(SUBJECTS[0], b"identity")
    for place in range(len(wrapped)):
        with pytest.raises(InvalidTag):
            keys.open_identity(SUBJECTS[0], flip(wrapped, place), sealed)
    for place in range(len(sealed)):
        with pytest.raises(InvalidTag):
            keys.open_identity(SUBJECTS[0], wrapped, flip(sealed, place))


def flip(raw: bytes, place: int) -> bytes:
    return raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]


def test_what_is_sealed_for_one_purpose_opens_for_no_other(keys: FileKeyRing) -> None:
    sealed = keys.seal("file:a:0", b"content")
    assert keys.open("file:a:0", sealed) == b"content"
    for purpose in ("file:a:1", "file:b:0", "other:a:0", "file"):
        with pytest.raises(InvalidTag):
            keys.open(purpose, sealed)


@pytest.mark.parametrize("length", [0, 1, 11, 12, 27])
def test_something_too_short_is_no_sealed_thing(keys: FileKeyRing, length: int) -> None:
    with pytest.raises(InvalidTag):
        keys.open("file:a:0", bytes(length))


def test_the_root_keys_are_used_for_nothing_directly(keys: FileKeyRing, path: Path, suite: str) -> None:
    root = base64.b64decode(json.loads(path.read_text())["roots"]["index"]["1"]["secret"])
    assert keys.lookup("a", "b") != hmac.digest(root, b"a\0b", "sm3" if suite == "gm" else "sha256")[:20]
