"""What the gateway said: every answer that crossed the wire to the six agencies, kept for the check."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any, TextIO

import httpx


@dataclass(slots=True)
class Answer:
    """One answer of the gateway: to whom, to which request, its body as it came."""

    agency: str
    method: str
    path: str
    status: int
    headers: str
    chunks: list[bytes] = field(default_factory=list)

    @property
    def body(self) -> bytes:
        """The bytes of the body."""
        return b"".join(self.chunks)

    def json(self) -> Any:
        """The body as JSON; ValueError when it is none."""
        return json.loads(self.body)


class Wire:
    """Every answer, in the order of their requests. Appending is safe from several threads."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []

    def transport(self, agency: str) -> httpx.AsyncBaseTransport:
        """The network for one agency's client, listened to."""
        return _Listening(agency, self)

    def find(self, agency: str, end: str, status: int = 200) -> Iterator[Any]:
        """The JSON of the answers to an agency on a path that ends so."""
        for answer in list(self.answers):
            if (answer.agency, answer.status) == (agency, status) and answer.path.endswith(end):
                yield answer.json()


class _Listening(httpx.AsyncBaseTransport):
    """An ordinary HTTP transport that keeps a copy of what comes back."""

    def __init__(self, agency: str, wire: Wire) -> None:
        self._agency, self._wire = agency, wire
        self._inner = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.headers["Accept-Encoding"] = "identity"  # what is kept must be readable
        response = await self._inner.handle_async_request(request)
        headers = "\n".join(f"{name}: {value}" for name, value in response.headers.items())
        answer = Answer(self._agency, request.method, request.url.path, response.status_code, headers)
        self._wire.answers.append(answer)
        if isinstance(response.stream, httpx.AsyncByteStream):
            response.stream = _Copied(response.stream, answer.chunks)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Copied(httpx.AsyncByteStream):
    """A body that leaves a copy of each chunk behind."""

    def __init__(self, stream: httpx.AsyncByteStream, chunks: list[bytes]) -> None:
        self._stream, self._chunks = stream, chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            self._chunks.append(chunk)
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


class Heard:
    """A text stream that remembers all that was written to it: what the demo told, for the check."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._kept: list[str] = []

    @property
    def text(self) -> str:
        """Everything so far."""
        return "".join(self._kept)

    def write(self, text: str) -> int:
        """Write through."""
        self._kept.append(text)
        return self._out.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._out, name)
