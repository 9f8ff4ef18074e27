"""Headers every answer carries. Plain ASGI: the hot path goes through it."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECURITY_HEADERS = (
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
)


_NONE: dict[str, str] = {}


class SecurityHeaders:
    """Adds the security headers, and the nonce that proofs are to bear from now on, to every answer that passes;
    `problems.on_unexpected` adds them to its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._raw = [(name.encode(), value.encode()) for name, value in SECURITY_HEADERS]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, with headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._raw]
                nonce = scope.get("state", _NONE).get("dpop_nonce")
                if nonce is not None:
                    message["headers"].append((b"dpop-nonce", nonce.encode()))
            await send(message)

        await self._app(scope, receive, with_headers)
