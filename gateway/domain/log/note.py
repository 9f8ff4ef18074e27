"""Signed notes (C2SP signed-note): a text and lines of signatures, and the keys by which they are checked.

Types of signatures: Ed25519 is 0x01, its timestamped cosignature 0x04 (C2SP tlog-cosignature). SM2 with SM3 has none
assigned, so it bears 0xff and an identifier of this project's own.
"""

import base64
import binascii
import hashlib
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass

KEY_ID_BYTES = 4
TIME_BYTES = 8
_MOST_SIGNATURES = 32
_NOTE_LIMIT = 65_536
_OWN = b"\xffhuxue.example/"

HEAD_KINDS = {"ed25519": b"\x01", "sm2": _OWN + b"sm2-sm3\0"}
COSIGNATURE_KINDS = {"ed25519": b"\x04", "sm2": _OWN + b"sm2-sm3-cosignature/v1\0"}
_ALGORITHMS = {kind: name for kinds in (HEAD_KINDS, COSIGNATURE_KINDS) for name, kind in kinds.items()}

Verify = Callable[[str, bytes, bytes, bytes], bool]
"""(algorithm, public key, message, signature) → whether it holds; a malformed signature does not."""


class MalformedNote(ValueError):
    """Not a signed note, a checkpoint or a key of the published form."""


def valid_name(name: str) -> bool:
    """Whether a key may be called so: not empty, no blank of any script, no plus, no control character."""
    return bool(name) and not any(
        each == "+" or each.isspace() or unicodedata.category(each).startswith(("C", "Z")) for each in name
    )


@dataclass(frozen=True, slots=True)
class Vkey:
    """A public key as it is handed around: ``name+id+base64(kind, key)``."""

    name: str
    kind: bytes
    public_key: bytes

    @property
    def algorithm(self) -> str:
        """`ed25519` or `sm2`."""
        return _ALGORITHMS[self.kind]

    @property
    def cosigns(self) -> bool:
        """Whether it is a witness's key."""
        return self.kind in COSIGNATURE_KINDS.values()

    @property
    def key_id(self) -> bytes:
        """Four bytes by which a signature line names it."""
        framed = self.name.encode() + b"\n" + self.kind + self.public_key
        return hashlib.sha256(framed).digest()[:KEY_ID_BYTES]

    @property
    def text(self) -> str:
        """As it is written down."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(self.kind + self.public_key).decode()}"


def parse_vkey(text: str) -> Vkey:
    """A key as `Vkey.text` wrote it; MalformedNote for anything else."""
    name, _, rest = text.strip().partition("+")
    key_id, _, encoded = rest.partition("+")
    raw = _unbase64(encoded)
    for kind in sorted(_ALGORITHMS, key=len, reverse=True):
        if raw.startswith(kind):
            found = Vkey(name, kind, raw[len(kind) :])
            if valid_name(name) and found.key_id.hex() == key_id.lower():
                return found
    raise MalformedNote("not a verifier key")


@dataclass(frozen=True, slots=True)
class Signature:
    """One line under a note."""

    name: str
    key_id: bytes
    value: bytes

    @property
    def line(self) -> str:
        """With its newline."""
        return f"— {self.name} {base64.b64encode(self.key_id + self.value).decode()}\n"


@dataclass(frozen=True, slots=True)
class SignedNote:
    """`text` ends with a newline."""

    text: str
    signatures: tuple[Signature, ...]

    @property
    def whole(self) -> str:
        """Text, blank line, signature lines."""
        return f"{self.text}\n{''.join(each.line for each in self.signatures)}"

    def of(self, key: Vkey) -> Iterable[Signature]:
        """The signatures that name this key."""
        return [each for each in self.signatures if (each.name, each.key_id) == (key.name, key.key_id)]


def parse_note(whole: str) -> SignedNote:
    """A note apart; MalformedNote when it is none. Nothing of it is to be believed before a signature holds."""
    text, blank, lines = whole.rpartition("\n\n")
    if not blank or not lines.endswith("\n") or len(whole) > _NOTE_LIMIT:
        raise MalformedNote("no signature lines")
    if any(each < " " and each != "\n" for each in whole):
        raise MalformedNote("a control character")
    signatures = parse_signatures(lines)
    if not signatures:
        raise MalformedNote("no signature lines")
    return SignedNote(text + "\n", signatures)


def parse_signatures(lines: str) -> tuple[Signature, ...]:
    """Signature lines, each ending with a newline."""
    each = lines.split("\n")[:-1]
    if len(each) > _MOST_SIGNATURES or not lines.endswith("\n"):
        raise MalformedNote("too many signatures, or a line cut off")
    return tuple(map(_signature, each))


def _signature(line: str) -> Signature:
    dash, name, encoded = [*line.split(" "), "", "", ""][:3]
    raw = _unbase64(encoded)
    if dash != "—" or not valid_name(name) or line.count(" ") != 2 or len(raw) <= KEY_ID_BYTES:
        raise MalformedNote("not a signature line")
    return Signature(name, raw[:KEY_ID_BYTES], raw[KEY_ID_BYTES:])


def _unbase64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedNote("not base64") from None
