"""The client side of the gateway's API (docs: the interface contract, version 1), for agencies' own systems.

Nothing of the gateway is imported: an agency needs this package and the file `huxue client add` wrote.
An id number travels in request bodies only, never in a URL, and no error's text holds what was sent.
"""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import quote

import httpx

from connectors.transports.credentials import Credentials, CredentialsError, client_assertion
from connectors.transports.dpop import NONCE_WANTED, Holder
from connectors.transports.refusals import (
    GatewayError,
    GatewayFault,
    GatewayRefusal,
    GatewayUnreachable,
    refusal,
)
from connectors.transports.sse import EventParser, ServerEvent, StreamTooLargeError
from connectors.transports.tokens import Clock, Tokens

__all__ = [
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
    "client_assertion",
]

TIMEOUT = httpx.Timeout(30.0, connect=5.0, write=60.0)
STREAM_TIMEOUT = httpx.Timeout(90.0, connect=5.0)
JOB_SECONDS = 900.0
LONGEST_WAIT = 30.0
STREAM_ATTEMPTS = 5
_LATER = (429, 503)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class ExportFile:
    """One file of an export, its length and SHA-256 found to be those of the manifest."""

    url: str
    rows: int
    sha256: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Export:
    """A finished export. `manifest` is the gateway's, with `transaction_time`, `deleted` and `expires`."""

    manifest: dict[str, Any]
    files: tuple[ExportFile, ...]


def _now() -> datetime:
    return datetime.now(UTC)


def _segment(value: str) -> str:
    return quote(value, safe="")


class GatewayClient:
    """One registered client of a gateway; use it as an async context manager, or call `aclose`.

    Every method raises GatewayRefusal for an answer that is not 2xx, GatewayUnreachable when there is none,
    GatewayFault for one that breaks the contract. `transport` replaces the network (tests).
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        clock: Clock = _now,
        sleep: Sleep = asyncio.sleep,
        plaintext: bool = False,
        dpop: bool = True,
        officer: str | None = None,
    ) -> None:
        """`base_url` is https, or http to this machine; `plaintext` allows http inside a closed network.

        `dpop` binds the token to a key of this object's own (RFC 9449): nobody else can use it. `officer` is who is
        at work, by a name of the agency's own (1–64 of A-Z a-z 0-9 . _ -): limits count by it, evidence names it.

        Raises ValueError for any other address: tokens and id numbers would travel readable.
        """
        self.base_url = base_url.rstrip("/")
        self._base = httpx.URL(self.base_url)
        private = plaintext or transport is not None or self._base.host in _LOOPBACK
        if self._base.scheme != "https" and not (self._base.scheme == "http" and private):
            raise ValueError("网关地址应为 https (the gateway's address must be https)")
        self.credentials = credentials
        self._sleep = sleep
        self._http = httpx.AsyncClient(
            transport=transport, timeout=TIMEOUT, headers={"User-Agent": "huxue-client/1"}, trust_env=False
        )
        self._clock, self._holder = clock, Holder() if dpop else None
        endpoint = f"{self.base_url}/oauth2/token"
        self._tokens = Tokens(self._http, endpoint, credentials, clock, self._holder, officer)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections. The token is forgotten with the object."""
        await self._http.aclose()

    async def token(self) -> str:
        """An access token that is good for half a minute at least, if the gateway grants that long.

        Of use to another program only without `dpop`.
        """
        return await self._tokens.current()

    async def catalogue(self) -> Any:
        """What may be exchanged, with the treatment this caller gets."""
        return (await self._send("GET", "/v1/catalogue")).json()

    async def template(self, exchange: str, format: str = "xlsx") -> bytes:
        """The empty file to fill in for an upload, as `xlsx` or `csv`."""
        path = f"/v1/exchanges/{_segment(exchange)}/template"
        return (await self._send("GET", path, params={"format": format})).content

    async def ask(self, exchange: str, purpose: str, resident_id: str, **inputs: Any) -> dict[str, Any]:
        """Ask about one child: `{"reference", "as_of", "answer", "missing_sources"}`."""
        body = {**inputs, "purpose": purpose, "subject": {"resident_id": resident_id}}
        return _object(await self._send("POST", f"/v1/exchanges/{_segment(exchange)}/ask", json=body))

    async def upload(
        self,
        exchange: str,
        purpose: str,
        body: bytes,
        media_type: str,
        idempotency_key: str | None = None,
    ) -> dict[str, Any]:
        """Hand over a file and wait for the receipt: rows, accepted, unchanged, rejected, every bad row."""
        headers = {"Content-Type": media_type}
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        path = f"/v1/exchanges/{_segment(exchange)}/uploads"
        answer = await self._send("POST", path, params={"purpose": purpose}, headers=headers, content=body)
        return _object(await self._finished(answer))

    async def page(
        self,
        exchange: str,
        purpose: str,
        region: str,
        *,
        as_of: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> dict[str, Any]:
        """One page of a list: `{"items", "next_cursor", "as_of", "missing_sources"}`."""
        path = f"/v1/exchanges/{_segment(exchange)}/records"
        query = {"purpose": purpose, "region": region, "as_of": as_of, "limit": limit, "cursor": cursor}
        return _object(await self._send("GET", path, params=_given(query)))

    async def pages(
        self, exchange: str, purpose: str, region: str, *, as_of: str | None = None, limit: int | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        """Every page of a list. GatewayFault when a cursor comes back a second time."""

        async def fetch(cursor: str | None) -> dict[str, Any]:
            return await self.page(exchange, purpose, region, as_of=as_of, limit=limit, cursor=cursor)

        async for page in _paged(fetch):
            yield page

    async def records(
        self, exchange: str, purpose: str, region: str, *, as_of: str | None = None, limit: int | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        """Every record of a list, page after page; `limit` is the size of a page."""
        async for page in self.pages(exchange, purpose, region, as_of=as_of, limit=limit):
            for item in page["items"]:
                yield item

    async def export(
        self, exchange: str, purpose: str, region: str, format: str = "ndjson", since: str | None = None
    ) -> Export:
        """The whole list as files (`ndjson`, `csv`, `parquet` or `xlsx`), each held against its SHA-256."""
        body = _given({"purpose": purpose, "region": region, "format": format, "since": since})
        started = await self._send("POST", f"/v1/exchanges/{_segment(exchange)}/export", json=body)
        finished = await self._finished(started)
        manifest = _object(finished)
        files = [await self._file(finished.request.url, entry) for entry in manifest.get("files", ())]
        return Export(manifest, tuple(files))

    async def leads_page(
        self,
        status: str | None = None,
        rule: str | None = None,
        region: str | None = None,
        cursor: str | None = None,
    ) -> dict[str, Any]:
        """One page of the leads of this caller's reach."""
        query = _given({"status": status, "rule": rule, "region": region, "cursor": cursor})
        return _object(await self._send("GET", "/v1/leads", params=query))

    async def leads(
        self, status: str | None = None, rule: str | None = None, region: str | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        """Every lead of this caller's reach, page after page."""

        async def fetch(cursor: str | None) -> dict[str, Any]:
            return await self.leads_page(status, rule, region, cursor)

        async for page in _paged(fetch):
            for lead in page["items"]:
                yield lead

    async def acknowledge(self, lead_id: str) -> dict[str, Any]:
        """Say that a lead was taken up; its deadline is the agency's from here."""
        return _object(await self._send("POST", f"/v1/leads/{_segment(lead_id)}/acknowledge"))

    async def lead_events(self, last_event_id: str | None = None) -> AsyncGenerator[ServerEvent, None]:
        """Leads as they come (server-sent events), without end: a broken stream is taken up where it broke.

        Keep the last event's `id` and pass it after a restart. Gives up after five failures in a row.
        """
        seen, failures = EventParser(last_event_id), 0
        while True:
            try:
                async with aclosing(self._events(seen)) as events:
                    async for event in events:
                        failures = 0
                        yield event
            except (GatewayUnreachable, GatewayRefusal) as error:
                failures += 1
                if failures >= STREAM_ATTEMPTS or not _passes(error):
                    raise
            await self._sleep(_pause(seen.retry_ms, failures))
            seen = EventParser(seen.last_event_id, seen.retry_ms)

    async def _events(self, parser: EventParser) -> AsyncGenerator[ServerEvent, None]:
        headers = {"Accept": "text/event-stream"}
        if parser.last_event_id is not None:
            headers["Last-Event-ID"] = parser.last_event_id
        parts = {"headers": headers, "timeout": STREAM_TIMEOUT}
        answer = await self._send("GET", "/v1/leads/stream", stream=True, **parts)
        try:
            async for chunk in answer.aiter_bytes():
                for event in parser.feed(chunk):
                    yield event
        except StreamTooLargeError:
            raise GatewayFault("event-too-large") from None
        except httpx.RequestError as error:
            raise GatewayUnreachable(type(error).__name__) from None
        finally:
            await answer.aclose()

    async def _finished(self, answer: httpx.Response) -> httpx.Response:
        """The answer itself, or, when it is 202, the job's once it is done."""
        if answer.status_code != 202:
            return answer
        job = self._own(answer.request.url, answer.headers.get("Content-Location"))
        waited = 0.0
        while answer.status_code == 202:
            if waited >= JOB_SECONDS:
                await self._send("DELETE", job)
                raise GatewayFault("job-too-long")
            pause = _seconds(answer.headers.get("Retry-After"))
            await self._sleep(pause)
            waited += pause
            answer = await self._send("GET", job)
        return answer

    async def _file(self, manifest_url: httpx.URL, entry: Any) -> ExportFile:
        try:
            url, rows, digest = str(entry["url"]), int(entry["rows"]), str(entry["sha256"])
        except (KeyError, TypeError, ValueError):
            raise GatewayFault("malformed-manifest") from None
        content = (await self._send("GET", self._own(manifest_url, url))).content
        if hashlib.sha256(content).hexdigest() != digest.lower():
            raise GatewayFault("checksum-mismatch")
        return ExportFile(url, rows, digest, content)

    def _own(self, seen_from: httpx.URL, location: str | None) -> httpx.URL:
        """The address pointed to; GatewayFault when it is not the gateway's: the token goes nowhere else."""
        if location is None:
            raise GatewayFault("no-location")
        try:
            url = seen_from.join(location)
        except httpx.InvalidURL:
            raise GatewayFault("malformed-location") from None
        if (url.scheme, url.host, url.port) != (self._base.scheme, self._base.host, self._base.port):
            raise GatewayFault("location-elsewhere")
        return url

    async def _send(
        self, method: str, target: str | httpx.URL, *, stream: bool = False, **parts: Any
    ) -> httpx.Response:
        """One request under a token, sent again once under a new token after a 401."""
        url = f"{self.base_url}{target}" if isinstance(target, str) else target
        token = await self._tokens.current()
        answer = await self._once(method, url, token, stream, parts)
        if answer.status_code == 401:
            await answer.aclose()
            if not (self._learn(answer) and NONCE_WANTED in answer.headers.get("WWW-Authenticate", "")):
                token = await self._tokens.current(refused=token)
            answer = await self._once(method, url, token, stream, parts)
        self._learn(answer)
        if not answer.is_success:
            raise await refusal(answer)
        return answer

    async def _once(
        self, method: str, url: str | httpx.URL, token: str, stream: bool, parts: dict[str, Any]
    ) -> httpx.Response:
        headers = {**parts.get("headers", {}), **self._authorization(method, str(url), token)}
        request = self._http.build_request(method, url, **{**parts, "headers": headers})
        try:
            return await self._http.send(request, stream=stream)
        except httpx.RequestError as error:
            raise GatewayUnreachable(type(error).__name__) from None

    def _authorization(self, method: str, url: str, token: str) -> dict[str, str]:
        if self._holder is None:
            return {"Authorization": f"Bearer {token}"}
        return self._holder.headers(method, url, self._clock(), token)

    def _learn(self, answer: httpx.Response) -> bool:
        return self._holder is not None and self._holder.learn(answer)


async def _paged(fetch: Callable[[str | None], Awaitable[dict[str, Any]]]) -> AsyncIterator[dict[str, Any]]:
    """Pages until there is no next cursor; GatewayFault for a page without items or a cursor seen before."""
    cursor: str | None = None
    seen: set[str] = set()
    while True:
        page = await fetch(cursor)
        if not isinstance(page.get("items"), list):
            raise GatewayFault("malformed-page")
        yield page
        cursor = page.get("next_cursor")
        if cursor is None:
            return
        if cursor in seen:
            raise GatewayFault("cursor-repeats")
        seen.add(cursor)


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise GatewayFault("malformed-answer")
    return body


def _given(query: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


def _seconds(text: str | None) -> float:
    """The pause a Retry-After asks for: 0.05 to 30 seconds, one second if unsaid."""
    try:
        return min(max(float(text or "1"), 0.05), LONGEST_WAIT)
    except ValueError:
        return 1.0


def _pause(retry_ms: int | None, failures: int) -> float:
    base = 1.0 if retry_ms is None else retry_ms / 1000
    return min(base * 2.0**failures, LONGEST_WAIT)


def _passes(error: GatewayUnreachable | GatewayRefusal) -> bool:
    return isinstance(error, GatewayUnreachable) or error.status in _LATER
