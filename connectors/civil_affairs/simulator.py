"""Civil affairs' relief system, simulated: hands over who is on relief, keeps the list of who needs it."""

from collections.abc import Mapping
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Route

from connectors.simulation import ListTable, Outbox, application, client_of
from connectors.transports.rest import GatewayClient


def build(data: Path, clients: Mapping[str, GatewayClient]) -> Starlette:
    """The agency's app over the files in `data`; `clients` by role: `register_keeper`, `relief_officer`."""
    relief = Outbox(data, "relief-register", client_of(clients, "register_keeper"))
    officer = client_of(clients, "relief_officer")
    needy = ListTable(officer, "needy-children", "child_relief", "township")
    gaps = ListTable(officer, "aid-gap", "aid_delivery", "direction")
    return application(
        "civil_affairs",
        clients,
        [
            Route("/relief/push", relief.push, methods=["POST"]),
            Route("/relief/receipts", relief.kept, methods=["GET"]),
            Route("/needy/pull", needy.pull, methods=["POST"]),
            Route("/needy", needy.show, methods=["GET"]),
            Route("/aid/pull", gaps.pull, methods=["POST"]),
            Route("/aid", gaps.show, methods=["GET"]),
        ],
    )
