"""Reading a small JSON body, who sent it and under which key, and how such a body is shown in the OpenAPI document."""

from typing import Any, TypeVar

import msgspec
from starlette.requests import Request

from gateway.domain.errors import Malformed, Unauthenticated
from gateway.domain.principal import Principal
from gateway.http.context import context
from gateway.http.wire import JSON_LIMIT, decode, header, read_body

Body = TypeVar("Body")

TEXT = {"type": "string"}
SUBJECT = {"type": "object", "required": ["resident_id"], "properties": {"resident_id": TEXT}}


class PrivateBody(msgspec.Struct, forbid_unknown_fields=True):
    """A body whose texts may name a person: `repr` shows none of them."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"


async def caller_and_body(request: Request, decoder: "msgspec.json.Decoder[Body]") -> tuple[Principal, Body]:
    """The caller and the body; a body may take its time, and the client may be revoked meanwhile (Unauthenticated)."""
    auth = context(request).auth
    session = await auth.session(request)
    body = decode(decoder, await read_body(request, JSON_LIMIT))
    if not auth.alive(session):
        raise Unauthenticated
    return session.principal, body


def idempotency_key(request: Request) -> str | None:
    """The caller's name for what it sends, under which sending it again does nothing twice."""
    values = header(request, b"idempotency-key")
    if not values:
        return None
    if len(values) > 1 or not (1 <= len(values[0]) <= 200 and values[0].isprintable()):
        zh = "Idempotency-Key 只能出现一次，须为 1–200 个可见字符。"
        en = "An Idempotency-Key is given once and has 1 to 200 printable characters."
        raise Malformed.of("bad_field", zh, en)
    return values[0]


def json_body(required: tuple[str, ...], **properties: object) -> dict[str, Any]:
    """An object with these properties, for `declare(request=…)`."""
    schema = {"type": "object", "required": list(required), "properties": properties}
    return {"required": True, "content": {"application/json": {"schema": schema}}}
