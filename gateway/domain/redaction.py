"""What may leave that is no record of an exchange: a log line, a trace, an error, the hint in a receipt.

Two questions, two functions. Of a record, `gateway.domain.deidentify.Mask` says which fields leave and in which form:
it knows the fields. Of everything else nobody knows what it holds, so it is let through by its shape: `redact` for
what machines and operators read, `scrubbed` for messages to people, `shape` in place of a clerk's own cell.

Log texts are English, so any 汉字 is somebody's data, escaped ones too; runs of digits long enough for an id or a phone
number are cut out, however they are broken up.
"""

import re

REDACTED = "[redacted]"
_LARGEST = 10**9
# No backslash and no percent-encoded byte above 7F: that is how 汉字 look in a repr, in JSON, in an address.
_SAFE = re.compile(r"(?!.*%[89A-Fa-f][0-9A-Fa-f])[\x20-\x5b\x5d-\x7e]{0,400}")
_ID_LIKE = re.compile(
    r"(?<![0-9A-Za-z])(?:\d[\s-]?){10,20}[0-9Xx]?(?![0-9A-Za-z])"
    r"|(?:\d[^0-9A-Za-z]{0,3}){14,}[0-9Xx]"
    r"|\d{10,}[Xx]?"
)


def redact(value: object) -> object:
    """The value, if its shape can hold nobody; otherwise what is left of it."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value if abs(value) < _LARGEST else REDACTED
    if isinstance(value, list | tuple | set):
        return [redact(item) for item in value][:50]
    if isinstance(value, dict):
        return {str(redact(str(name))): redact(item) for name, item in value.items()}
    text = str(value)
    return _ID_LIKE.sub(REDACTED, text) if _SAFE.fullmatch(text) else REDACTED


def scrubbed(text: str) -> str:
    """A message for a person, 汉字 and all, without anything long enough for an id or a phone number."""
    return _ID_LIKE.sub(REDACTED, text)


def shape(text: str) -> str:
    """The shape of a value without the value: digits as 9, letters as A, 汉字 as 字; 40 characters at most."""
    return "".join(_shape(ch) for ch in text[:40])


def _shape(ch: str) -> str:
    if ch.isdigit():
        return "9"
    if ch.isascii():
        return "A" if ch.isalpha() else (ch if ch.isprintable() else "?")
    return "字" if ch.isalpha() else "?"
