"""The Python client for agencies' own systems: `GatewayClient` under asyncio, `Client` for everything else.

with Client("https://gateway.example", Credentials.load(Path("client.json"))) as client:
    answer = client.ask("applicant-check", "child_labour_check", resident_id, employer_uscc=uscc)
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import Future
from typing import Any, Self, TypeVar

import httpx

from connectors.transports.rest import (
    Credentials,
    CredentialsError,
    Export,
    ExportFile,
    GatewayClient,
    GatewayError,
    GatewayFault,
    GatewayRefusal,
    GatewayUnreachable,
    ServerEvent,
)

__all__ = [
    "Client",
    "Credentials",
    "CredentialsError",
    "Export",
    "ExportFile",
    "GatewayClient",
    "GatewayError",
    "GatewayFault",
    "GatewayRefusal",
    "GatewayUnreachable",
    "ServerEvent",
]

T = TypeVar("T")


class Client:
    """`GatewayClient` with the same methods, each blocking; iterators fetch as they are read.

    May be shared between threads, and used where an event loop is already running: it has a loop and a thread
    of its own. Close it, or use it in a `with`.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        plaintext: bool = False,
        dpop: bool = True,
        officer: str | None = None,
    ) -> None:
        """As `GatewayClient`."""
        self._client = GatewayClient(
            base_url, credentials, transport, plaintext=plaintext, dpop=dpop, officer=officer
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="huxue-client", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """End every call still waiting, the connections and the thread; a second time does nothing."""
        if self._loop.is_closed():
            return
        self._wait(self._shut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def token(self) -> str:
        """An access token, for another program to use."""
        return self._wait(self._client.token())

    def catalogue(self) -> Any:
        """What may be exchanged, with the treatment this caller gets."""
        return self._wait(self._client.catalogue())

    def template(self, exchange: str, format: str = "xlsx") -> bytes:
        """The empty file to fill in for an upload, as `xlsx` or `csv`."""
        return self._wait(self._client.template(exchange, format))

    def ask(self, exchange: str, purpose: str, resident_id: str, **inputs: Any) -> dict[str, Any]:
        """Ask about one child: `{"reference", "as_of", "answer", "missing_sources"}`."""
        return self._wait(self._client.ask(exchange, purpose, resident_id, **inputs))

    def upload(
        self, exchange: str, purpose: str, body: bytes, media_type: str, idempotency_key: str | None = None
    ) -> dict[str, Any]:
        """Hand over a file and wait for its receipt."""
        return self._wait(self._client.upload(exchange, purpose, body, media_type, idempotency_key))

    def page(self, exchange: str, purpose: str, region: str, **query: Any) -> dict[str, Any]:
        """One page of a list; `as_of`, `limit` and `cursor` as in GatewayClient.page."""
        return self._wait(self._client.page(exchange, purpose, region, **query))

    def pages(self, exchange: str, purpose: str, region: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Every page of a list."""
        return self._each(self._client.pages(exchange, purpose, region, **query))

    def records(self, exchange: str, purpose: str, region: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Every record of a list."""
        return self._each(self._client.records(exchange, purpose, region, **query))

    def export(
        self, exchange: str, purpose: str, region: str, format: str = "ndjson", since: str | None = None
    ) -> Export:
        """The whole list as files, each held against its SHA-256."""
        return self._wait(self._client.export(exchange, purpose, region, format, since))

    def leads_page(self, **query: Any) -> dict[str, Any]:
        """One page of the leads; `status`, `rule`, `region` and `cursor`."""
        return self._wait(self._client.leads_page(**query))

    def leads(self, **query: Any) -> Iterator[dict[str, Any]]:
        """Every lead of this caller's reach; `status`, `rule` and `region`."""
        return self._each(self._client.leads(**query))

    def acknowledge(self, lead_id: str) -> dict[str, Any]:
        """Say that a lead was taken up."""
        return self._wait(self._client.acknowledge(lead_id))

    def lead_events(self, last_event_id: str | None = None) -> Iterator[ServerEvent]:
        """Leads as they come, without end; another thread may end it by closing the client."""
        return self._each(self._client.lead_events(last_event_id))

    def _each(self, items: AsyncIterator[T]) -> Iterator[T]:
        try:
            while True:
                try:
                    item = self._wait(_next(items))
                except StopAsyncIteration:
                    return
                yield item
        finally:
            close = getattr(items, "aclose", None)
            if close is not None and not self._loop.is_closed():
                self._wait(close())

    async def _shut(self) -> None:
        waiting = asyncio.all_tasks() - {asyncio.current_task()}
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await self._client.aclose()

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        if self._loop.is_closed():
            work.close()
            raise RuntimeError("the client is closed")
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # Ctrl-C here must also end the request there
            raise


async def _next(items: AsyncIterator[T]) -> T:
    return await anext(items)
