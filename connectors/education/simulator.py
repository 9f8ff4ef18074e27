"""The education bureau's student-register system, simulated: its register, its receipts, its lead inbox."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.education.mapping import STUDENT_REGISTER
from connectors.simulation import ListTable, Outbox, application, client_of
from connectors.transports.files import read_drop, read_records
from connectors.transports.rest import GatewayClient
from schemas.codes.tables import table
from schemas.identifiers import IdentifierError


class Inbox:
    """The leads the bureau pulled, by id, each with whether it was acknowledged here."""

    def __init__(self, client: GatewayClient) -> None:
        self._client = client
        self.leads: dict[str, dict[str, Any]] = {}

    async def pull(self, _: Request) -> Response:
        """`POST`: take over every open lead; `new` counts those not seen before."""
        found = {str(lead["id"]): lead async for lead in self._client.leads(status="open")}
        new = found.keys() - self.leads.keys()
        self.leads.update(found)
        return JSONResponse({"pulled": len(found), "new": len(new)})

    async def show(self, _: Request) -> Response:
        """`GET`: the leads, as pulled."""
        return JSONResponse({"leads": list(self.leads.values())})

    async def acknowledge(self, request: Request) -> Response:
        """`POST`: tell the gateway that the lead is taken up; 404 for one that was never pulled."""
        lead_id = request.path_params["lead"]
        if lead_id not in self.leads:
            return JSONResponse({"message": "收件箱中没有这条线索"}, status_code=404)
        answer = await self._client.acknowledge(lead_id)
        self.leads[lead_id] = {**self.leads[lead_id], "status": answer.get("status", "acknowledged")}
        return JSONResponse(self.leads[lead_id])


def build(data: Path, clients: Mapping[str, GatewayClient]) -> Starlette:
    """The bureau's app over the files in `data`; `clients` by role of the connector."""
    registrar = client_of(clients, "registrar")
    register = Outbox(data, "student-register", registrar)
    attendance = Outbox(data, "attendance", registrar)
    focus, office = Outbox(data, "focus-groups", registrar), client_of(clients, "aid_officer")
    payments = Outbox(data, "aid-payments", office)
    gaps = ListTable(office, "aid-gap", "aid_delivery", "direction")
    placements = client_of(clients, "placement_officer")
    advice = ListTable(placements, "placement-advice", "placement", "advised_placement")
    inbox = Inbox(client_of(clients, "dropout_lead"))

    async def students(_: Request) -> Response:
        return JSONResponse(_counts(data))

    return application(
        "education",
        clients,
        [
            Route("/students", students, methods=["GET"]),
            Route("/register/push", register.push, methods=["POST"]),
            Route("/register/receipts", register.kept, methods=["GET"]),
            Route("/attendance/push", attendance.push, methods=["POST"]),
            Route("/attendance/receipts", attendance.kept, methods=["GET"]),
            Route("/focus/push", focus.push, methods=["POST"]),
            Route("/focus/receipts", focus.kept, methods=["GET"]),
            Route("/aid/push", payments.push, methods=["POST"]),
            Route("/aid/receipts", payments.kept, methods=["GET"]),
            Route("/aid/gaps/pull", gaps.pull, methods=["POST"]),
            Route("/aid/gaps", gaps.show, methods=["GET"]),
            Route("/advice/pull", advice.pull, methods=["POST"]),
            Route("/advice", advice.show, methods=["GET"]),
            Route("/inbox", inbox.show, methods=["GET"]),
            Route("/inbox/pull", inbox.pull, methods=["POST"]),
            Route("/inbox/{lead}/acknowledge", inbox.acknowledge, methods=["POST"]),
        ],
    )


def _counts(data: Path) -> dict[str, Any]:
    """Rows of the bureau's own register files, all and by status; no name and no number leaves the system."""
    statuses: Counter[str] = Counter()
    for _, content, kind in read_drop(data, "student-register"):
        statuses.update(_status(record) for record in read_records(content, kind, STUDENT_REGISTER))
    return {"total": statuses.total(), "by_status": dict(sorted(statuses.items()))}


def _status(record: dict[str, str]) -> str:
    try:
        return table("student_status").label(STUDENT_REGISTER.code_of("status", record["status"]))
    except IdentifierError:
        return "无法识别"
