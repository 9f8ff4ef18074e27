"""The stage: a temporary data folder, a gateway in a process of its own, six simulated agencies."""

import asyncio
import contextlib
import io
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette

import gateway
from connectors.registry import SIMULATORS, connectors
from connectors.transports.rest import Credentials, GatewayClient
from gateway.commands import clients
from gateway.demo.folder import County
from gateway.demo.wire import Wire
from gateway.settings import Settings
from gateway.start import NotReady, prepare_data

ROLES: Mapping[str, tuple[str, ...]] = {
    "education": ("registrar", "dropout_lead", "aid_officer", "placement_officer"),
    "civil_affairs": ("register_keeper", "relief_officer"),
    "human_resources": ("recruitment_checker", "labour_inspector"),
    "health": ("disability_assessor",),
    "market_regulation": ("licence_registrar", "market_inspector"),
    "justice": ("legal_aid_officer",),
}
WATCHERS = ("auditor", "counter_clerk")
"""The gateway's own roles that have a client in the demo: nobody's simulator, for whoever follows docs/auditor.md."""

_START_SECONDS = 60.0
_STOP_SECONDS = 10.0
_CALL_SECONDS = 300.0
_PAUSE_SECONDS = 0.1
_ERRORS_SHOWN = 3


class BrokenStoryError(Exception):
    """Something on the stage did not work; the message says what, without personal data."""


class Stage:
    """What is running: the gateway's address, its data folder and log, and each agency's own system.

    `wire` has what the gateway answered the agencies, `told` what the agencies' systems answered here.
    """

    def __init__(self, folder: Path, county: County, port: int) -> None:
        self.folder, self.county = folder, county
        self.settings = Settings(data=folder / "data", profile="demo", port=port, as_of=county.as_of)
        self.url = self.settings.issuer
        self.log = folder / "gateway.log"
        self.wire = Wire()
        self.told: list[tuple[str, bytes]] = []
        self.agencies: dict[str, httpx.Client] = {}
        self.gateway: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        """Whether the gateway's process runs."""
        return self.gateway is not None and self.gateway.poll() is None

    def key_file(self, role: str) -> Path:
        """The private key file of a role's client."""
        return self.folder / "clients" / f"{role}.json"

    def client(self, agency: str, role: str) -> GatewayClient:
        """A client of the gateway as that role, listened to on the wire."""
        credentials, transport = Credentials.load(self.key_file(role)), self.wire.transport(agency)
        return GatewayClient(self.url, credentials, transport, sleep=_briefly)

    def errors_logged(self) -> list[str]:
        """What the gateway's log says of its own errors, lately: type and place, as the log keeps them."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return [line for line in lines if '"level": "error"' in line][-_ERRORS_SHOWN:]

    def call(self, agency: str, method: str, path: str, body: Mapping[str, str] | None = None) -> Any:
        """What an agency's own system answers; BrokenStoryError unless it succeeds."""
        try:
            answer = self.agencies[agency].request(method, path, json=body)
        except httpx.HTTPError as error:
            raise BrokenStoryError(f"{agency} {method} {path}: {type(error).__name__}") from None
        self.told.append((f"{agency} {method} {path}", answer.content))
        if not answer.is_success:
            raise BrokenStoryError(f"{agency} {method} {path}: {answer.status_code} {_refusals(answer)}")
        return answer.json()


async def _briefly(seconds: float) -> None:
    """Between two looks at a job: the gateway suggests a second, an audience is less patient."""
    await asyncio.sleep(min(seconds, _PAUSE_SECONDS))


def _refusals(answer: httpx.Response) -> str:
    """The names of the gateway's problems in a simulator's answer."""
    try:
        body = answer.json()
    except ValueError:
        return ""
    found = [body.get("refused"), *(receipt.get("refused") for receipt in body.get("receipts", ()))]
    return ", ".join(f"{one.get('status')} {one.get('problem')}" for one in found if one)


@contextmanager
def staged(county: County, port: int | None) -> Iterator[Stage]:
    """Everything running for the length of the block; all of it gone afterwards, the folder too."""
    _forget_settings()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="huxue-demo-")))
        stage = Stage(folder, county, port if port else _free_port())
        _claim(stage.settings.port)
        prepare_data(stage.settings)
        stage.gateway = stack.enter_context(_gateway(stage))
        _register(stage)
        _await_gateway(stage)
        for agency in ROLES:
            stage.agencies[agency] = stack.enter_context(_simulator(stage, agency))
        yield stage


def _forget_settings() -> None:
    """The demo touches its own folder only: nothing of a real gateway's settings may reach it."""
    for name in [name for name in os.environ if name.startswith("HUXUE_")]:
        del os.environ[name]


def _free_port() -> int:
    """A port nobody listens at, below those the system hands to callers, who could take it before we listen."""
    while True:
        port = 10000 + secrets.randbelow(20000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _claim(port: int) -> None:
    """NotReady when somebody listens there already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise NotReady(f"端口 {port} 不可用 / port {port} cannot be used: {error.strerror}") from None


@contextmanager
def _gateway(stage: Stage) -> Iterator[subprocess.Popen[bytes]]:
    """`huxue serve` as a process of its own, its log in a file."""
    settings = stage.settings
    command = [sys.executable, "-P", "-c", "from gateway.cli import main; main()", "serve"]
    command += ["--data", str(settings.data), "--profile", "demo", "--port", str(settings.port)]
    command += ["--as-of", stage.county.as_of.isoformat()]
    places = (str(Path(gateway.__file__).resolve().parent.parent), os.environ.get("PYTHONPATH"))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(place for place in places if place)}
    with stage.log.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own arguments
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, cwd=stage.folder
        )
        try:
            yield process
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _await_gateway(stage: Stage) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and stage.alive:
        with contextlib.suppress(httpx.TransportError):  # it does not listen yet
            if httpx.get(f"{stage.url}/health/ready", trust_env=False).is_success:
                return
        time.sleep(0.05)
    last = stage.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
    raise NotReady(f"网关未能启动 / the gateway did not start: {' '.join(last)}")


def _register(stage: Stage) -> None:
    """A client for every role, as `huxue client add` makes it."""
    stage.key_file("any").parent.mkdir(mode=0o700)
    for agency, roles in {**ROLES, "gateway": WATCHERS}.items():
        for role in roles:
            with redirect_stdout(io.StringIO()):
                clients.add(stage.settings.data, agency, role, stage.county.code, stage.key_file(role))


@contextmanager
def _simulator(stage: Stage, agency: str) -> Iterator[httpx.Client]:
    """An agency's own system over its own files, served; gives the way to talk to it."""
    files = stage.folder / "agencies" / agency
    _hand_out(stage.county, agency, files)
    app = SIMULATORS[agency](files, {role: stage.client(agency, role) for role in ROLES[agency]})
    with socket.socket() as listener, ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        stack.enter_context(_serving(app, listener))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        yield stack.enter_context(httpx.Client(base_url=url, timeout=_CALL_SECONDS, trust_env=False))


def _hand_out(county: County, agency: str, folder: Path) -> None:
    """Copies an agency's own files, and nobody else's, into its folder."""
    folder.mkdir(parents=True)
    for mapping in connectors()[agency].provides:
        for path in county.files(mapping.dataset):
            shutil.copyfile(path, folder / path.name)


@contextmanager
def _serving(app: Starlette, listener: socket.socket) -> Iterator[None]:
    server = uvicorn.Server(
        uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        _await_server(server, thread)
        yield
    finally:
        server.should_exit = True
        thread.join(_STOP_SECONDS)


def _await_server(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not server.started:
        if time.monotonic() > deadline or not thread.is_alive():
            raise BrokenStoryError("模拟系统未能启动 / a simulator did not start")
        time.sleep(0.005)
