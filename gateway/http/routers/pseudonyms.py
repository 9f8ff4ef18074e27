"""`/v1/pseudonyms`: the old → new mapping after a key turned."""

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from gateway.http.bodies import TEXT, caller_and_body, json_body
from gateway.http.context import context
from gateway.http.declared import declare
from gateway.http.strict import StrictRoute
from gateway.http.wire import json_response

router = APIRouter(
    prefix="/v1/pseudonyms", tags=["pseudonyms"], redirect_slashes=False, route_class=StrictRoute
)


class MappingBody(msgspec.Struct, rename={"version": "from"}):
    """`POST /v1/pseudonyms/mapping`: the version of the pseudonyms one has."""

    version: int


_DECODER = msgspec.json.Decoder(MappingBody)
_REQUEST = json_body(("from",), **{"from": {"type": "integer"}})
_ANSWER = {
    "description": "对照表 / The mapping",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["from", "to", "items", "reference"],
                "properties": {
                    "from": {"type": "integer"},
                    "to": {"type": "integer"},
                    "items": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["old", "new"],
                            "properties": {"old": TEXT, "new": TEXT},
                        },
                    },
                    "reference": TEXT,
                },
            }
        }
    },
}


@router.post(
    "/mapping",
    summary="代号新旧对照 / Old to new pseudonyms",
    **declare("access_token", "fixed", 409, 413, request=_REQUEST, answer=_ANSWER),
)
async def mapping(request: Request) -> Response:
    """Once for each version, while the old pseudonyms count; for the children your agency was told of."""
    who, body = await caller_and_body(request, _DECODER)
    return json_response(await context(request).mapping.fetch(who, body.version))
