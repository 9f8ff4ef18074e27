"""What can go wrong between an agency's system and the gateway. No text holds what was sent or answered."""

import re
from typing import Any

import httpx

_NAME = re.compile(r"[a-z]+(?:[-_][a-z]+)*\Z")
_CORRELATION = re.compile(r"[0-9A-Za-z_-]{8,64}\Z")


class GatewayError(Exception):
    """The exchange did not take place; the agency's system must not take that for a yes or a no."""


class GatewayUnreachable(GatewayError):
    """No answer: refused, timed out, broken off. The argument is the network error's class name."""


class GatewayFault(GatewayError):
    """An answer that breaks the contract or was changed on the way. The argument names which rule."""


class GatewayRefusal(GatewayError):
    """The gateway said no. `problem` is its RFC 9457 document; `retry_after` in seconds, when it gave one.

    The text has the status, the problem's name and the correlation id, and only where they look like such: a
    `title` or `detail` might repeat the request, and exceptions end in logs.
    """

    def __init__(self, status: int, problem: dict[str, Any], retry_after: int | None = None) -> None:
        self.status = status
        self.problem = problem
        self.retry_after = retry_after
        super().__init__(f"{status} {self.name} {self.correlation_id or ''}".rstrip())

    @property
    def name(self) -> str:
        """The problem's name, `not-permitted`; an OAuth error's code; `unknown` for anything else."""
        text = str(self.problem.get("type") or self.problem.get("error") or "").rpartition("/")[2]
        return text if len(text) <= 60 and _NAME.match(text) else "unknown"

    @property
    def correlation_id(self) -> str | None:
        """What to quote to the gateway's operator; an eighteen-character id number is not taken for one."""
        text = str(self.problem.get("correlation_id") or "")
        return text if _CORRELATION.match(text) and len(text) not in {15, 18} else None


async def refusal(answer: httpx.Response) -> GatewayRefusal:
    """The refusal in an answer that is not 2xx, its body read if it was being streamed."""
    try:
        await answer.aread()
        body = answer.json()
    except (ValueError, httpx.RequestError):
        body = {}
    finally:
        await answer.aclose()
    wait = answer.headers.get("Retry-After", "")
    retry_after = int(wait) if wait.isascii() and wait.isdigit() else None
    return GatewayRefusal(answer.status_code, body if isinstance(body, dict) else {}, retry_after)
