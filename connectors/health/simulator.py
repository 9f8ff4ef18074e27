"""The health commission's assessment system, simulated: hands over its assessments and keeps the receipts."""

from collections.abc import Mapping
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Route

from connectors.simulation import Outbox, application, client_of
from connectors.transports.rest import GatewayClient


def build(data: Path, clients: Mapping[str, GatewayClient]) -> Starlette:
    """The agency's app over the files in `data`; `clients` by role: `disability_assessor`."""
    assessments = Outbox(data, "disability-assessment", client_of(clients, "disability_assessor"))
    return application(
        "health",
        clients,
        [
            Route("/assessments/push", assessments.push, methods=["POST"]),
            Route("/assessments/receipts", assessments.kept, methods=["GET"]),
        ],
    )
