"""`/v1/leads`: list, acknowledge, stream."""

from collections.abc import AsyncIterator
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse

from gateway.domain.errors import Malformed
from gateway.http.context import context
from gateway.http.declared import declare
from gateway.http.strict import StrictRoute
from gateway.http.wire import ExplainedLead, LeadModel, Page, json_response, region_code, schema_ref
from gateway.services.alerts import PURPOSE, LeadEvent, LeadFilter
from gateway.services.cursor import PATTERN

router = APIRouter(prefix="/v1/leads", tags=["leads"], redirect_slashes=False, route_class=StrictRoute)

Status = Literal["open", "acknowledged", "closed"]


@router.get(
    "",
    summary="线索列表 / Leads",
    **declare("access_token", "query", answer=schema_ref(Page, "一页 / A page")),
)
async def leads(
    request: Request,
    status: Status | None = None,
    rule: Annotated[str | None, Query(pattern="^[a-z0-9-]{1,60}$")] = None,
    region: str | None = None,
    purpose: str = PURPOSE,
    cursor: Annotated[str | None, Query(pattern=f"^(lead-[a-z2-7]{{26}}|{PATTERN})$")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """Leads of the caller's region or school."""
    app = context(request)
    principal = await app.auth.principal(request)
    within = region if region is None else region_code(region)
    asked = LeadFilter(within, status, rule, cursor, limit)
    return json_response(await app.alerts.find(principal, purpose, asked))


@router.post(
    "/{lead_id}/acknowledge",
    summary="签收线索 / Acknowledge a lead",
    **declare("access_token", "fixed", 409, answer=schema_ref(LeadModel, "线索 / The lead")),
)
async def acknowledge(lead_id: str, request: Request) -> Response:
    """Marks the lead as seen; doing it again changes nothing."""
    app = context(request)
    principal = await app.auth.principal(request)
    body, reference = await app.alerts.acknowledge(principal, PURPOSE, lead_id)
    return json_response(body, headers={"X-Reference": reference})


@router.get(
    "/{lead_id}/explain",
    summary="线索说明 / Why a lead was opened",
    **declare(
        "access_token", "query", 400, answer=schema_ref(ExplainedLead, "线索与规则 / The lead and its rule")
    ),
)
async def explain(lead_id: str, request: Request, purpose: str = PURPOSE) -> Response:
    """The facts the caller may have, the rule in words, the version that fired, the figures it goes by."""
    app = context(request)
    principal = await app.auth.principal(request)
    return json_response(await app.explain(principal, purpose, lead_id))


@router.get(
    "/stream",
    summary="线索实时推送 / Live leads (server-sent events)",
    **declare("access_token", "fixed"),
)
async def stream(request: Request) -> Response:
    """Server-sent events; `Last-Event-ID` resumes. Ends when the token does: connect again with a new one."""
    app = context(request)
    session = await app.auth.session(request)
    asked = await app.alerts.subscribe(session.principal, PURPOSE)
    events = app.alerts.stream(asked, _last_event(request), lambda _: app.auth.alive(session))
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_written(events), headers=headers, media_type="text/event-stream")


def _last_event(request: Request) -> int | None:
    text = request.headers.get("last-event-id")
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        zh, en = "Last-Event-ID 应为数字。", "Last-Event-ID is a number."
        raise Malformed.of("bad_field", zh, en)
    return int(text)


async def _written(events: AsyncIterator[LeadEvent]) -> AsyncIterator[bytes]:
    yield b"retry: 3000\n\n"
    async for event in events:
        if event.data is None:
            yield b": alive\n\n"
        else:
            yield b"id: %d\nevent: lead\ndata: %s\n\n" % (event.sequence, event.data)
