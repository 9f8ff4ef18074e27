"""SM2 signatures with SM3 (GB/T 32918.2, GB/T 32918.5) through the system's OpenSSL.

Signatures are r and s side by side, 64 bytes; public keys are points, 65 bytes, uncompressed. What does not have
that shape never reaches the library. The signer's id is the standard's default. Every object is freed, and the
library's queue of errors is emptied, on every way out: nothing leaks, nothing is printed, and Python's own TLS finds
no error of ours.
"""

import ctypes
import ctypes.util
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from gateway.adapters.keys.errors import KeyRingError

DEFAULT_ID = b"1234567812345678"
SIGNATURE_BYTES = 64
PUBLIC_BYTES = 65
SECRET_BYTES = 32

_P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
_B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
_N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
_ALGORITHM = bytes.fromhex("301306072a8648ce3d020106082a811ccf5501822d")
"""ecPublicKey on the recommended curve, 1.2.156.10197.1.301."""

_FUNCTIONS: dict[str, tuple[str, str]] = {
    # name: (result, arguments); p pointer, i int, z size, l long, s bytes
    "EVP_PKEY_Q_keygen": ("p", "pps"),
    "EVP_PKEY_free": ("", "p"),
    "EVP_MD_CTX_new": ("p", ""),
    "EVP_MD_CTX_free": ("", "p"),
    "EVP_PKEY_CTX_set1_id": ("i", "psi"),
    "EVP_sm3": ("p", ""),
    "EVP_DigestSignInit": ("i", "ppppp"),
    "EVP_DigestSign": ("i", "pppsz"),
    "EVP_DigestVerifyInit": ("i", "ppppp"),
    "EVP_DigestVerify": ("i", "pszsz"),
    "EVP_PKEY_get_bn_param": ("i", "psp"),
    "EVP_PKEY_get_octet_string_param": ("i", "pspzp"),
    "BN_bn2binpad": ("i", "ppi"),
    "BN_clear_free": ("", "p"),
    "d2i_AutoPrivateKey": ("p", "ppl"),
    "d2i_PUBKEY": ("p", "ppl"),
    "ERR_clear_error": ("", ""),
}
_TYPES: dict[str, Any] = {
    "": None,
    "p": ctypes.c_void_p,
    "i": ctypes.c_int,
    "z": ctypes.c_size_t,
    "l": ctypes.c_long,
    "s": ctypes.c_char_p,
}


class Sm2Error(KeyRingError):
    """The system's OpenSSL cannot do SM2, or a key is not one."""


@cache
def _library() -> Any:
    """The system's libcrypto with the functions of `_FUNCTIONS`; Sm2Error when it has none."""
    name = ctypes.util.find_library("crypto") or "libcrypto.so.3"
    try:
        library = ctypes.CDLL(name)
        for function, (result, arguments) in _FUNCTIONS.items():
            found = getattr(library, function)
            found.restype, found.argtypes = _TYPES[result], [_TYPES[each] for each in arguments]
    except (OSError, AttributeError):
        raise Sm2Error("suite gm needs OpenSSL 3 with SM2: install it (Debian: libssl3)") from None
    return library


@contextmanager
def _clean() -> Iterator[Any]:
    """The library; its queue of errors is empty afterwards."""
    library = _library()
    try:
        yield library
    finally:
        library.ERR_clear_error()


@contextmanager
def _key(library: Any, decoder: str, der: bytes) -> Iterator[int | None]:
    """A decoded key, freed afterwards; None when it is not one."""
    place = ctypes.c_char_p(der)
    pointer = getattr(library, decoder)(None, ctypes.byref(place), len(der))
    try:
        yield pointer
    finally:
        if pointer:
            library.EVP_PKEY_free(pointer)


@contextmanager
def _digest(library: Any, start: str, key: int) -> Iterator[int | None]:
    """A digest context for signing or verifying under the default id; None when the library refuses the key."""
    context, inner = library.EVP_MD_CTX_new(), ctypes.c_void_p()
    try:
        begun = getattr(library, start)(context, ctypes.byref(inner), library.EVP_sm3(), None, key) == 1
        named = begun and library.EVP_PKEY_CTX_set1_id(inner, DEFAULT_ID, len(DEFAULT_ID)) == 1
        yield context if named else None
    finally:
        library.EVP_MD_CTX_free(context)


def generate() -> tuple[bytes, bytes]:
    """A new key: the secret (32 bytes, big-endian) and its point (65 bytes)."""
    with _clean() as library:
        key = library.EVP_PKEY_Q_keygen(None, None, b"SM2")
        if not key:
            raise Sm2Error("the system's OpenSSL makes no SM2 keys: it needs version 3 with SM2")
        try:
            return _secret_of(library, key), _point_of(library, key)
        finally:
            library.EVP_PKEY_free(key)


def _secret_of(library: Any, key: int) -> bytes:
    number, buffer = ctypes.c_void_p(), ctypes.create_string_buffer(SECRET_BYTES)
    found = library.EVP_PKEY_get_bn_param(key, b"priv", ctypes.byref(number)) == 1
    try:
        if not found or library.BN_bn2binpad(number, buffer, SECRET_BYTES) != SECRET_BYTES:
            raise Sm2Error("the system's OpenSSL does not show the key it made")
        return buffer.raw
    finally:
        library.BN_clear_free(number)
        ctypes.memset(buffer, 0, SECRET_BYTES)


def _point_of(library: Any, key: int) -> bytes:
    buffer, length = ctypes.create_string_buffer(PUBLIC_BYTES), ctypes.c_size_t()
    found = library.EVP_PKEY_get_octet_string_param(
        key, b"encoded-pub-key", buffer, PUBLIC_BYTES, ctypes.byref(length)
    )
    if found != 1 or length.value != PUBLIC_BYTES:
        raise Sm2Error("the system's OpenSSL does not show the point it made")
    return buffer.raw


def sign(secret: bytes, public: bytes, message: bytes) -> bytes:
    """r and s, 64 bytes; Sm2Error when the key is not one."""
    if len(secret) != SECRET_BYTES or not 0 < int.from_bytes(secret, "big") < _N - 1 or not on_curve(public):
        raise Sm2Error("not an SM2 key")
    with _clean() as library, _key(library, "d2i_AutoPrivateKey", _private_der(secret, public)) as key:
        if not key:
            raise Sm2Error("not an SM2 key")
        with _digest(library, "EVP_DigestSignInit", key) as context:
            size, buffer = ctypes.c_size_t(80), ctypes.create_string_buffer(80)
            size_at = ctypes.byref(size)
            if not context or library.EVP_DigestSign(context, buffer, size_at, message, len(message)) != 1:
                raise Sm2Error("the system's OpenSSL did not sign")
            return _raw(buffer.raw[: size.value])


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature is the key's over the message; False for whatever has not its shape."""
    if len(signature) != SIGNATURE_BYTES or not on_curve(public):
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not (0 < r < _N and 0 < s < _N):
        return False
    written = _der(0x30, _integer(r) + _integer(s))
    with _clean() as library, _key(library, "d2i_PUBKEY", _public_der(public)) as key:
        if not key:
            return False
        with _digest(library, "EVP_DigestVerifyInit", key) as context:
            if not context:
                return False
            found = library.EVP_DigestVerify(context, written, len(written), message, len(message))
            return bool(found == 1)


def on_curve(public: bytes) -> bool:
    """Whether these are the 65 bytes of a point of the recommended curve (y² = x³ - 3x + b)."""
    if len(public) != PUBLIC_BYTES or public[0] != 4:
        return False
    x, y = int.from_bytes(public[1:33], "big"), int.from_bytes(public[33:], "big")
    return x < _P and y < _P and (y * y - (x * x - 3) * x - _B) % _P == 0


def _der(tag: int, content: bytes) -> bytes:
    """One DER value of less than 256 bytes."""
    length = bytes([len(content)]) if len(content) < 128 else bytes([0x81, len(content)])
    return bytes([tag]) + length + content


def _integer(number: int) -> bytes:
    return _der(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _public_der(public: bytes) -> bytes:
    return _der(0x30, _ALGORITHM + _der(0x03, b"\0" + public))


def _private_der(secret: bytes, public: bytes) -> bytes:
    """PKCS#8 (RFC 5958) around an ECPrivateKey (RFC 5915) with its point."""
    inner = _integer(1) + _der(0x04, secret) + _der(0xA1, _der(0x03, b"\0" + public))
    return _der(0x30, _integer(0) + _ALGORITHM + _der(0x04, _der(0x30, inner)))


def _raw(signature: bytes) -> bytes:
    """r and s out of the DER the library wrote: a sequence of two integers."""
    first = signature[3]
    r = int.from_bytes(signature[4 : 4 + first], "big")
    s = int.from_bytes(signature[6 + first :], "big")
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")
