"""Identifiers a hundred thousand at a time: which of them are already written as they are compared, and are right.

Only a sieve: what passes needs no further reading, what does not is read one by one by `schemas.identifiers`, which
alone decides. A property test holds the two together.
"""

import re
from collections.abc import Iterable

import numpy as np

from schemas.identifiers import IdentifierError, parse_resident_id

_LENGTH = 18
_WEIGHTS = np.array((7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2), dtype=np.int32)
_CHECKS = np.frombuffer(b"10X98765432", dtype=np.uint8)
_SHAPE = re.compile(r"[1-9][0-9]{16}[0-9X]")
_STUDENT_NUMBER = re.compile(r"[GLJ][0-9A-Z]{10,20}")


def clean_resident_ids(texts: Iterable[object]) -> list[str]:
    """The texts that are resident ids of 18 characters, normalised, with the right check character and a real date."""
    shaped = [text for text in texts if isinstance(text, str) and _SHAPE.fullmatch(text)]
    if not shaped:
        return []
    grid = np.frombuffer("".join(shaped).encode("ascii"), dtype=np.uint8).reshape(-1, _LENGTH)
    sums = (grid[:, :17].astype(np.int32) - 48) @ _WEIGHTS
    fits = grid[:, 17] == _CHECKS[sums % 11]
    days = {digits for digits in {text[6:14] for text in shaped} if _is_day(digits)}
    return [text for text, right in zip(shaped, fits.tolist(), strict=True) if right and text[6:14] in days]


def _is_day(digits: str) -> bool:
    """Whether the eight digits are a birth date that an id may hold; asked of the reader that decides."""
    first = f"110000{digits}000"
    check = "10X98765432"[sum(int(d) * int(w) for d, w in zip(first, _WEIGHTS, strict=True)) % 11]
    try:
        parse_resident_id(first + check)
    except IdentifierError:
        return False
    return True


def clean_student_numbers(texts: Iterable[object]) -> list[str]:
    """The texts that are student numbers as they are compared."""
    return [text for text in texts if isinstance(text, str) and _STUDENT_NUMBER.fullmatch(text)]
