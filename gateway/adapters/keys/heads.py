"""Signatures over tree heads of the log: Ed25519 (RFC 8032) in suite `intl`, SM2 with SM3 in suite `gm`."""

from typing import Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.adapters.keys import sm2

HeadAlgorithm = Literal["ed25519", "sm2"]


def generate_head_key(algorithm: HeadAlgorithm) -> tuple[bytes, bytes]:
    """A new key: its secret (32 bytes) and its public key (32 bytes Ed25519, 65 bytes SM2)."""
    if algorithm == "sm2":
        return sm2.generate()
    key = Ed25519PrivateKey.generate()
    return key.private_bytes_raw(), key.public_key().public_bytes_raw()


class HeadSigner:
    """Signs with one key. `repr` and pickling show nothing."""

    def __init__(self, algorithm: HeadAlgorithm, secret: bytes, public: bytes) -> None:
        self.algorithm, self.public = algorithm, public
        self._secret = secret
        self._ed25519 = Ed25519PrivateKey.from_private_bytes(secret) if algorithm == "ed25519" else None

    def __repr__(self) -> str:
        return f"HeadSigner({self.algorithm})"

    def __reduce__(self) -> str:
        raise TypeError("a key is not pickled")

    def sign(self, message: bytes) -> bytes:
        """64 bytes: Ed25519's, or SM2's r and s."""
        if self._ed25519 is not None:
            return self._ed25519.sign(message)
        return sm2.sign(self._secret, self.public, message)


def verify_head(algorithm: str, public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature over a tree head is the key's.

    False for a wrong, cut, overlong or otherwise malformed signature or key, and for an algorithm nobody knows: what
    comes from a stranger raises nothing. Sm2Error where this machine's OpenSSL has no SM2.
    """
    if algorithm == "sm2":
        return sm2.verify(public_key, message, signature)
    if algorithm != "ed25519" or len(public_key) != 32 or len(signature) != 64:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
