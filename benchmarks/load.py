"""A closed-loop load generator: N keep-alive connections, each sends its next request when the last is answered.

One process, raw asyncio protocols on uvloop, requests made beforehand: it must cost far less than what it measures.
"""

import asyncio
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import uvloop


@dataclass(frozen=True, slots=True)
class Load:
    """What came of a run. Latencies in milliseconds."""

    requests: int
    seconds: float
    p50: float
    p99: float
    failures: int

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


class _Connection(asyncio.Protocol):
    def __init__(self, requests: Iterator[bytes], latencies: list[float], stop_at: float) -> None:
        self._requests, self._latencies, self._stop_at = requests, latencies, stop_at
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.failures = 0
        self._buffer = b""
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._next()

    def _next(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head_end = self._buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return
        head = self._buffer[:head_end].lower()
        mark = head.find(b"content-length: ")
        length = int(head[mark + 16 :].split(b"\r\n", 1)[0])
        if len(self._buffer) < head_end + 4 + length:
            return
        now = time.perf_counter()
        self._latencies.append(now - self._sent)
        if not head.startswith(b"http/1.1 200"):
            self.failures += 1
        self._buffer = b""
        if now >= self._stop_at:
            self._transport.close()
            self.done.set_result(None)
        else:
            self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.failures += 1
            self.done.set_result(None)


async def _run(port: int, requests: Sequence[bytes], connections: int, seconds: float) -> Load:
    loop = asyncio.get_running_loop()
    latencies: list[float] = []
    endless = itertools.cycle(requests)
    start = time.perf_counter()
    opened = [
        await loop.create_connection(
            lambda: _Connection(endless, latencies, start + seconds), "127.0.0.1", port
        )
        for _ in range(connections)
    ]
    await asyncio.gather(*(protocol.done for _, protocol in opened))
    took = time.perf_counter() - start
    latencies.sort()
    return Load(
        requests=len(latencies),
        seconds=took,
        p50=latencies[len(latencies) // 2] * 1000,
        p99=latencies[int(len(latencies) * 0.99)] * 1000,
        failures=sum(protocol.failures for _, protocol in opened),
    )


def run(port: int, requests: Sequence[bytes], connections: int = 32, seconds: float = 5.0) -> Load:
    """Drive a server on loopback and report."""
    return uvloop.run(_run(port, requests, connections, seconds))


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """One HTTP/1.1 request as bytes."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{k}: {v}" for k, v in headers.items())]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body
