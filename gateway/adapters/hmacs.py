"""HMAC-SHA-256 under one key, one message at a time or a hundred thousand at once.

Single messages go through the standard library's SHA-256 with both pads hashed once; columns go through Polars.
The two are compared with the library's own `hmac` when a key is made ready, so neither is trusted on its word.
"""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

import polars as pl
import polars_hash as _plugin  # registers the `chash` namespace

_BLOCK = 64
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))
_SAMPLES = ("", "a", "学籍", "530423", "x" * 63, "x" * 64, "x" * 200)


class HmacError(Exception):
    """The ways of computing an HMAC disagree: nothing may be computed with it."""


class Hmac:
    """Digests under one secret. The key is the secret's hex text (64 bytes of a 32-byte secret)."""

    def __init__(self, secret: bytes) -> None:
        if not 16 <= len(secret) <= _BLOCK // 2:
            raise ValueError("a secret has 16 to 32 bytes")
        self._key = secret.hex()
        padded = self._key.encode().ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(padded.translate(_INNER))
        self._outer = hashlib.sha256(padded.translate(_OUTER))
        self._compare()

    def __repr__(self) -> str:
        return "Hmac(…)"

    def __reduce__(self) -> str:
        raise TypeError("a key is not pickled")

    def digest(self, message: bytes) -> bytes:
        """32 bytes: two copies and two updates (RFC 2104)."""
        first = self._inner.copy()
        first.update(message)
        second = self._outer.copy()
        second.update(first.digest())
        return second.digest()

    def digests(self, messages: Sequence[str] | Sequence[bytes], size: int, prefix: str = "") -> list[bytes]:
        """The first `size` bytes of the digest of each message, `prefix` before each (texts only)."""
        if not messages:
            return []
        found: list[bytes] = self._column(messages, size, prefix).str.decode("hex").to_list()
        return found

    def joined(self, messages: Sequence[bytes], size: int) -> bytes:
        """`digests` one after the other."""
        if not messages:
            return b""
        return bytes.fromhex("".join(self._column(messages, size).to_list()))

    def _column(self, messages: Sequence[str] | Sequence[bytes], size: int, prefix: str = "") -> Any:
        """The digests' first bytes in hex."""
        binary = isinstance(messages[0], bytes)
        column = pl.Series("message", messages, dtype=pl.Binary if binary else pl.String)
        whole: Any = pl.col("message") if binary else pl.concat_str(pl.lit(prefix), pl.col("message"))
        hashed = column.to_frame().select(whole.chash.hmac_sha256(key=self._key).str.slice(0, 2 * size))
        return hashed.to_series()

    def _compare(self) -> None:
        key = self._key.encode()
        expected = [hmac.digest(key, sample.encode(), "sha256") for sample in _SAMPLES]
        single = [self.digest(sample.encode()) for sample in _SAMPLES]
        if not single == self.digests(_SAMPLES, 32) == expected:
            raise HmacError("this machine's HMACs disagree")


__all__ = ["Hmac", "HmacError"]

del _plugin
