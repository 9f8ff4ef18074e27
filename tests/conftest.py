"""Sockets: none in unit and property tests, loopback only elsewhere."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from pytest_socket import disable_socket, enable_socket, socket_allow_hosts

from tests.harness import TestGateway, running

settings.register_profile("ci", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.load_profile("ci")

_OFFLINE = ("unit", "property", "policy")


@pytest.fixture(autouse=True)
def _sockets(request: pytest.FixtureRequest) -> Iterator[None]:
    folder = request.path.relative_to(Path(__file__).parent).parts[0]
    if folder in _OFFLINE:
        disable_socket(allow_unix_socket=True)
    else:
        enable_socket()
        socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)
    yield
    enable_socket()


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[TestGateway]:
    """An empty gateway of the test's own."""
    with running(tmp_path / "data") as found:
        yield found


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestGateway]:
    """A gateway with the sample county taken in, shared by a module: read, do not write."""
    with running(tmp_path_factory.mktemp("county") / "data") as found:
        found.upload_sample()
        yield found
