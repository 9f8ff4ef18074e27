"""The two suites: `intl` (HMAC-SHA-256, AES-256-GCM, HKDF-SHA-256, Ed25519) and `gm` (the same with SM3, SM4, SM2).

GB/T 39786 asks for the national algorithms; one setting chooses. A suite is only names and constructors: what is done
with them is the ring's.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256, SM3, HashAlgorithm
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.adapters.hmacs import Hmac
from gateway.adapters.keys.errors import KeyRingError
from gateway.adapters.keys.heads import HeadAlgorithm
from gateway.adapters.keys.sm4 import Sm4Gcm

SuiteName = Literal["intl", "gm"]
ROOT_BYTES = 32


class Mac(Protocol):
    """A keyed digest, 32 bytes a message."""

    def digest(self, message: bytes) -> bytes:
        """Of one message."""
        ...

    def digests(self, messages: Sequence[str] | Sequence[bytes], size: int, prefix: str = "") -> list[bytes]:
        """The first `size` bytes of each, `prefix` before each message (texts only)."""
        ...

    def joined(self, messages: Sequence[bytes], size: int) -> bytes:
        """The same one after the other."""
        ...


class Cipher(Protocol):
    """Authenticated encryption; `decrypt` raises `cryptography.exceptions.InvalidTag`."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        """Ciphertext and tag."""
        ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        """The plain bytes."""
        ...


class Sm3Hmac:
    """HMAC-SM3 under one key, both pads hashed once. `repr` and pickling show nothing."""

    def __init__(self, secret: bytes) -> None:
        self._ready = HMAC(secret, SM3())

    def __repr__(self) -> str:
        return "Sm3Hmac(…)"

    def __reduce__(self) -> str:
        raise TypeError("a key is not pickled")

    def digest(self, message: bytes) -> bytes:
        """32 bytes."""
        context = self._ready.copy()
        context.update(message)
        return context.finalize()

    def digests(self, messages: Sequence[str] | Sequence[bytes], size: int, prefix: str = "") -> list[bytes]:
        """The first `size` bytes of the digest of each message, `prefix` before each (texts only)."""
        copy, found = self._ready.copy, []
        for message in messages:
            context = copy()
            context.update(message if isinstance(message, bytes) else (prefix + message).encode())
            found.append(context.finalize()[:size])
        return found

    def joined(self, messages: Sequence[bytes], size: int) -> bytes:
        """`digests` one after the other."""
        return b"".join(self.digests(messages, size))


@dataclass(frozen=True, slots=True)
class Suite:
    """One suite: how keys are derived, and what is made of them."""

    name: SuiteName
    cipher_bytes: int
    mac: Callable[[bytes], Mac]
    cipher: Callable[[bytes], Cipher]
    digest: type[HashAlgorithm]
    heads: HeadAlgorithm

    def derive(self, root: bytes, info: str, length: int = 32) -> bytes:
        """A use's own key: HKDF (RFC 5869) over the suite's digest, the purpose as info."""
        return HKDF(algorithm=self.digest(), length=length, salt=None, info=info.encode()).derive(root)

    def cipher_for(self, root: bytes, info: str) -> Cipher:
        """The cipher of one use."""
        return self.cipher(self.derive(root, info, self.cipher_bytes))


INTL = Suite("intl", 32, Hmac, AESGCM, SHA256, "ed25519")
GM = Suite("gm", 16, Sm3Hmac, Sm4Gcm, SM3, "sm2")
_SUITES = {suite.name: suite for suite in (INTL, GM)}


def suite_of(name: str) -> Suite:
    """The suite of that name; KeyRingError when there is none."""
    for known, suite in _SUITES.items():
        if known == name:
            return suite
    raise KeyRingError("the key ring is of a suite this release does not know")
