"""The health commission's assessment system, simulated: hands over its assessments, keeps the receipts and what came of them."""

from collections.abc import Mapping
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Route

from connectors.simulation import ListTable, Outbox, application, client_of
from connectors.transports.rest import GatewayClient


def build(data: Path, clients: Mapping[str, GatewayClient]) -> Starlette:
    """The agency's app over the files in `data`; `clients` by role: `disability_assessor`."""
    assessor = client_of(clients, "disability_assessor")
    assessments = Outbox(data, "disability-assessment", assessor)
    outcomes = ListTable(assessor, "placement-outcomes", "disability_assessment", "placed")
    return application(
        "health",
        clients,
        [
            Route("/assessments/push", assessments.push, methods=["POST"]),
            Route("/assessments/receipts", assessments.kept, methods=["GET"]),
            Route("/outcomes/pull", outcomes.pull, methods=["POST"]),
            Route("/outcomes", outcomes.show, methods=["GET"]),
        ],
    )
