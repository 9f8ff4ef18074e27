"""Where a ring is kept: sealed files, the environment, and what a running gateway does when the file changes."""

import base64
import copy
import json
import os
import pickle
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey

from gateway.adapters.keys import FileKeyRing, KeyRingError, create_keyring, load_keyring, secret
from gateway.adapters.keys.envelope import PassphraseLock
from gateway.adapters.keys.heads import verify_head
from gateway.adapters.keys.roots import NAMES, from_body, new_roots, new_version, to_body
from gateway.adapters.keys.secret import Secret
from gateway.adapters.keys.stores import (
    FileRing,
    RingPlace,
    make_passphrase,
    open_store,
    passphrase_beside,
)
from gateway.adapters.keys.suites import INTL, suite_of
from gateway.adapters.keys.watch import RingWatch
from gateway.domain.model import SubjectId
from tests.harness import private

WORDS = "correct horse battery staple"
CHILD = SubjectId(bytes(16))
NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def _nothing_taken() -> Iterator[None]:
    secret.forget()
    yield
    secret.forget()


def lock(words: str = WORDS) -> PassphraseLock:
    return PassphraseLock(lambda: Secret(words.encode()))


@pytest.fixture(scope="module", params=["intl", "gm"])
def sealed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sealed") / "keyring.json"
    create_keyring(path, request.param, WORDS)
    return path


def test_a_sealed_ring_opens_with_its_passphrase_and_shows_nothing_without(sealed: Path) -> None:
    roots = FileRing(sealed, lock()).load()
    raw = sealed.read_bytes()
    assert private(sealed)
    for version in (each for versions in roots.versions.values() for each in versions):
        assert version.secret is not None
        assert version.secret not in raw
        assert base64.b64encode(version.secret) not in raw
    assert FileRing(sealed, lock()).warnings == []


def test_a_wrong_passphrase_is_one_clear_line(sealed: Path) -> None:
    with pytest.raises(KeyRingError) as found:
        FileRing(sealed, lock("something else")).load()
    assert str(found.value) == "the passphrase does not open the key ring (or the file was changed)"
    assert found.value.__cause__ is None


def document(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text()))


def written(folder: Path, content: Any) -> Path:
    path = folder / "k.json"
    path.write_text(json.dumps(content))
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("name", ["suite", "nonce", "salt", "iterations", "body"])
def test_nothing_of_the_envelope_can_be_changed(sealed: Path, tmp_path: Path, name: str) -> None:
    changed = document(sealed)
    header, parameters = changed["header"], changed["header"]["parameters"]
    if name == "suite":
        header["suite"] = {"intl": "gm", "gm": "intl"}[header["suite"]]
    elif name == "nonce":
        header["nonce"] = base64.b64encode(bytes(12)).decode()
    elif name == "salt":
        parameters["salt"] = base64.b64encode(bytes(16)).decode()
    elif name == "iterations":
        parameters["iterations"] += 1
    else:
        raw = bytearray(base64.b64decode(changed["body"]))
        raw[0] ^= 1
        changed["body"] = base64.b64encode(raw).decode()
    with pytest.raises(KeyRingError, match="does not open"):
        FileRing(written(tmp_path, changed), lock()).load()


@pytest.mark.parametrize(
    ("name", "value"),
    [("memory_kib", 1 << 30), ("iterations", 10**9), ("lanes", 1000), ("memory_kib", 0), ("salt", "é")],
)
def test_parameters_beyond_measure_are_no_ring(
    sealed: Path, tmp_path: Path, name: str, value: object
) -> None:
    changed = document(sealed)
    changed["header"]["parameters"][name] = value
    with pytest.raises(KeyRingError, match="not a key ring"):
        FileRing(written(tmp_path, changed), lock()).load()


@pytest.mark.parametrize("content", [{"header": 1}, {"header": {}}, {"header": {"sealed": 2}}, {"format": 3}])
def test_what_is_no_ring_is_refused(tmp_path: Path, content: object) -> None:
    with pytest.raises(KeyRingError, match="not a key ring"):
        FileRing(written(tmp_path, content), lock()).load()


def first_format() -> dict[str, Any]:
    """A ring as release 0.1 wrote it."""
    token = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
    names = ("index", "identity", "files", "ids")
    return {
        "suite": "intl",
        "version": 1,
        "roots": {name: base64.b64encode(os.urandom(32)).decode() for name in names},
        "pseudonym": {"1": base64.b64encode(os.urandom(32)).decode()},
        "token": token.as_dict(private=True),
    }


def test_a_ring_of_the_first_release_opens_with_a_warning_and_is_sealed(tmp_path: Path) -> None:
    path = written(tmp_path, first_format())
    store = FileRing(path, lock())
    before = FileKeyRing(store.load())
    assert "huxue keys seal" in store.warnings[0]
    store.seal(before.roots)
    again = FileRing(path, lock())
    after = FileKeyRing(again.load())
    assert again.warnings == []
    assert after.lookup("resident_id", "1") == before.lookup("resident_id", "1")
    assert after.pseudonym("health", CHILD) == before.pseudonym("health", CHILD)
    assert after.head_public_key == before.head_public_key
    assert after.token_key.kid == before.token_key.kid


def test_the_first_releases_ring_has_one_head_key_however_often_it_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, first_format())
    one, other = load_keyring(path), load_keyring(path)
    assert verify_head("ed25519", other.head_public_key, b"head", one.sign_head(b"head"))


@pytest.mark.parametrize("suite", ["intl", "gm"])
def test_a_body_is_read_as_it_was_written(suite: str) -> None:
    roots = new_roots(suite_of(suite), NOW)
    later = new_version(roots.suite, "log", 2, NOW + timedelta(days=1))
    roots = roots.with_versions("log", (*roots.of("log"), later))
    again = from_body(json.loads(json.dumps(to_body(roots))))
    assert again.versions == roots.versions
    assert set(again.versions) == set(NAMES)


def test_a_wrong_lock_says_which_it_is(sealed: Path) -> None:
    other = lock()
    other.kind = "pkcs11"
    with pytest.raises(KeyRingError, match="not by the hardware module"):
        FileRing(sealed, other).load()


@pytest.mark.parametrize("hidden", [lock(), Secret(WORDS.encode())], ids=["lock", "secret"])
def test_what_opens_a_ring_shows_nothing(hidden: object) -> None:
    assert WORDS not in f"{hidden!r} {hidden}"
    with pytest.raises(TypeError):
        pickle.dumps(hidden)
    with pytest.raises(TypeError):
        copy.copy(hidden)


# --- where the passphrase comes from -----------------------------------------------------------------------


def test_the_environment_is_read_once_and_cleared(sealed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUXUE_KEYRING_PASSPHRASE", WORDS)
    assert load_keyring(sealed).suite
    assert "HUXUE_KEYRING_PASSPHRASE" not in os.environ
    assert load_keyring(sealed).suite


def place(path: Path, **more: Any) -> RingPlace:
    return RingPlace(str(path), path, **more)


def test_a_passphrase_file_must_be_private(sealed: Path, tmp_path: Path) -> None:
    file = tmp_path / "words"
    file.write_text(WORDS + "\n")
    file.chmod(0o640)
    with pytest.raises(KeyRingError, match="chmod 600"):
        open_store(place(sealed, passphrase_file=file)).load()
    file.chmod(0o600)
    assert open_store(place(sealed, passphrase_file=file)).load().suite
    file.write_text("")
    with pytest.raises(KeyRingError, match="is empty"):
        open_store(place(sealed, passphrase_file=file)).load()
    file.unlink()
    with pytest.raises(KeyRingError, match="cannot read"):
        open_store(place(sealed, passphrase_file=file)).load()


def test_without_a_passphrase_it_says_what_is_missing(sealed: Path) -> None:
    with pytest.raises(KeyRingError, match="HUXUE_KEYRING_PASSPHRASE_FILE") as found:
        load_keyring(sealed)
    assert "terminal" in str(found.value)


def test_the_demos_passphrase_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    make_passphrase(path)
    before = passphrase_beside(path).read_text()
    make_passphrase(path)
    assert passphrase_beside(path).read_text() == before
    assert private(passphrase_beside(path))
    create_keyring(path, "intl", before.strip())
    assert load_keyring(path, demo=True).suite == "intl"


def test_outside_the_demo_a_passphrase_beside_the_ring_opens_nothing(tmp_path: Path) -> None:
    """Whoever takes the folder, or a backup of it, would have both."""
    path = tmp_path / "keyring.json"
    make_passphrase(path)
    create_keyring(path, "intl", passphrase_beside(path).read_text().strip())
    with pytest.raises(KeyRingError, match="HUXUE_KEYRING_PASSPHRASE_FILE") as found:
        open_store(place(path)).load()
    assert f"{passphrase_beside(path)} is read with HUXUE_PROFILE=demo only" in str(found.value)
    assert open_store(place(path, passphrase_file=passphrase_beside(path))).load().suite


def test_workers_are_handed_what_was_taken_in_memory(sealed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUXUE_KEYRING_PASSPHRASE", WORDS)
    monkeypatch.setenv("HUXUE_KEYRING_PASSPHRASE_FILE", "")
    load_keyring(sealed)
    secret.hand_on()
    file = Path(os.environ["HUXUE_KEYRING_PASSPHRASE_FILE"])
    assert WORDS not in str(os.environ)
    secret.forget()
    assert open_store(place(sealed, passphrase_file=file)).load().suite


# --- the environment as a store ----------------------------------------------------------------------------


def test_a_ring_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    roots = new_roots(INTL, NOW)
    store = open_store(RingPlace("env:", Path("unused")))
    with pytest.raises(KeyRingError, match="HUXUE_KEYRING_BODY"):
        store.load()
    body = base64.b64encode(json.dumps(to_body(roots)).encode()).decode()
    monkeypatch.setenv("HUXUE_KEYRING_BODY", body)
    assert store.load().versions == roots.versions
    assert "HUXUE_KEYRING_BODY" not in os.environ
    with pytest.raises(KeyRingError, match="as a file"):
        store.save(roots)
    with pytest.raises(KeyRingError, match="as a file"), store.exclusive():
        pass


@pytest.mark.parametrize("body", ["x", "e30=", "bnVsbA==", "é"])
def test_an_environment_without_a_ring_in_it_is_refused(monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    monkeypatch.setenv("HUXUE_KEYRING_BODY", body)
    with pytest.raises(KeyRingError, match="not the base64 of a key ring") as found:
        open_store(RingPlace("env:", Path("unused"))).load()
    assert found.value.__cause__ is None


# --- saving, and a running gateway -------------------------------------------------------------------------


def test_saving_replaces_the_file_and_keeps_it_private(tmp_path: Path) -> None:
    path = tmp_path / "k.json"
    create_keyring(path, "intl", WORDS)
    store, before = FileRing(path, lock()), path.stat().st_ino
    mark = store.mark()
    store.save(store.load())
    assert path.stat().st_ino != before
    assert store.mark() != mark
    assert private(path)
    assert [each.name for each in tmp_path.iterdir()] == ["k.json"]
    assert document(path)["header"]["nonce"]


def test_two_do_not_change_a_ring_at_once(tmp_path: Path) -> None:
    path = tmp_path / "k.json"
    create_keyring(path)
    one, other = FileRing(path, None), FileRing(path, None)
    with one.exclusive(), pytest.raises(KeyRingError, match="another"), other.exclusive():
        pass
    with other.exclusive():
        pass


def test_a_running_gateway_takes_a_changed_ring_and_keeps_the_old_one_when_it_cannot(tmp_path: Path) -> None:
    path = tmp_path / "k.json"
    create_keyring(path, "intl", WORDS)
    watch, writer = RingWatch(FileRing(path, lock())), FileRing(path, lock())
    assert not watch.check()
    roots = writer.load()
    older = datetime.now(UTC) - timedelta(minutes=1)
    turned = roots.with_versions(
        "pseudonym", (*roots.of("pseudonym"), new_version(INTL, "pseudonym", 2, older))
    )
    writer.save(turned)
    assert watch.check()
    assert watch.ring.pseudonym("health", CHILD).startswith("he2-")
    content = path.read_bytes()
    for spoilt in (b"", b"{}", content[:-20], b"\xff", b'{"header": {"sealed": 1}}'):
        path.write_bytes(spoilt)
        assert not watch.check()
        assert watch.problem
        assert watch.problem in watch.warnings[0]
        assert watch.ring.pseudonym("health", CHILD).startswith("he2-")
    path.write_bytes(content)
    assert watch.check()
    assert watch.warnings == []
    path.unlink()
    assert not watch.check()
    assert "no key ring" in watch.warnings[0]
    create_keyring(path, "gm", WORDS)
    assert not watch.check()
    assert "another suite" in watch.warnings[0]


def test_a_new_version_is_understood_at_once_and_used_when_everybody_knows_it(tmp_path: Path) -> None:
    now = [NOW]
    ring = FileKeyRing(new_roots(INTL, NOW - timedelta(days=9)), lambda: now[0])
    first = ring.pseudonym("health", CHILD)
    roots = ring.roots
    for name in ("pseudonym", "index", "token", "files", "identity"):
        newer = new_version(INTL, name, 2, NOW)
        roots = roots.with_versions(name, (*roots.of(name), newer))
    sealed = ring.seal("file:a", b"x")
    ring.adopt(roots)
    assert ring.pseudonym("health", CHILD) == first
    assert ring.pseudonym("health", CHILD, 2).startswith("he2-")
    assert ring.pseudonym_versions("health") == (1, 2)
    assert ring.index_versions == (1, 2)
    before = ring.token_key.kid
    assert not ring.tick()
    now[0] += timedelta(seconds=6)
    assert ring.tick()
    assert not ring.tick()
    assert ring.pseudonym("health", CHILD).startswith("he2-")
    assert ring.pseudonym("health", CHILD, 1) == first
    assert ring.pseudonym_versions("health") == (2, 1)
    assert ring.index_versions == (2, 1)
    assert ring.token_key.kid != before
    assert before in {each.kid for each in ring.token_keys}
    assert ring.open("file:a", sealed) == b"x"
