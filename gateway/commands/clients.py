"""`huxue client add | revoke` and `huxue token`."""

import asyncio
import json
import os
import secrets
from pathlib import Path
from typing import Annotated

import typer
from joserfc.jwk import ECKey

from connectors.transports.rest import Credentials, CredentialsError, GatewayClient, GatewayError
from gateway.adapters.cedar import PolicyBundle, load
from gateway.adapters.clock import SystemClock
from gateway.adapters.db.clients import SqliteClients
from gateway.adapters.db.engine import Store
from gateway.adapters.db.migrate import upgrade
from gateway.domain.model import ClientRecord
from gateway.domain.predicate import is_region, is_school
from gateway.services.operation import operator_entry
from gateway.settings import Settings
from gateway.start import NotReady
from schemas.codes.region import regions

app = typer.Typer(no_args_is_help=True)

Data = Annotated[Path, typer.Option(envvar="HUXUE_DATA", help="数据目录 / data folder")]


def _clients(data: Path) -> SqliteClients:
    """The registered clients of a data folder; it is brought up to date on the way."""
    if not data.is_dir():
        raise NotReady(f"missing: data folder {data}")
    settings = Settings(data=data)
    upgrade(f"sqlite:///{settings.store_path}")
    return SqliteClients(Store(settings.store_path))


@app.command("add", help="登记客户端并写出私钥 / register a client, write its private key (0600)")
def add(
    data: Data,
    agency: Annotated[str, typer.Option(help="部门 / agency, e.g. human_resources")],
    role: Annotated[str, typer.Option(help="岗位 / role, e.g. recruitment_checker")],
    region: Annotated[str, typer.Option(help="行政区划 / region code, e.g. 530423")],
    out: Annotated[Path, typer.Option(help="私钥文件 / file for the private key")],
    school: Annotated[
        str | None, typer.Option(help="学校标识码（班主任）/ school code (class teacher)")
    ] = None,
) -> None:
    """Counts at once on a running gateway."""
    _check(agency, role, region, school)
    key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
    client_id = f"{agency.replace('_', '-')}-{secrets.token_hex(6)}"
    clients = _clients(data)
    document = {
        "client_id": client_id,
        "agency": agency,
        "role": role,
        "region": region,
        "school": school,
        "alg": "ES256",
        "key": key.as_dict(private=True),
    }
    _write_private(out, json.dumps(document, ensure_ascii=False, indent=1))
    public = {name: str(value) for name, value in key.as_dict(private=False).items() if name in _PUBLIC}
    clock = SystemClock()
    record = ClientRecord(client_id, agency, role, region, school, public, clock.now())
    act = f"client-added:{client_id} {agency}/{role}"
    clients.add(record, operator_entry(clock, _policies().version, act, region))
    typer.echo(client_id)


_PUBLIC = ("kty", "crv", "x", "y", "kid")


def _policies() -> PolicyBundle:
    return load(Settings(data=Path()).policies)


def _check(agency: str, role: str, region: str, school: str | None) -> None:
    known = _policies().registry.roles
    if f"{agency}/{role}" not in known:
        names = ", ".join(sorted(known))
        raise NotReady(f"no role {agency}/{role}; roles are: {names}")
    if not is_region(region):
        raise NotReady("a region code has 2, 4, 6, 9 or 12 digits")
    if not regions().is_known(region):
        typer.echo(f"warning: the region {region} is in no table", err=True)
    if (agency == "school") != (school is not None):
        raise NotReady("a client of agency school, and no other, names its --school")
    if school is not None and not is_school(school):
        raise NotReady("a school code has 4 to 20 letters or digits")


def _write_private(path: Path, text: str) -> None:
    """A new file nobody else can read; an existing one is not overwritten."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise NotReady(f"{path} is already there and is not overwritten") from None
    except OSError as error:
        raise NotReady(f"cannot write {path}: {error.strerror}") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


@app.command("revoke", help="注销客户端 / revoke a client")
def revoke(
    data: Data,
    client: Annotated[str, typer.Option(help="客户端编号或私钥文件 / client id or its key file")],
) -> None:
    """Counts at once on a running gateway."""
    path = Path(client)
    client_id = _client_id(path) if path.is_file() else client
    clients, clock = _clients(data), SystemClock()
    known = clients.get(client_id)
    held = clients.duties_of(client_id)
    act = f"client-revoked:{client_id}" + (f" unassigned:{held}" if held else "")
    region = known.region if known else ""
    entry = operator_entry(clock, _policies().version, act, region)
    if not clients.revoke(client_id, clock.now(), entry):
        raise NotReady("no active client of that id")
    typer.echo(f"revoked {client_id}")
    if held:
        typer.echo(
            f"warning: {held} standing duties have no officer now: assign them to a colleague", err=True
        )


def _client_id(path: Path) -> str:
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["client_id"])
    except (ValueError, KeyError, TypeError):
        raise NotReady(f"{path} is not a client's key file") from None


def token(
    client: Annotated[Path, typer.Option(help="私钥文件 / the client's key file")],
    url: Annotated[str, typer.Option(help="网关地址 / the gateway's address")] = "http://127.0.0.1:8420",
    officer: Annotated[str | None, typer.Option(help="经办人代号 / the officer at work, e.g. hr-07")] = None,
) -> None:
    """A bearer access token on standard output: one that curl can use, so it is bound to no key."""

    async def fetch() -> str:
        async with GatewayClient(url, Credentials.load(client), dpop=False, officer=officer) as gateway:
            return await gateway.token()

    try:
        typer.echo(asyncio.run(fetch()))
    except (GatewayError, CredentialsError, OSError, ValueError) as error:
        raise NotReady(f"{url}: {error}{_bound_only(error)}") from None


def _bound_only(error: Exception) -> str:
    """What to do where a gateway gives bound tokens only: curl cannot make proofs."""
    if "invalid_dpop_proof" not in str(error):
        return ""
    return " (该网关只发放绑定的令牌 / it gives bound tokens only: use gateway.client.GatewayClient, which binds its own)"
