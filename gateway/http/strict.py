"""A query parameter that a path does not take is refused.

Left unread, a filter with a slip of the pen shows everything as if it had been filtered, and of a parameter that stands
twice only one would count: the caller must not believe in a list that it did not ask for.
"""

import re
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from gateway.domain.errors import Flaw, Malformed
from gateway.http.context import context

_NAME = re.compile("[a-z_]{1,24}")
"""What may be said back of a parameter's name: anything else could be a person's."""

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class StrictRoute(APIRoute):
    """A route that takes its own query parameters, each once, and no others."""

    def get_route_handler(self) -> Handler:
        """The framework's handler, behind a look at the names of the parameters."""
        answer = super().get_route_handler()
        known = frozenset(each.alias for each in self.dependant.query_params)
        guarded = (self.openapi_extra or {}).get("x-authenticator") == "access_token"

        async def handler(request: Request) -> Response:
            flaws = _flaws(request, known) if request.scope["query_string"] else ()
            if flaws and guarded:  # a stranger learns nothing but that it is one
                await context(request).auth.principal(request)
            if flaws:
                raise Malformed("请求参数有误。", "A parameter does not fit.", flaws)
            return await answer(request)

        return handler


def _flaws(request: Request, known: frozenset[str]) -> tuple[Flaw, ...]:
    given = Counter(name for name, _ in request.query_params.multi_items())
    return tuple(_flaw(name, known) for name, times in given.items() if name not in known or times > 1)


def _flaw(name: str, known: frozenset[str]) -> Flaw:
    pointer = f"/query/{name}" if _NAME.fullmatch(name) else "/query"
    if name in known:
        return Flaw(
            "bad_parameter", "此参数只能出现一次。", "This parameter may be given once.", pointer=pointer
        )
    takes = ", ".join(sorted(known))
    return Flaw(
        "unknown_parameter",
        f"没有这个参数。可用参数：{takes or '无'}。",
        f"There is no such parameter. There are: {takes or 'none'}.",
        pointer=pointer,
    )
