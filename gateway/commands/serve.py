"""`huxue serve`."""

import os
import resource
import socket
from typing import Any

import uvicorn

from gateway.adapters.keys.secret import hand_on
from gateway.app import create_app
from gateway.commands.operating import tell_ring
from gateway.http.logging import configure
from gateway.settings import Settings
from gateway.start import NotReady, prepare_data, recover

_GRACE_SECONDS = 5
_START_SECONDS = 30


def serve(settings: Settings) -> None:
    """Run the gateway until it is told to stop. Raises NotReady before anything listens."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold the keys
    configure(settings.log_level)
    _check_port(settings)
    prepare_data(settings)
    recover(settings)
    tell_ring(settings)
    if settings.workers > 1:
        _hand_to_workers(settings)
        hand_on()
        uvicorn.run(
            "gateway.app:app_from_environment",
            factory=True,
            host=settings.host,
            port=settings.port,
            workers=settings.workers,
            **SERVER,
        )
        return
    uvicorn.run(create_app(settings), host=settings.host, port=settings.port, **SERVER)


SERVER: dict[str, Any] = {
    "loop": "uvloop",
    "http": "httptools",
    "log_config": None,
    "access_log": False,
    "server_header": False,
    "proxy_headers": False,
    "timeout_graceful_shutdown": _GRACE_SECONDS,
    # A worker that loads its code on a busy machine takes longer than the usual five seconds to say that it lives.
    "timeout_worker_healthcheck": _START_SECONDS,
}


def _check_port(settings: Settings) -> None:
    """Say that the port is taken before anything is opened."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise NotReady(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}") from None


def _hand_to_workers(settings: Settings) -> None:
    """Worker processes read their settings from the environment."""
    for name, value in settings.model_dump(exclude_none=True).items():
        if value != "":
            os.environ[f"HUXUE_{name.upper()}"] = str(value)
