"""`/v1/disclosures`: who looked at one child, as JSON or as a page to print."""

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from gateway.http.bodies import SUBJECT, TEXT, caller_and_body, json_body
from gateway.http.context import context
from gateway.http.declared import declare
from gateway.http.page import disclosures_page
from gateway.http.strict import StrictRoute
from gateway.http.wire import AskSubject, DisclosuresAnswer, dump, schema_ref
from gateway.services.disclosures import Look

router = APIRouter(
    prefix="/v1/disclosures", tags=["disclosures"], redirect_slashes=False, route_class=StrictRoute
)


class LookBody(msgspec.Struct):
    """`POST /v1/disclosures`."""

    purpose: str
    subject: AskSubject


_DECODER = msgspec.json.Decoder(LookBody)
_BODY = json_body(("purpose", "subject"), purpose=TEXT, subject=SUBJECT)


@router.post(
    "",
    summary="谁看过 / Who looked",
    **declare(
        "access_token",
        "body",
        *(400, 413),
        request=_BODY,
        answer=schema_ref(
            DisclosuresAnswer, "使用清单（`format=html` 为可打印页面） / Uses; `format=html` a page"
        ),
    ),
)
async def disclosures(
    request: Request,
    format: Literal["json", "html"] | None = None,
    cursor: Annotated[str | None, Query(pattern="^ref-[0-9a-f]{32}$")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """Every use of the child's data, newest first. The id number is in the body, never in an address."""
    who, body = await caller_and_body(request, _DECODER)
    look = Look(who, body.purpose, body.subject.resident_id, cursor, limit)
    html = format == "html" or (format is None and _prefers_html(request.headers.get("accept", "")))
    content = await context(request).disclosures(look, disclosures_page if html else dump)
    media_type = "text/html; charset=utf-8" if html else "application/json"
    return Response(content, 200, {"Cache-Control": "no-store", "Vary": "Accept"}, media_type)


def _prefers_html(accept: str) -> bool:
    """Whether a page is asked for; JSON where both or neither are named."""
    kinds = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    return "text/html" in kinds and "application/json" not in kinds
