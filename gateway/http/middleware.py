"""Headers every answer carries. Plain ASGI, so that streams pass as they are."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECURITY_HEADERS = (
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
)

_RAW = [(name.encode(), value.encode()) for name, value in SECURITY_HEADERS]
_NONE: dict[str, str] = {}


def secure(scope: Scope, headers: list[tuple[bytes, bytes]]) -> None:
    """Add the security headers, and the nonce that proofs are to bear from now on."""
    headers += _RAW
    nonce = scope.get("state", _NONE).get("dpop_nonce")
    if nonce is not None:
        headers.append((b"dpop-nonce", nonce.encode()))


class SecurityHeaders:
    """Secures every answer that passes; `problems.on_unexpected` and the fast lane secure their own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, with headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = list(message["headers"])
                secure(scope, message["headers"])
            await send(message)

        await self._app(scope, receive, with_headers)
