"""The justice bureau's system, simulated: hands in what came of the cases it accepted, and tries what is not its own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.simulation import Outbox, application, client_of, json_object, summary
from connectors.transports.rest import GatewayClient, GatewayRefusal
from schemas.identifiers import resident_id_check

_INVENTED = "53042320150305002" + resident_id_check("53042320150305002")
_EMPLOYER = "91350100M000100Y43"  # the example of GB 32100-2015


class Attempts:
    """What was tried and how the gateway answered. An answer is kept as `answered: true`: an alarm."""

    def __init__(self, client: GatewayClient) -> None:
        self._client = client
        self.records: list[dict[str, Any]] = []

    async def attempt(self, request: Request) -> Response:
        """`POST {resident_id?}`: try what is other agencies'; 200 when all was refused."""
        body = await json_object(request)
        tried = [await self._list(), await self._ask(str(body.get("resident_id") or _INVENTED))]
        self.records.extend(tried)
        answered = any(record["answered"] for record in tried)
        return JSONResponse({"attempts": tried}, status_code=500 if answered else 200)

    async def show(self, _: Request) -> Response:
        """`GET`: every attempt so far."""
        return JSONResponse({"attempts": self.records})

    async def _list(self) -> dict[str, Any]:
        try:
            await self._client.page("needy-children", "child_relief", self._client.credentials.region)
        except GatewayRefusal as error:
            return {"exchange": "needy-children", "answered": False, **summary(error)}
        return {"exchange": "needy-children", "answered": True}

    async def _ask(self, resident_id: str) -> dict[str, Any]:
        try:
            await self._client.ask(
                "applicant-check", "child_labour_check", resident_id, employer_uscc=_EMPLOYER
            )
        except GatewayRefusal as error:
            return {"exchange": "applicant-check", "answered": False, **summary(error)}
        return {"exchange": "applicant-check", "answered": True}


def build(data: Path, clients: Mapping[str, GatewayClient]) -> Starlette:
    """The agency's app over the files in `data`. `clients` by role: `legal_aid_officer`."""
    officer = client_of(clients, "legal_aid_officer")
    attempts, outcomes = Attempts(officer), Outbox(data, "case-outcome", officer)
    return application(
        "justice",
        clients,
        [
            Route("/try", attempts.attempt, methods=["POST"]),
            Route("/attempts", attempts.show, methods=["GET"]),
            Route("/outcomes/push", outcomes.push, methods=["POST"]),
            Route("/outcomes/receipts", outcomes.kept, methods=["GET"]),
        ],
    )
