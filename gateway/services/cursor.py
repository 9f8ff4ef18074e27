"""Where a page ends. A row's key serves while the caller may have it; otherwise the key is sealed for that caller and list.

A cursor is part of the answer: a withheld pseudonym or lead id must not come out through it. Nor may one list's place be
looked up in another: a sealed cursor opens for the exchange, purpose, region and term it was made for.
"""

from cryptography.exceptions import InvalidTag

from gateway.domain.base64url import b64, unb64
from gateway.domain.errors import Malformed
from gateway.domain.ports import KeyRing
from gateway.services.evidence import Request

SEALED = "pg1-"
PATTERN = f"{SEALED}[A-Za-z0-9_-]{{40,400}}"
"""A sealed cursor, for the routes' parameter checks."""


class Cursors:
    """Makes and reads cursors."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    def told(self, position: str | None, request: Request, released: bool, part: str = "") -> str | None:
        """The cursor after that key; `released`: whether the rows bear the key anyway; `part`: which list of several."""
        if position is None or released:
            return position
        sealed = self._keys.seal(_purpose(request, part), position.encode())
        return SEALED + b64(sealed)

    def read(self, cursor: str | None, request: Request, released: bool, part: str = "") -> str | None:
        """The key in a cursor. Malformed for one of the other kind: guessed keys must not probe a list."""
        if cursor is None:
            return None
        if released != cursor.startswith(SEALED):
            return cursor if released else self._open(cursor.removeprefix(SEALED), _purpose(request, part))
        raise malformed_cursor()

    def _open(self, text: str, purpose: str) -> str:
        try:
            return self._keys.open(purpose, unb64(text)).decode()
        except (InvalidTag, ValueError):
            raise malformed_cursor() from None


def _purpose(request: Request, part: str) -> str:
    whose = (request.principal.client, request.exchange, request.purpose, request.region, request.term or "")
    return ":".join(("cursor", *whose, part))


def malformed_cursor() -> Malformed:
    """A cursor that leads nowhere."""
    zh, en = "翻页标记无效，请从第一页开始。", "The cursor is of no use; start with the first page."
    return Malformed.of("bad_field", zh, en, "/cursor")
