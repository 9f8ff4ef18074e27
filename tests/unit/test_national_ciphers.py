"""SM2, SM3 and SM4 against the published vectors of their standards."""

import os
import sys
import threading
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hashes import SM3, Hash

from gateway.adapters.keys import sm2
from gateway.adapters.keys.heads import HeadSigner, generate_head_key, verify_head
from gateway.adapters.keys.sm4 import Sm4Gcm
from gateway.adapters.keys.suites import Sm3Hmac

# GB/T 32918.5, annex A.2: the recommended curve.
SECRET = bytes.fromhex("3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8")
PUBLIC = bytes.fromhex(
    "0409F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
MESSAGE = b"message digest"
SIGNATURE = bytes.fromhex(
    "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
    "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"
)
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123


def test_the_standards_own_signature_verifies() -> None:
    assert sm2.verify(PUBLIC, MESSAGE, SIGNATURE)
    assert verify_head("sm2", PUBLIC, MESSAGE, SIGNATURE)


def test_what_the_standards_key_signs_verifies_and_nothing_else_does() -> None:
    signature = sm2.sign(SECRET, PUBLIC, MESSAGE)
    assert sm2.verify(PUBLIC, MESSAGE, signature)
    assert not sm2.verify(PUBLIC, MESSAGE + b" ", signature)
    assert not sm2.verify(sm2.generate()[1], MESSAGE, signature)
    assert signature != sm2.sign(SECRET, PUBLIC, MESSAGE)


def test_every_bit_of_the_standards_signature_counts() -> None:
    for bit in range(512):
        changed = (int.from_bytes(SIGNATURE, "big") ^ (1 << bit)).to_bytes(64, "big")
        assert not sm2.verify(PUBLIC, MESSAGE, changed)


@pytest.mark.parametrize("length", [0, 1, 63, 65, 1000])
def test_messages_of_any_length_are_signed_zero_bytes_included(length: int) -> None:
    secret, public = sm2.generate()
    message = bytes(length)
    signature = sm2.sign(secret, public, message)
    assert sm2.verify(public, message, signature)
    assert not sm2.verify(public, message + b"\0", signature)


@pytest.mark.parametrize(
    "signature",
    [b"", b"\0", bytes(64), b"\xff" * 64, SIGNATURE[:63], SIGNATURE + b"\0", SIGNATURE * 1000]
    + [
        r.to_bytes(32, "big") + s.to_bytes(32, "big")
        for r, s in [(0, 1), (1, 0), (N, 1), (1, N), (N - 1, N - 1)]
    ],
    ids=range(12),
)
def test_a_malformed_signature_is_false(signature: bytes) -> None:
    assert sm2.verify(PUBLIC, MESSAGE, signature) is False


@pytest.mark.parametrize(
    "public",
    [
        b"",
        PUBLIC[1:],
        PUBLIC + b"\0",
        b"\x02" + PUBLIC[1:33],
        b"\x06" + PUBLIC[1:],
        bytes(65),
        b"\x04" * 65,
        PUBLIC[:-1] + b"\0",
        b"\x04" + b"\xff" * 64,
        b"\0",
        PUBLIC * 9,
    ],
    ids=range(11),
)
def test_a_key_that_is_no_point_is_false(public: bytes) -> None:
    assert sm2.verify(public, MESSAGE, SIGNATURE) is False


@pytest.mark.parametrize("secret", [b"", bytes(32), b"\xff" * 32, SECRET[:31], (N - 1).to_bytes(32, "big")])
def test_a_secret_that_is_none_signs_nothing(secret: bytes) -> None:
    with pytest.raises(sm2.Sm2Error, match="not an SM2 key") as found:
        sm2.sign(secret, PUBLIC, MESSAGE)
    assert secret.hex() not in str(found.value) or not secret


def test_thousands_of_malformed_signatures_leave_no_memory_behind(capfd: pytest.CaptureFixture[str]) -> None:
    forged = [os.urandom(64) for _ in range(100)]
    point = b"\x04" + os.urandom(64)

    def rounds(number: int) -> None:
        for _ in range(number):
            for signature in forged:
                assert not sm2.verify(PUBLIC, MESSAGE, signature)
                assert not sm2.verify(point, MESSAGE, signature)

    rounds(5)
    before = _resident()
    rounds(40)
    assert _resident() - before < 4 * 2**20
    assert capfd.readouterr() == ("", "")


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_the_librarys_queue_of_errors_is_empty_afterwards() -> None:
    library = sm2._library()
    peek = library.ERR_peek_error
    library.ERR_clear_error()
    assert not sm2.verify(PUBLIC, MESSAGE, os.urandom(31) + b"\1" + SIGNATURE[32:])
    with sm2._clean() as inner, sm2._key(inner, "d2i_PUBKEY", b"\x30\x03\x02\x01\x01") as key:
        assert not key
        assert peek()
    assert not peek()


def test_threads_sign_and_verify_at_once() -> None:
    signer = HeadSigner("sm2", *generate_head_key("sm2"))
    found: list[bool] = []

    def work(name: int) -> None:
        for number in range(20):
            message = f"{name}/{number}".encode()
            found.append(verify_head("sm2", signer.public, message, signer.sign(message)))

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 80


def test_without_the_system_library_suite_gm_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    sm2._library.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(sm2.ctypes.util, "find_library", lambda _: "libnothing.so.9")
        with pytest.raises(sm2.Sm2Error, match="OpenSSL 3"):
            sm2.generate()
    sm2._library.cache_clear()
    assert len(sm2.generate()[0]) == 32


def test_sm3_is_the_standards() -> None:
    """GB/T 32905, annex A."""
    for message, expected in (
        (b"abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        (b"abcd" * 16, "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),
    ):
        digest = Hash(SM3())
        digest.update(message)
        assert digest.finalize().hex() == expected


def test_sm4_gcm_is_the_standards() -> None:
    """RFC 8998, appendix A.1."""
    key = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
    nonce = bytes.fromhex("00001234567800000000ABCD")
    associated = bytes.fromhex("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2")
    plain = b"".join(bytes([value]) * 8 for value in (0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0xEE, 0xAA))
    sealed = bytes.fromhex(
        "17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735"
        "D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D"
        "83DE3541E4C2B58177E065A9BF7B62EC"
    )
    cipher = Sm4Gcm(key)
    assert cipher.encrypt(nonce, plain, associated) == sealed
    assert cipher.decrypt(nonce, sealed, associated) == plain
    for spoilt in (sealed[:-1], sealed[:15], b"", sealed[:-1] + bytes([sealed[-1] ^ 1])):
        with pytest.raises(InvalidTag):
            cipher.decrypt(nonce, spoilt, associated)
    with pytest.raises(InvalidTag):
        cipher.decrypt(nonce, sealed, associated + b"x")


@pytest.mark.parametrize("shown", [Sm4Gcm(bytes(16)), Sm3Hmac(bytes(32)), HeadSigner("sm2", SECRET, PUBLIC)])
def test_keys_show_nothing_and_are_not_copied(shown: object) -> None:
    assert SECRET.hex() not in repr(shown)
    assert repr(SECRET) not in repr(shown)
    with pytest.raises(TypeError):
        shown.__reduce__()


@pytest.mark.parametrize("length", [0, 15, 17, 32])
def test_an_sm4_key_has_128_bits(length: int) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Sm4Gcm(bytes(length))


def test_no_banned_library_is_installed_or_used() -> None:
    assert not {"gmssl", "smcryptopy"} & set(sys.modules)
