"""RFC 4648 base32 in lower case, of one digest or of a million."""

import numpy as np

LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
BYTES = 20
LENGTH = 32

_PAIRS = [a + b for a in LETTERS for b in LETTERS]
_SHIFTS = tuple(range(150, -1, -10))
_TABLE = np.frombuffer("".join(_PAIRS).encode(), dtype=np.uint16)


def base32(raw: bytes) -> str:
    """Of 20 bytes: ten bits at a time from a table."""
    number = int.from_bytes(raw, "big")
    return "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


def base32_many(raw: bytes, prefix: str = "") -> list[str]:
    """Of 20-byte digests one after the other: `prefix` and 32 characters each. Four times ten bits of every five bytes."""
    count, width = len(raw) // BYTES, len(prefix) + LENGTH
    fives = np.frombuffer(raw, dtype=np.uint8).reshape(-1, 5).astype(np.uint16)
    codes = np.empty((len(fives), 4), dtype=np.uint16)
    for place in range(4):
        left, right = 2 * place + 2, 6 - 2 * place
        codes[:, place] = (fives[:, place] << left | fives[:, place + 1] >> right) & 1023
    text = np.empty((count, width), dtype=np.uint8)
    text[:, : len(prefix)] = np.frombuffer(prefix.encode(), dtype=np.uint8)
    text[:, len(prefix) :] = _TABLE[codes].view(np.uint8).reshape(count, LENGTH)
    whole = text.tobytes().decode("ascii")
    return [whole[start : start + width] for start in range(0, len(whole), width)]
