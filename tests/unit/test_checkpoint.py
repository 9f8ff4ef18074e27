"""Signed notes, checkpoints and cosignatures: the published forms, and everything that is not of that form."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.adapters.keys import FileKeyRing, create_keyring, load_keyring, verify_head
from gateway.domain.log.checkpoint import (
    Checkpoint,
    cosigned,
    cosigned_at,
    log_key,
    parse_checkpoint,
    signed,
    signed_by,
    witness_key,
)
from gateway.domain.log.note import (
    MalformedNote,
    SignedNote,
    Vkey,
    parse_note,
    parse_signatures,
    parse_vkey,
)

# The example of the note format's first implementation.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
# The example of C2SP tlog-checkpoint and tlog-cosignature; their keys are not published.
SOFA = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/"
    "zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)
NOW = datetime(2026, 11, 20, 1, 2, 3, tzinfo=UTC)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> FileKeyRing:
    path = tmp_path_factory.mktemp("keys") / "k.json"
    create_keyring(path)
    return load_keyring(path)


@pytest.fixture(scope="module")
def key(keys: FileKeyRing) -> Vkey:
    return log_key("county.example/log", keys.head_algorithm, keys.head_public_key)


def test_the_published_note_verifies() -> None:
    key, note = parse_vkey(PETER), parse_note(PETERS)
    assert key.text == PETER
    assert note.whole == PETERS
    assert signed_by(note, [key], verify_head) == key
    with pytest.raises(MalformedNote):
        signed_by(SignedNote(note.text.replace("answer", "question"), note.signatures), [key], verify_head)


def test_the_published_checkpoint_reads_and_writes_the_same() -> None:
    note = parse_note(SOFA)
    found = parse_checkpoint(note.text)
    assert (found.origin, found.size) == ("example.com/behind-the-sofa", 20852163)
    assert found.text == note.text
    assert [each.name for each in note.signatures] == [found.origin, "witness.example.com/w1"]
    assert int.from_bytes(note.signatures[1].value[:8], "big") == 1679315147
    assert signed_by(note, [parse_vkey(PETER)], verify_head) is None


def test_a_head_is_signed_and_cosigned(keys: FileKeyRing, key: Vkey) -> None:
    checkpoint = Checkpoint(key.name, 7, bytes(range(32)))
    note = parse_note(signed(checkpoint, key, keys.sign_head).whole)
    assert signed_by(note, [parse_vkey(key.text)], verify_head) == key
    witness = witness_key("province.example/log", keys.head_algorithm, keys.head_public_key)
    line = cosigned(note.text, witness, keys.sign_head, NOW).line
    both = parse_note(note.whole + line)
    assert cosigned_at(both, parse_vkey(witness.text), verify_head) == NOW
    assert cosigned_at(note, witness, verify_head) is None
    assert cosigned_at(both, key, verify_head) is None
    late = parse_note(note.whole + line.replace(line[-12:-3], "AAAAAAAA" + line[-4]))
    assert cosigned_at(late, witness, verify_head) is None


def test_the_keys_of_a_log_and_of_its_witness_have_other_ids(keys: FileKeyRing, key: Vkey) -> None:
    witness = witness_key(key.name, keys.head_algorithm, keys.head_public_key)
    assert witness.key_id != key.key_id
    assert (witness.cosigns, key.cosigns) == (True, False)


def test_sm2_keys_are_written_and_read_though_checked_elsewhere() -> None:
    for made in (log_key("a/b", "sm2", b"\x04" * 65), witness_key("a/b", "sm2", b"\x04" * 65)):
        assert parse_vkey(made.text) == made
        assert made.algorithm == "sm2"
    assert not verify_head("sm2", b"\x04" * 65, b"", b"")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "no signatures\n",
        "text\n\n",
        "text\n\n— name\n",
        "text\n\n— name AAAA\n",
        "text\n\n— na+me AAAAAAAAAAAA\n",
        "text\n\n- name AAAAAAAAAAAA\n",
        "text\n\n— name AAAAAAAAAAAA",
        "text\r\n\n— name AAAAAAAAAAAA\n",
        "text\n\n" + "— name AAAAAAAAAAAA\n" * 33,
        "text\n\n— name AAAA=AAA\n",
        "text\n\n— name AAAAAAAAAAAA extra\n",
    ],
)
def test_what_is_no_note(text: str) -> None:
    with pytest.raises(MalformedNote):
        parse_note(text)


ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="


@pytest.mark.parametrize(
    "text",
    [
        f"o\n1\n{ROOT}",
        f"\n1\n{ROOT}\n",
        f"o\n01\n{ROOT}\n",
        f"o\n-1\n{ROOT}\n",
        f"o\n１\n{ROOT}\n",
        f"o\n99999999999999999999\n{ROOT}\n",
        f"o\n9999999999999999999\n{ROOT}\n",
        "o\n1\nAAAA\n",
        "o\n1\n!\n",
        f"o\n1\n{ROOT}\n\n",
        f"cosignature/v1\n1\n{ROOT}\n",
    ],
)
def test_what_is_no_checkpoint(text: str) -> None:
    with pytest.raises(MalformedNote):
        parse_checkpoint(text)


@pytest.mark.parametrize(
    "text",
    ["", "a", "a+b", PETER.replace("c74f20a3", "c74f20a4"), PETER.replace("Peter", "Pe ter"), PETER[:-8]],
)
def test_what_is_no_key(text: str) -> None:
    with pytest.raises(MalformedNote):
        parse_vkey(text)


@pytest.mark.parametrize("origin", ["", "a b", "a+b", "a\u3000b", "cosignature/v1"])
def test_what_is_no_origin(origin: str) -> None:
    with pytest.raises(MalformedNote):
        log_key(origin, "ed25519", bytes(32))


def test_signature_lines_end_with_a_newline() -> None:
    assert parse_signatures("— a AAAAAAAAAAAA\n")[0].name == "a"
    with pytest.raises(MalformedNote):
        parse_signatures("— a AAAAAAAAAAAA\n— b")


def test_the_key_is_the_rings_own_every_time(tmp_path: Path) -> None:
    create_keyring(tmp_path / "k.json")
    first, second = load_keyring(tmp_path / "k.json"), load_keyring(tmp_path / "k.json")
    assert first.head_public_key == second.head_public_key
    assert verify_head("ed25519", first.head_public_key, b"x", second.sign_head(b"x"))
    assert not verify_head("ed25519", first.head_public_key, b"y", second.sign_head(b"x"))
    assert not verify_head("ed25519", b"short", b"x", second.sign_head(b"x"))
    assert not verify_head("none", first.head_public_key, b"x", second.sign_head(b"x"))
