"""What the simulated agencies' systems have in common: the app, the outbox for files, the refusals.

A simulator is a small system of its own that reaches the gateway as any client does. It stands for an agency
in the demo and the contract tests; nothing in it is needed to join with a real system.
"""

import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from json import JSONDecodeError
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.transports.files import read_drop
from connectors.transports.rest import GatewayClient, GatewayFault, GatewayRefusal, GatewayUnreachable
from schemas.catalogue import EXCHANGES

Handler = Callable[[Request], Awaitable[Response]]


class BadRequestError(Exception):
    """What was sent to the simulator cannot be used; the message says what is missing and quotes nothing."""


def client_of(clients: Mapping[str, GatewayClient], role: str) -> GatewayClient:
    """The client of a role; ValueError, at start and not at the first call, when it was not given."""
    if role not in clients:
        raise ValueError(f"the simulator needs a gateway client for the role {role!r}")
    return clients[role]


def application(agency: str, clients: Mapping[str, GatewayClient], routes: Sequence[Route]) -> Starlette:
    """The agency's app: its routes, `GET /health`, and answers for what the gateway refused.

    The app closes `clients` when it stops: their connections belong to the event loop that served it.
    """

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        for client in clients.values():
            await client.aclose()

    async def health(_: Request) -> Response:
        return JSONResponse({"agency": agency, "status": "ok"})

    return Starlette(
        lifespan=lifespan,
        routes=[Route("/health", health, methods=["GET"]), *routes],
        exception_handlers={
            BadRequestError: _bad_request,
            GatewayRefusal: _refused,
            GatewayUnreachable: _unreachable,
            GatewayFault: _faulty,
        },
    )


@dataclass
class Outbox:
    """Pushes an agency's own files of one dataset and keeps the gateway's receipts, newest last."""

    folder: Path
    dataset: str
    client: GatewayClient
    receipts: list[dict[str, Any]] = field(default_factory=list)

    async def push(self, _: Request) -> Response:
        """`POST`: upload every file of the dataset; 502 when one was refused, 404 when there is none."""
        sent: list[dict[str, Any]] = []
        for found in read_drop(self.folder, self.dataset):
            sent.append(await self._send(*found))
            self.receipts.append(sent[-1])  # at once: the gateway may be gone before the next file
        if not sent:
            return JSONResponse({"message": "没有可上报的文件"}, status_code=404)
        refused = any("refused" in receipt for receipt in sent)
        return JSONResponse({"receipts": sent}, status_code=502 if refused else 200)

    async def kept(self, _: Request) -> Response:
        """`GET`: the receipts kept so far."""
        return JSONResponse({"receipts": self.receipts})

    async def _send(self, path: Path, content: bytes, media_type: str) -> dict[str, Any]:
        purpose = EXCHANGES[self.dataset].purposes[0]
        try:
            receipt = await self.client.upload(self.dataset, purpose, content, media_type, uuid.uuid4().hex)
        except GatewayRefusal as error:
            return {"file": path.name, "refused": summary(error)}
        return {"file": path.name, "receipt": receipt}


class ListTable:
    """An agency's table of one list, under the pseudonyms made for it; a pull replaces it all.

    Who is no longer on the gateway's list is forgotten here: the reason for keeping the row has gone.
    """

    def __init__(self, client: GatewayClient, exchange: str, purpose: str, by: str) -> None:
        self._client, self._exchange, self._purpose, self._by = client, exchange, purpose, by
        self.rows: dict[str, dict[str, Any]] = {}
        self.as_of: str | None = None
        self.missing: list[str] = []

    async def pull(self, _: Request) -> Response:
        """`POST`: fetch the whole list of the officer's region, and only then replace the table."""
        rows: dict[str, dict[str, Any]] = {}
        missing: set[str] = set()
        as_of: str | None = None
        region = self._client.credentials.region
        async for page in self._client.pages(self._exchange, self._purpose, region):
            rows.update({str(item["pseudonym"]): item for item in page["items"]})
            missing.update(page.get("missing_sources") or ())
            as_of = page.get("as_of") or as_of
        self.rows, self.as_of, self.missing = rows, as_of, sorted(missing)
        return await self.show(_)

    async def show(self, _: Request) -> Response:
        """`GET`: how many children by the table's field, as of when, and which sources were missing."""
        counted = Counter(str(row.get(self._by)) for row in self.rows.values())
        counts = dict(sorted(counted.items()))
        dated = {"as_of": self.as_of, "missing_sources": self.missing}
        return JSONResponse({"total": len(self.rows), f"by_{self._by}": counts, **dated})


def summary(error: GatewayRefusal) -> dict[str, Any]:
    """What an agency keeps of a refusal: enough to ask the operator about it, nothing that was sent."""
    return {"status": error.status, "problem": error.name, "correlation_id": error.correlation_id}


async def texts(request: Request, *names: str) -> tuple[str, ...]:
    """The named members of the JSON body, all of them texts; BadRequestError otherwise."""
    body = await json_object(request)
    for name in names:
        if not isinstance(body.get(name), str) or not body[name].strip():
            raise BadRequestError(f"缺少 {name} ({name} is missing)")
    return tuple(body[name].strip() for name in names)


async def json_object(request: Request) -> dict[str, Any]:
    """The JSON object of the body, empty for an empty body; BadRequestError for anything else."""
    if not await request.body():
        return {}
    try:
        body = await request.json()
    except (JSONDecodeError, UnicodeDecodeError):
        body = None
    if not isinstance(body, dict):
        raise BadRequestError("请求应为一个 JSON 对象 (a JSON object is expected)")
    return body


async def _bad_request(_: Request, error: Exception) -> Response:
    return JSONResponse({"message": str(error)}, status_code=400)


async def _refused(_: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, GatewayRefusal) else 502
    shown = summary(error) if isinstance(error, GatewayRefusal) else {}
    # The gateway's 401 is about this system, not about the officer in front of it.
    return JSONResponse({"refused": shown}, status_code=502 if status == 401 else status)


async def _unreachable(_: Request, __: Exception) -> Response:
    return JSONResponse({"message": "护学网关暂不可用，未作出任何结论"}, status_code=503)


async def _faulty(_: Request, __: Exception) -> Response:
    return JSONResponse({"message": "护学网关的答复无法核实，未作出任何结论"}, status_code=502)
