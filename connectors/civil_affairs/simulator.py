"""Civil affairs' relief system, simulated: hands over who is on relief, keeps the list of who needs it."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.simulation import Outbox, application, client_of
from connectors.transports.rest import GatewayClient


class NeedyTable:
    """The needy children under the pseudonyms made for this agency; a pull replaces them all.

    Who is no longer on the gateway's list is forgotten here: the reason for keeping the row has gone.
    """

    def __init__(self, client: GatewayClient) -> None:
        self._client = client
        self.rows: dict[str, dict[str, Any]] = {}
        self.as_of: str | None = None
        self.missing: list[str] = []

    async def pull(self, _: Request) -> Response:
        """`POST`: fetch the whole list of the officer's region, and only then replace the table."""
        rows: dict[str, dict[str, Any]] = {}
        missing: set[str] = set()
        as_of: str | None = None
        region = self._client.credentials.region
        async for page in self._client.pages("needy-children", "child_relief", region):
            rows.update({str(item["pseudonym"]): item for item in page["items"]})
            missing.update(page.get("missing_sources") or ())
            as_of = page.get("as_of") or as_of
        self.rows, self.as_of, self.missing = rows, as_of, sorted(missing)
        return await self.show(_)

    async def show(self, _: Request) -> Response:
        """`GET`: how many children in each township, as of when, and which sources were missing."""
        townships = Counter(str(row.get("township")) for row in self.rows.values())
        counts = dict(sorted(townships.items()))
        dated = {"as_of": self.as_of, "missing_sources": self.missing}
        return JSONResponse({"total": len(self.rows), "by_township": counts, **dated})


def build(data: Path, clients: Mapping[str, GatewayClient]) -> Starlette:
    """The agency's app over the files in `data`; `clients` by role: `register_keeper`, `relief_officer`."""
    relief = Outbox(data, "relief-register", client_of(clients, "register_keeper"))
    needy = NeedyTable(client_of(clients, "relief_officer"))
    return application(
        "civil_affairs",
        clients,
        [
            Route("/relief/push", relief.push, methods=["POST"]),
            Route("/relief/receipts", relief.kept, methods=["GET"]),
            Route("/needy/pull", needy.pull, methods=["POST"]),
            Route("/needy", needy.show, methods=["GET"]),
        ],
    )
