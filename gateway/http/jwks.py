"""The public keys that proofs of possession carry (RFC 7517), and their thumbprints (RFC 7638): ES256 and Ed25519.

`cryptography` is used directly: this is on the hot path, and it lets go of the interpreter lock while it verifies.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicKey,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from gateway.domain.base64url import b64, unb64

ALGORITHMS = ("ES256", "Ed25519", "EdDSA")
"""`EdDSA` (RFC 8037) is read as what it means here, `Ed25519` (RFC 9864)."""

Verify = Callable[[bytes, bytes], bool]
"""(signature, signed bytes) → whether they fit."""

KEY_BYTES = 65
"""A key as another process is told of it: what it is (one byte), and its coordinates."""


class PublicKey(NamedTuple):
    """How a key verifies, its thumbprint, and itself for another process."""

    verify: Verify
    thumbprint: str
    wire: bytes


_SECRET = frozenset(("d", "p", "q", "dp", "dq", "qi", "oth", "k"))
_COORDINATE = 32
_ES256, _ED25519 = b"E", b"O"
_ECDSA = ECDSA(SHA256())


class KeyFormatError(ValueError):
    """The key is none that may sign a proof."""


def public_key(alg: str, jwk: Mapping[str, object]) -> PublicKey:
    """The key; KeyFormatError for a secret one, or one of another kind."""
    if _SECRET & jwk.keys():
        raise KeyFormatError
    try:
        if alg == "ES256" and (jwk.get("kty"), jwk.get("crv")) == ("EC", "P-256"):
            return _es256(_coordinate(jwk, "x"), _coordinate(jwk, "y"))
        if alg in ("Ed25519", "EdDSA") and (jwk.get("kty"), jwk.get("crv")) == ("OKP", "Ed25519"):
            return _ed25519(_coordinate(jwk, "x"))
    except ValueError:
        raise KeyFormatError from None
    raise KeyFormatError


def thumbprint(members: str) -> str:
    """SHA-256 over the required members, sorted and without blanks."""
    return b64(hashlib.sha256(members.encode()).digest())


def _coordinate(jwk: Mapping[str, object], name: str) -> bytes:
    text = jwk.get(name)
    raw = unb64(text) if isinstance(text, str) and len(text) < 64 else b""
    if len(raw) != _COORDINATE:
        raise KeyFormatError
    return raw


def from_wire(wire: bytes) -> Verify:
    """How the key verifies that `PublicKey.wire` stands for."""
    x, y = wire[1 : 1 + _COORDINATE], wire[1 + _COORDINATE :]
    return (_es256(x, y) if wire[:1] == _ES256 else _ed25519(x)).verify


def _es256(x: bytes, y: bytes) -> PublicKey:
    numbers = EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), SECP256R1())
    key: EllipticCurvePublicKey = numbers.public_key()  # ValueError for a point that is not on the curve

    def verify(signature: bytes, signed: bytes) -> bool:
        try:
            r, s = _halves(signature)
            key.verify(encode_dss_signature(r, s), signed, _ECDSA)
        except (InvalidSignature, ValueError):
            return False
        return True

    members = f'{{"crv":"P-256","kty":"EC","x":"{b64(x)}","y":"{b64(y)}"}}'
    return PublicKey(verify, thumbprint(members), _ES256 + x + y)


def _halves(signature: bytes) -> tuple[int, int]:
    if len(signature) != 2 * _COORDINATE:
        raise ValueError("an ES256 signature has 64 bytes")
    return int.from_bytes(signature[:_COORDINATE], "big"), int.from_bytes(signature[_COORDINATE:], "big")


def _ed25519(x: bytes) -> PublicKey:
    key = Ed25519PublicKey.from_public_bytes(x)

    def verify(signature: bytes, signed: bytes) -> bool:
        try:
            key.verify(signature, signed)
        except InvalidSignature:
            return False
        return True

    members = f'{{"crv":"Ed25519","kty":"OKP","x":"{b64(x)}"}}'
    return PublicKey(verify, thumbprint(members), _ED25519 + x + bytes(_COORDINATE))
