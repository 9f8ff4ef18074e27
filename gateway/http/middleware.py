"""Headers every answer carries. Plain ASGI: the hot path goes through it."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECURITY_HEADERS = (
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
)


class SecurityHeaders:
    """Adds the security headers to every answer that passes; `problems.on_unexpected` adds them to its own."""

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
            await send(message)

        await self._app(scope, receive, with_headers)
