"""base64url without padding, as tokens, proofs, thumbprints and cursors are written (RFC 4648 §5, RFC 7515 §2)."""

import base64
import binascii

_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_PADDING = (b"", b"", b"==", b"=")


def b64(raw: bytes) -> str:
    """The text of some bytes."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """The bytes of a text, strictly; ValueError for anything else, padding included."""
    standard = text.encode("ascii").translate(_TO_STANDARD, b"+/=")
    if len(standard) != len(text):
        raise ValueError("base64url")
    return binascii.a2b_base64(standard + _PADDING[len(text) % 4], strict_mode=True)
