"""`/v1/handovers`: a case handed over from one county to another."""

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from gateway.domain.principal import Principal
from gateway.http.bodies import TEXT, PrivateBody, caller_and_body, json_body
from gateway.http.context import context
from gateway.http.declared import declare
from gateway.http.referral_models import HandoverModel, ReferralPage
from gateway.http.strict import StrictRoute
from gateway.http.wire import json_response, schema_ref
from gateway.services.handover import Handing

router = APIRouter(
    prefix="/v1/handovers", tags=["handovers"], redirect_slashes=False, route_class=StrictRoute
)

_ID = "^hnd-[0-9a-f]{26}$"


class HandoverBody(PrivateBody):
    """`POST /v1/handovers`."""

    case: str
    to_region: str


class ReasonBody(PrivateBody):
    """`POST …/reject` and `…/revoke`."""

    reason: str


_SEND = msgspec.json.Decoder(HandoverBody)
_REASON = msgspec.json.Decoder(ReasonBody)


def _declare(*statuses: int, request: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = schema_ref(HandoverModel, "移交 / The hand-over")
    return declare("access_token", "fixed", *statuses, request=request, answer=answer)


_REFUSAL = _declare(400, 409, 413, request=json_body(("reason",), reason=TEXT))


async def _caller(request: Request) -> tuple[Principal, Handing]:
    app = context(request)
    return await app.auth.principal(request), app.handing


@router.post(
    "",
    status_code=201,
    summary="移交个案至另一县 / Hand a case over",
    **declare(
        "access_token",
        "fixed",
        *(400, 409, 413),
        request=json_body(("case", "to_region"), case=TEXT, to_region=TEXT),
    ),
)
async def send(request: Request) -> Response:
    """By the county's lead. Until the other county accepts, the case and its duties stay; 409 where nobody there could read."""
    who, body = await caller_and_body(request, _SEND)
    return json_response(await context(request).handing.send(who, body.case, body.to_region), 201)


@router.get(
    "",
    summary="移交列表 / Hand-overs",
    **declare("access_token", "fixed", answer=schema_ref(ReferralPage, "一页 / A page")),
)
async def find(
    request: Request,
    status: Literal["pending", "accepted", "rejected", "revoked", "overdue"] | None = None,
    cursor: Annotated[str | None, Query(pattern=_ID)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> Response:
    """What the caller's county sends and is sent, newest first."""
    who, handing = await _caller(request)
    return json_response(await handing.find(who, status, cursor, limit))


@router.get("/{handover_id}", summary="查看移交 / One hand-over", **_declare())
async def get(handover_id: str, request: Request) -> Response:
    """The preview without identity; once accepted, the receiver has the case and the signed package."""
    who, handing = await _caller(request)
    return json_response(await handing.get(who, handover_id))


@router.post("/{handover_id}/accept", summary="接收个案 / Accept", **_declare(409))
async def accept(handover_id: str, request: Request) -> Response:
    """By a named lead of the receiving county: the case ends there as moved, and goes on here with its history."""
    who, handing = await _caller(request)
    return json_response(await handing.accept(who, handover_id))


@router.post("/{handover_id}/reject", summary="退回个案 / Reject", **_REFUSAL)
async def reject(handover_id: str, request: Request) -> Response:
    """By a named lead of the receiving county, with a reason."""
    who, body = await caller_and_body(request, _REASON)
    return json_response(await context(request).handing.reject(who, handover_id, body.reason))


@router.post("/{handover_id}/revoke", summary="撤回移交 / Revoke", **_REFUSAL)
async def revoke(handover_id: str, request: Request) -> Response:
    """By a named lead of the sending county, before acceptance."""
    who, body = await caller_and_body(request, _REASON)
    return json_response(await context(request).handing.revoke(who, handover_id, body.reason))
