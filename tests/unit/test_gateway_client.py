"""The blocking client: the same methods as the one under asyncio."""

import asyncio
import threading
from concurrent.futures import CancelledError, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from connectors.transports.rest import (
    GatewayClient,
    GatewayRefusal,
)
from gateway.client import Client
from tests.fakes_gateway import BASE, CHILD, FakeGateway

ASK = ("applicant-check", "child_labour_check")
NEEDY = ("needy-children", "child_relief", "530423")


@pytest.fixture
def fake() -> FakeGateway:
    return FakeGateway()


class TestBlockingClient:
    @pytest.fixture
    def officer(self, fake: FakeGateway) -> Any:
        transport = httpx.ASGITransport(app=fake.app)
        fake.clock.now = datetime.now(UTC)
        with Client(BASE, fake.register("civil_affairs", "relief_officer"), transport) as client:
            yield client

    def test_methods_block_and_iterators_fetch_as_they_are_read(
        self, fake: FakeGateway, officer: Client
    ) -> None:
        fake.items = [{"pseudonym": f"hr1-{number}"} for number in range(5)]
        records = officer.records(*NEEDY)
        assert next(records) == {"pseudonym": "hr1-0"}
        assert fake.count("/v1/exchanges/needy-children/records") == 1
        assert len(list(records)) == 4
        assert officer.catalogue()["agency"] == "civil_affairs"

    def test_refusal_is_the_same(self, officer: Client) -> None:
        with pytest.raises(GatewayRefusal, match="403 not-permitted"):
            officer.ask(*ASK, CHILD)

    def test_loop_that_runs_already_is_no_hindrance(self, officer: Client) -> None:
        async def within() -> str:
            return str(officer.token())

        assert asyncio.run(within()).startswith("token-")

    def test_stream_is_read_and_let_go(self, fake: FakeGateway) -> None:
        fake.streams = [b"id: 1\ndata: a\n\n"]
        fake.clock.now = datetime.now(UTC)
        with Client(
            BASE, fake.register("education", "dropout_lead"), httpx.ASGITransport(app=fake.app)
        ) as client:
            events = client.lead_events()
            assert next(events).data == "a"
            events.close()  # type: ignore[attr-defined]

    def test_client_is_closed_once(self, officer: Client) -> None:
        officer.close()
        officer.close()
        with pytest.raises(RuntimeError, match="closed"):
            officer.token()

    def test_methods_are_those_of_the_other_client(self) -> None:
        ours = {name for name in vars(Client) if not name.startswith("_")} - {"close"}
        theirs = {name for name in vars(GatewayClient) if not name.startswith("_")} - {"aclose"}
        assert ours == theirs

    def test_client_that_is_closed_says_so(self, officer: Client) -> None:
        officer.close()
        with pytest.raises(RuntimeError, match="closed"):
            officer.token()

    def test_closing_ends_a_call_that_still_waits(self, fake: FakeGateway) -> None:
        entered = threading.Event()

        class Silent(httpx.AsyncBaseTransport):
            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                entered.set()
                await asyncio.sleep(3600)
                raise AssertionError

        client = Client(BASE, fake.register("education", "dropout_lead"), Silent())
        with ThreadPoolExecutor(1) as pool:
            call = pool.submit(client.token)
            assert entered.wait(10)
            client.close()
            with pytest.raises(CancelledError):
                call.result(10)
