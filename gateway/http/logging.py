"""Structured logs that cannot hold a person: values are let through by shape, never filtered by name alone.

Log texts are English, so any 汉字 is somebody's data, escaped ones too; runs of digits long enough for an id or a phone
number are cut out, however they are broken up; an exception is logged by type and place, since its message may quote
what it choked on.
"""

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

REDACTED = "[redacted]"
_LARGEST = 10**9
# No backslash and no percent-encoded byte above 7F: that is how 汉字 look in a repr, in JSON, in an address.
_SAFE = re.compile(r"(?!.*%[89A-Fa-f][0-9A-Fa-f])[\x20-\x5b\x5d-\x7e]{0,400}")
_ID_LIKE = re.compile(
    r"(?<![0-9A-Za-z])(?:\d[\s-]?){10,20}[0-9Xx]?(?![0-9A-Za-z])"
    r"|(?:\d[^0-9A-Za-z]{0,3}){14,}[0-9Xx]"
    r"|\d{10,}[Xx]?"
)
_Event = MutableMapping[str, Any]

log: structlog.stdlib.BoundLogger = structlog.get_logger("huxue")


def redact(value: object) -> object:
    """The value, if its shape can hold nobody; otherwise what is left of it."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value if abs(value) < _LARGEST else REDACTED
    if isinstance(value, list | tuple | set):
        return [redact(item) for item in value][:50]
    if isinstance(value, dict):
        return {str(redact(str(name))): redact(item) for name, item in value.items()}
    text = str(value)
    return _ID_LIKE.sub(REDACTED, text) if _SAFE.fullmatch(text) else REDACTED


def redact_event(_logger: object, _method: str, event: _Event) -> _Event:
    """structlog processor: every value redacted, exceptions reduced to type and place."""
    timestamp, error = event.pop("timestamp", None), event.pop("exc_info", None)
    kept = {str(redact(str(name))): redact(value) for name, value in event.items()}
    if isinstance(error, tuple):
        error = error[1]
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        kept["error"] = type(error).__name__
        kept["at"] = _place(error)
    return {"timestamp": timestamp, **kept} if timestamp else kept


def _place(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return [f"{frame.filename.rsplit('/', 2)[-1]}:{frame.lineno} {frame.name}" for frame in frames]


def configure(level: str = "INFO", stream: Any = None) -> None:
    """JSON lines on standard error, for structlog and for every library's own logger alike."""
    logging.raiseExceptions = False  # or a line that cannot be formatted is printed with its arguments
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                redact_event,
                structlog.processors.JSONRenderer(),
            ],
            keep_exc_info=False,
            keep_stack_info=False,
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in ("httpx", "httpcore", "authlib", "uvicorn.access"):
        logging.getLogger(name).setLevel(logging.WARNING)
