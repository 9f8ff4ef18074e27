"""Structured logs that cannot hold a person: values are let through by shape, never filtered by name alone.

What may be said is decided in `gateway.domain.redaction`; an exception is logged by type and place, since its message
may quote what it choked on.
"""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

from gateway.domain.redaction import redact

_Event = MutableMapping[str, Any]

log: structlog.stdlib.BoundLogger = structlog.get_logger("huxue")


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
