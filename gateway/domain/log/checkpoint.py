"""Signed tree heads as checkpoints (C2SP tlog-checkpoint) and their cosignatures (C2SP tlog-cosignature).

A log signs (origin, size, root); a witness signs the same text again with the time at which it found it to continue
everything it had seen of that log.
"""

import base64
import binascii
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.domain.log.merkle import HASH_BYTES
from gateway.domain.log.note import (
    COSIGNATURE_KINDS,
    HEAD_KINDS,
    TIME_BYTES,
    MalformedNote,
    Signature,
    SignedNote,
    Verify,
    Vkey,
    valid_name,
)

_COSIGNATURE = "cosignature/v1"
_MOST = 2**63 - 1
_DIGITS = frozenset("0123456789")

Sign = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a tree: whose, how many leaves, which root."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class Head:
    """A sealed head as it is kept. Leaves up to row `last_seq` are in it; `vkey` is the key that signed `note`."""

    size: int
    root: bytes
    last_seq: int
    at: datetime
    note: str
    vkey: str


def decimal(text: str) -> int:
    """A size as it is written: digits without leading zeroes."""
    if not text or not set(text) <= _DIGITS or (text[0] == "0" and text != "0") or len(text) > 19:
        raise MalformedNote("not a size")
    number = int(text)
    if number > _MOST:
        raise MalformedNote("not a size")
    return number


def parse_checkpoint(text: str) -> Checkpoint:
    """The head a note's text tells of; further lines are let stand. MalformedNote when it is none."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
        raise MalformedNote("not a checkpoint")
    origin, size, encoded = lines[:3]
    try:
        root = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedNote("not a root") from None
    if len(root) != HASH_BYTES or origin == _COSIGNATURE:
        raise MalformedNote("not a root")
    return Checkpoint(origin, decimal(size), root)


def log_key(origin: str, algorithm: str, public_key: bytes) -> Vkey:
    """The key of a log's heads; MalformedNote when the origin cannot be a key's name."""
    if not valid_name(origin) or origin == _COSIGNATURE:
        raise MalformedNote("not an origin")
    return Vkey(origin, HEAD_KINDS[algorithm], public_key)


def witness_key(name: str, algorithm: str, public_key: bytes) -> Vkey:
    """The same key as it cosigns."""
    return Vkey(name, COSIGNATURE_KINDS[algorithm], public_key)


def signed(checkpoint: Checkpoint, key: Vkey, sign: Sign) -> SignedNote:
    """The head as a signed note."""
    value = sign(checkpoint.text.encode())
    return SignedNote(checkpoint.text, (Signature(key.name, key.key_id, value),))


def cosigned(text: str, key: Vkey, sign: Sign, at: datetime) -> Signature:
    """A witness's line under a checkpoint."""
    seconds = int(at.timestamp())
    value = sign(_cosigned_message(text, seconds))
    return Signature(key.name, key.key_id, seconds.to_bytes(TIME_BYTES, "big") + value)


def _cosigned_message(text: str, seconds: int) -> bytes:
    return f"{_COSIGNATURE}\ntime {seconds}\n{text}".encode()


def signed_by(note: SignedNote, keys: Iterable[Vkey], verify: Verify) -> Vkey | None:
    """The first of the keys whose signature holds; MalformedNote when one of them signed and it does not hold."""
    found = None
    for key in keys:
        for signature in note.of(key):
            if _holds(note.text, signature, key, verify) is None:
                raise MalformedNote("a signature does not hold")
            found = found or key
    return found


def cosigned_at(note: SignedNote, key: Vkey, verify: Verify) -> datetime | None:
    """When that witness cosigned; None when it did not, or its signature does not hold."""
    times = [_holds(note.text, each, key, verify) for each in note.of(key)] if key.cosigns else []
    held = [each for each in times if each is not None]
    return max(held, default=None)


def _holds(text: str, signature: Signature, key: Vkey, verify: Verify) -> datetime | None:
    """The cosignature's time, or the epoch for a plain signature; None when it does not hold."""
    message, value, seconds = text.encode(), signature.value, 0
    if key.cosigns:
        seconds = int.from_bytes(value[:TIME_BYTES], "big")
        if seconds > 253_402_300_799:  # the last second of the year 9999
            return None
        message, value = _cosigned_message(text, seconds), value[TIME_BYTES:]
    if not verify(key.algorithm, key.public_key, message, value):
        return None
    return datetime.fromtimestamp(seconds, UTC)
