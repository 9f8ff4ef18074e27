"""`huxue simulate AGENCY`: one agency's simulated system as a service of its own."""

from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from connectors.registry import SIMULATORS
from connectors.transports.rest import Credentials, CredentialsError, GatewayClient
from gateway.http.logging import configure
from gateway.start import NotReady


def simulate(
    agency: Annotated[str, typer.Argument(help="部门 / agency, e.g. human_resources")],
    client: Annotated[list[Path], typer.Option(help="私钥文件，可重复 / the roles' key files")],
    url: Annotated[str, typer.Option(help="网关地址 / the gateway's address")] = "http://127.0.0.1:8420",
    files: Annotated[Path, typer.Option(help="该部门的文件 / folder of the agency's own files")] = Path(),
    port: Annotated[int, typer.Option(help="监听端口 / port")] = 8430,
) -> None:
    """Listens on loopback only: a simulator has no door of its own."""
    if agency not in SIMULATORS:
        raise NotReady(f"no simulator for {agency}; there are: {', '.join(sorted(SIMULATORS))}")
    try:
        loaded = [Credentials.load(path) for path in client]
    except CredentialsError as error:
        raise NotReady(str(error)) from None
    clients = {credentials.role: GatewayClient(url, credentials) for credentials in loaded}
    try:
        app = SIMULATORS[agency](files, clients)
    except ValueError as error:
        raise NotReady(str(error)) from None
    configure("INFO")
    uvicorn.run(app, host="127.0.0.1", port=port, log_config=None, access_log=False)
