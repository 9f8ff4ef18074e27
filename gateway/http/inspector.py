"""Signatures of proofs are verified in a process beside the event loop's, which goes on with other work meanwhile.

Threads were measured and are worse: they take the interpreter lock from the loop. Proofs go out some at a time while
requests are being read, and verdicts come back in bulk. Whatever goes wrong (no second core, no process, a full
socket, a process that died or hangs) the proof is verified in place by whoever asks it, so no verdict is ever guessed.
"""

import asyncio
import contextlib
import os
import socket
import subprocess  # nosec B404 - our own module, no shell, no argument from outside
import sys
import time
from collections import deque
from collections.abc import Callable
from itertools import chain
from typing import Protocol

from gateway.http.verifier import MESSAGE_LIMIT, RIGHT

_AT_ONCE = 8
"""So many proofs are sent together; the rest of a turn of the loop at its end."""
_PATIENCE_SECONDS = 1.0
_PAUSE_SECONDS = 30.0
_START_SECONDS = 20.0


class Waiting(Protocol):
    """A proof whose signature is looked at elsewhere."""

    @property
    def wire(self) -> bytes:
        """What the verifier is sent."""
        ...

    def settle(self, right: bool | None) -> None:
        """The verdict, or None: look for yourself."""
        ...


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Inspector:
    """One verifier process for one event loop, started when the first proof comes. `close` ends it."""

    def __init__(self, wanted: bool | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._wanted = cores() > 1 if wanted is None else wanted
        self._clock = clock
        self._not_before = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._line: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = False
        self._fresh: list[Waiting] = []
        self._sent: deque[list[Waiting]] = deque()
        self._flushing = False
        self._done = 0
        self._watch: asyncio.TimerHandle | None = None

    def take(self, proof: Waiting) -> bool:
        """Whether the proof will be settled later, in this event loop; if not, its asker verifies it."""
        if not self._ready:
            self._start()
            return False
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            return False
        self._fresh.append(proof)
        if len(self._fresh) >= _AT_ONCE:
            self._send()
        elif not self._flushing:
            self._flushing = True
            loop.call_soon(self._flush)
        return True

    def close(self) -> None:
        """End the process; what it was looking at is left to its askers."""
        self._wanted = False
        self._stop()

    @property
    def process(self) -> int | None:
        """The id of the process, once it works."""
        return self._process.pid if self._process is not None and self._ready else None

    def _start(self) -> None:
        if not self._wanted or self._line is not None or self._clock() < self._not_before:
            return
        self._not_before = self._clock() + _PAUSE_SECONDS
        try:
            self._loop = asyncio.get_running_loop()
            self._line, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with other:
                self._process = _spawn(other)
            self._line.setblocking(False)
            self._loop.add_reader(self._line.fileno(), self._receive)
            self._watch = self._loop.call_later(_START_SECONDS, self._look, -1)
        except (OSError, RuntimeError, NotImplementedError):
            self._stop()

    def _flush(self) -> None:
        self._flushing = False
        if self._fresh:
            self._send()

    def _send(self) -> None:
        proofs, self._fresh = self._fresh, []
        message = b"".join([proof.wire for proof in proofs])
        try:
            if self._line is None or len(message) > MESSAGE_LIMIT:
                raise BlockingIOError
            self._line.send(message)
        except OSError as error:
            for proof in proofs:
                proof.settle(None)
            if not isinstance(error, BlockingIOError):
                self._stop()
            return
        self._sent.append(proofs)
        if self._watch is None and self._loop is not None:
            self._watch = self._loop.call_later(_PATIENCE_SECONDS, self._look, self._done)

    def _receive(self) -> None:
        try:
            verdicts = self._line.recv(MESSAGE_LIMIT) if self._line is not None else b""
        except BlockingIOError:
            return
        except OSError:
            verdicts = b""
        if not self._ready and verdicts:
            self._ready = True
        elif not self._sent or len(verdicts) != len(self._sent[0]):
            self._stop()
        else:
            self._done += len(verdicts)
            for proof, verdict in zip(self._sent.popleft(), verdicts, strict=True):
                proof.settle(verdict == RIGHT)

    def _look(self, done: int) -> None:
        """It has a second for a verdict, and longer for its start."""
        self._watch = None
        if not self._ready or (self._sent and self._done == done):
            self._stop()
        elif self._sent and self._loop is not None:
            self._watch = self._loop.call_later(_PATIENCE_SECONDS, self._look, self._done)

    def _stop(self) -> None:
        """Let go of the process; nobody waits for a verdict any more. Another one is started after a while."""
        line, process, watch = self._line, self._process, self._watch
        self._line = self._process = self._watch = None
        self._ready = False
        if watch is not None:
            watch.cancel()
        if line is not None:
            if self._loop is not None and not self._loop.is_closed():
                self._loop.remove_reader(line.fileno())
            line.close()
        if process is not None:
            _end(process)
        left = [*chain.from_iterable(self._sent), *self._fresh]
        self._sent.clear()
        self._fresh.clear()
        for proof in left:
            proof.settle(None)


def _spawn(line: socket.socket) -> "subprocess.Popen[bytes]":
    """Isolated, in a session of its own, and without the gateway's settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HUXUE_")}
    command = [sys.executable, "-I", "-m", "gateway.http.verifier"]
    return subprocess.Popen(  # noqa: S603 # nosec B603 - no shell; nothing in the command comes from outside
        command,
        stdin=line.fileno(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd="/",
        start_new_session=True,
    )


def _end(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(OSError):
        process.kill()
    process.wait()
