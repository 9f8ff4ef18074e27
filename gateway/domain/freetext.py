"""What an officer writes in its own words, judged in one way wherever it is written.

An id number in a note would outlive every mask: the note is turned away, so that its writer takes it out. So is what
cannot be seen, and what turns the writing around and shows the next reader another text (Unicode TR #36).
"""

import unicodedata

from gateway.domain.errors import Malformed
from gateway.domain.redaction import scrubbed

REASON_LENGTH = (4, 500)
"""Of what justifies a look at a child or takes an instrument back; in characters, the shortest and the longest."""
NOTE_LENGTH = (1, 500)
"""Of everything else that is written in sentences."""

Fault = tuple[str, str, str]
"""A stable code, and what is wrong in Chinese and English; never the text itself."""

_LINES = "\r\n\t"


def fault_of(text: object, length: tuple[int, int]) -> Fault | None:
    """Why the text cannot be taken, or None; blanks around it do not count, and only what is seen is counted."""
    shortest, longest = length
    trimmed = text.strip() if isinstance(text, str) else ""
    if not _readable(trimmed, shortest) or len(trimmed) > longest:
        return (
            "out_of_range",
            f"应为{shortest}至{longest}个字",
            f"{shortest} to {longest} readable characters",
        )
    plain = unicodedata.normalize("NFKC", trimmed)
    if scrubbed(plain) != plain:
        return (
            "personal_data",
            "不得填写证件号、电话等长数字",
            "no id, phone or other long number may stand in it",
        )
    return None


def wrong_text(text: object, pointer: str, length: tuple[int, int] = NOTE_LENGTH) -> Malformed | None:
    """The error to raise for it, or None."""
    if (fault := fault_of(text, length)) is None:
        return None
    code, zh, en = fault
    return Malformed.of(code, f"{zh}。", f"{en[:1].upper()}{en[1:]}.", pointer)


def _readable(text: str, shortest: int) -> bool:
    kinds = [unicodedata.category(each)[0] for each in text if each not in _LINES]
    return "C" not in kinds and sum(kind != "Z" for kind in kinds) >= shortest
