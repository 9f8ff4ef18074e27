"""The licence registration system, simulated: asks before it registers a natural person as a trader."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.simulation import application, client_of, summary, texts
from connectors.transports.rest import GatewayClient, GatewayError, GatewayRefusal

# `unknown`, and anything else that is not a plain no, goes to a person: it never registers by itself.
_DECISIONS = {"yes": "不予登记", "no": "准予登记"}
_BY_HAND = "转人工核实"


class Licences:
    """The applications decided, oldest first, with the gateway's reference, without the id number."""

    def __init__(self, client: GatewayClient) -> None:
        self._client = client
        self.records: list[dict[str, Any]] = []

    async def apply(self, request: Request) -> Response:
        """`POST {resident_id, application_no}`: ask, decide, keep the record."""
        resident_id, number = await texts(request, "resident_id", "application_no")
        try:
            answer = await self._client.ask(
                "licence-check", "licence_check", resident_id, application_no=number
            )
        except GatewayError as error:
            refused = summary(error) if isinstance(error, GatewayRefusal) else None
            self._keep(number, {"decision": _BY_HAND, "refused": refused})
            raise
        return JSONResponse(self._keep(number, _outcome(answer)))

    async def show(self, _: Request) -> Response:
        """`GET`: the applications decided."""
        return JSONResponse({"licences": self.records})

    def _keep(self, number: str, outcome: dict[str, Any]) -> dict[str, Any]:
        decided_at = datetime.now(UTC).isoformat(timespec="seconds")
        self.records.append({"decided_at": decided_at, "application_no": number, **outcome})
        return self.records[-1]


def build(data: Path, clients: Mapping[str, GatewayClient]) -> Starlette:
    """The agency's app; it has no files in `data`. `clients` by role: `licence_registrar`."""
    licences = Licences(client_of(clients, "licence_registrar"))
    return application(
        "market_regulation",
        clients,
        [
            Route("/licences", licences.apply, methods=["POST"]),
            Route("/licences", licences.show, methods=["GET"]),
        ],
    )


def _outcome(answer: dict[str, Any]) -> dict[str, Any]:
    given = answer.get("answer")
    must_not = given.get("must_not_license") if isinstance(given, dict) else None
    return {
        "reference": answer.get("reference"),
        "as_of": answer.get("as_of"),
        "must_not_license": must_not,
        "decision": _DECISIONS.get(str(must_not), _BY_HAND),
    }
