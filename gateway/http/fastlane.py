"""The hot path goes past the framework's routing: same handler, same errors, same headers, half the time.

The route is registered with the framework as well (for the OpenAPI document, and for the tests that walk the routes);
this middleware only answers it sooner. Measured in `benchmarks/RESULTS.md`, decided in `docs/decisions/`.
"""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.domain.errors import HuxueError
from gateway.http.problems import problem

Handler = Callable[[str, Request], Awaitable[Response]]

_START, _END = "/v1/exchanges/", "/ask"


class FastLane:
    """Answers `POST /v1/exchanges/{exchange}/ask` with the route's own handler; passes everything else on."""

    def __init__(self, app: ASGIApp, handler: Handler) -> None:
        self._app, self._handler = app, handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or pass on."""
        exchange = _asked(scope)
        if exchange is None:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive, send)
        try:
            response = await self._handler(exchange, request)
        except HuxueError as error:
            response = problem(request, error)
        await response(scope, receive, send)


def _asked(scope: Scope) -> str | None:
    """The exchange of an ask; None for any other request."""
    if scope["type"] != "http" or scope["method"] != "POST":
        return None
    path: str = scope["path"]
    if not (path.startswith(_START) and path.endswith(_END)):
        return None
    exchange = path[len(_START) : -len(_END)]
    return exchange if exchange and "/" not in exchange else None
