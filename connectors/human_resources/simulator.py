"""The recruitment and inspection systems, simulated: one asks about an applicant before hiring, and about whoever
registers as unemployed, and keeps a record of the check; the other hands over what inspectors found.

The record (核查记录, 禁止使用童工规定 art. 4) has the gateway's reference instead of the id number.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.simulation import Outbox, application, client_of, summary, texts
from connectors.transports.rest import GatewayClient, GatewayError, GatewayRefusal

# Anything the table does not know holds the decision: an unknown verdict is never a yes.
_DECISIONS = {"no_bar": "可以录用", "must_not_hire": "不得录用", "refer": "转人工核实"}
_HELD = "暂缓录用"
_REGISTRATIONS = {"yes": "不予登记失业", "no": "准予登记失业"}
_BY_HAND = "转人工核实"


class Checks:
    """The checks made, oldest first. The applicant's id number is passed on and not kept."""

    def __init__(self, client: GatewayClient) -> None:
        self._client = client
        self.records: list[dict[str, Any]] = []

    async def check(self, request: Request) -> Response:
        """`POST {resident_id, employer_uscc}`: ask, decide, record; without an answer nobody is hired."""
        resident_id, employer = await texts(request, "resident_id", "employer_uscc")
        try:
            answer = await self._client.ask(
                "applicant-check", "child_labour_check", resident_id, employer_uscc=employer
            )
        except GatewayError as error:
            refused = summary(error) if isinstance(error, GatewayRefusal) else None
            self._keep(employer, {"decision": _HELD, "refused": refused})
            raise
        return JSONResponse(self._keep(employer, _outcome(answer)))

    async def register(self, request: Request) -> Response:
        """`POST {resident_id}`: may this person register as unemployed? Nobody does without a plain no."""
        (resident_id,) = await texts(request, "resident_id")
        answer = await self._client.ask("registration-check", "child_labour_check", resident_id)
        given = answer.get("answer")
        must_not = given.get("must_not_register") if isinstance(given, dict) else None
        decision = _REGISTRATIONS.get(str(must_not), _BY_HAND)
        return JSONResponse({"reference": answer.get("reference"), "decision": decision})

    async def show(self, _: Request) -> Response:
        """`GET`: the records of the checks."""
        return JSONResponse({"checks": self.records})

    def _keep(self, employer: str, outcome: dict[str, Any]) -> dict[str, Any]:
        checked_at = datetime.now(UTC).isoformat(timespec="seconds")
        self.records.append({"checked_at": checked_at, "employer_uscc": employer, **outcome})
        return self.records[-1]


def build(data: Path, clients: Mapping[str, GatewayClient]) -> Starlette:
    """The agency's app over the inspectors' files in `data`; `clients` by role: `recruitment_checker`,
    `labour_inspector`."""
    checks = Checks(client_of(clients, "recruitment_checker"))
    sightings = Outbox(data, "sightings", client_of(clients, "labour_inspector"))
    return application(
        "human_resources",
        clients,
        [
            Route("/checks", checks.check, methods=["POST"]),
            Route("/checks", checks.show, methods=["GET"]),
            Route("/registrations", checks.register, methods=["POST"]),
            Route("/sightings/push", sightings.push, methods=["POST"]),
            Route("/sightings/receipts", sightings.kept, methods=["GET"]),
        ],
    )


def _outcome(answer: dict[str, Any]) -> dict[str, Any]:
    given = answer.get("answer")
    verdict = given.get("verdict") if isinstance(given, dict) else None
    return {
        "reference": answer.get("reference"),
        "as_of": answer.get("as_of"),
        "verdict": verdict,
        "decision": _DECISIONS.get(str(verdict), _HELD),
    }
