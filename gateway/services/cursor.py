"""Where a page ends. A row's key serves while the caller may have it; otherwise the key is sealed for that caller.

A cursor is part of the answer: a withheld pseudonym or lead id must not come out through it.
"""

from cryptography.exceptions import InvalidTag

from gateway.domain.base64url import b64, unb64
from gateway.domain.errors import Flaw, Malformed
from gateway.domain.ports import KeyRing

SEALED = "pg1-"
PATTERN = f"{SEALED}[A-Za-z0-9_-]{{40,400}}"
"""A sealed cursor, for the routes' parameter checks."""


class Cursors:
    """Makes and reads cursors."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    def told(self, position: str | None, client: str, released: bool) -> str | None:
        """The cursor after that key; `released`: whether the rows bear the key anyway."""
        if position is None or released:
            return position
        sealed = self._keys.seal(_purpose(client), position.encode())
        return SEALED + b64(sealed)

    def read(self, cursor: str | None, client: str, released: bool) -> str | None:
        """The key in a cursor. Malformed for one of the other kind: guessed keys must not probe a list."""
        if cursor is None:
            return None
        if released != cursor.startswith(SEALED):
            return cursor if released else self._open(cursor.removeprefix(SEALED), client)
        raise malformed_cursor()

    def _open(self, text: str, client: str) -> str:
        try:
            return self._keys.open(_purpose(client), unb64(text)).decode()
        except (InvalidTag, ValueError):
            raise malformed_cursor() from None


def _purpose(client: str) -> str:
    return f"cursor:{client}"


def malformed_cursor() -> Malformed:
    """A cursor that leads nowhere."""
    zh, en = "翻页标记无效，请从第一页开始。", "The cursor is of no use; start with the first page."
    return Malformed(zh, en, (Flaw("bad_field", zh, en, pointer="/cursor"),))
