"""The hot path goes past the framework's routing: same handler, same errors, same headers, half the time.

The route is registered with the framework as well (for the OpenAPI document, and for the tests that walk the routes);
the application only answers it sooner, before the framework's own middleware. Measured in `benchmarks/RESULTS.md`,
decided in `docs/decisions/`.
"""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.domain.errors import HuxueError
from gateway.http.middleware import secure
from gateway.http.problems import on_unexpected, problem

Handler = Callable[[str, Request], Awaitable[Response]]

_START, _END = "/v1/exchanges/", "/ask"


class FastLane(FastAPI):
    """The framework's application; `POST /v1/exchanges/{exchange}/ask` it answers with `handler` by itself."""

    handler: Handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or leave it to the framework. What nobody expected is told as the framework tells it, then raised."""
        exchange = _asked(scope)
        if exchange is None:
            await super().__call__(scope, receive, send)
            return
        scope["app"] = self
        request = Request(scope, receive, send)
        try:
            response = await self.handler(exchange, request)
        except HuxueError as error:
            response = problem(request, error)
        except Exception as error:
            await (await on_unexpected(request, error))(scope, receive, send)
            raise
        secure(scope, response.raw_headers)
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
