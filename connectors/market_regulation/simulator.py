"""The licence registration system, simulated: asks before it registers a natural person as a trader. And the market
inspectors' list of employers that were found with children at work."""

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


class Employers:
    """The employers with confirmed hits; a pull replaces them all, and only once it is whole."""

    def __init__(self, client: GatewayClient) -> None:
        self._client = client
        self.rows: dict[str, dict[str, Any]] = {}
        self.missing: list[str] = []

    async def pull(self, _: Request) -> Response:
        """`POST`: fetch the whole list of the inspector's region."""
        rows: dict[str, dict[str, Any]] = {}
        missing: set[str] = set()
        region = self._client.credentials.region
        async for page in self._client.pages("employer-hits", "labour_inspection", region):
            rows.update({str(item["employer_uscc"]): item for item in page["items"]})
            missing.update(page.get("missing_sources") or ())
        self.rows, self.missing = rows, sorted(missing)
        return await self.show(_)

    async def show(self, _: Request) -> Response:
        """`GET`: the employers, the repeated ones first, and which sources were missing."""
        order = sorted(
            self.rows.values(), key=lambda row: (row.get("repeated") is not True, row["employer_uscc"])
        )
        return JSONResponse({"employers": order, "missing_sources": self.missing})


def build(data: Path, clients: Mapping[str, GatewayClient]) -> Starlette:
    """The agency's app; it has no files in `data`. `clients` by role: `licence_registrar`, `market_inspector`."""
    licences = Licences(client_of(clients, "licence_registrar"))
    employers = Employers(client_of(clients, "market_inspector"))
    return application(
        "market_regulation",
        clients,
        [
            Route("/licences", licences.apply, methods=["POST"]),
            Route("/licences", licences.show, methods=["GET"]),
            Route("/hits/pull", employers.pull, methods=["POST"]),
            Route("/hits", employers.show, methods=["GET"]),
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
