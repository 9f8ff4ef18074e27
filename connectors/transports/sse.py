"""Server-sent events, read from bytes. Source: WHATWG HTML, section 9.2.6 "Interpreting an event stream".

httpx's own line reader also splits at U+2028 and U+0085, which JSON may hold bare; the standard does not.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MOST_BYTES_PENDING = 1 << 20
_LINE_END = re.compile(rb"\r\n|\n|\r(?!\Z)")  # a last \r may be half of \r\n: wait for the next bytes


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event: `id` resumes after it, `event` its type ("message" unless named), `data` its text."""

    id: str | None
    event: str
    data: str


class StreamTooLargeError(ValueError):
    """One event is larger than is read."""


class EventParser:
    """Takes the bytes as they come and gives back each whole event; one cut off at the end is dropped."""

    def __init__(self, last_event_id: str | None = None, retry_ms: int | None = None) -> None:
        self.last_event_id = last_event_id
        self.retry_ms = retry_ms
        self._id = last_event_id  # becomes the last event's id only when the event is whole
        self._rest = b""
        self._held = 0
        self._fresh = True
        self._event = ""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> Iterator[ServerEvent]:
        """The events completed by `chunk`; StreamTooLargeError when one event passes a mebibyte."""
        *lines, self._rest = _LINE_END.split(self._rest + chunk)
        for line in lines:
            event = self._line(self._text(line))
            if event is not None:
                yield event
        if len(self._rest) + self._held > MOST_BYTES_PENDING:
            raise StreamTooLargeError

    def _text(self, line: bytes) -> str:
        text = line.decode("utf-8", errors="replace")
        if self._fresh:
            self._fresh = False
            text = text.removeprefix("\ufeff")
        return text

    def _line(self, line: str) -> ServerEvent | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        self._field(name, value.removeprefix(" "))
        return None

    def _field(self, name: str, value: str) -> None:
        if name == "data":
            self._data.append(value)
            self._held += len(value)
        elif name == "event":
            self._event = value
        elif name == "id" and "\0" not in value:
            self._id = value or None
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry_ms = int(value[:9])

    def _dispatch(self) -> ServerEvent | None:
        data, event = self._data, self._event or "message"
        self._data, self._event, self._held = [], "", 0
        self.last_event_id = self._id
        return ServerEvent(self.last_event_id, event, "\n".join(data)) if data else None
