"""`/v1/exchanges/case-referral/referrals` and `/v1/referrals`: from one agency to another, accepted or not."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from gateway.domain.principal import Principal
from gateway.domain.referral_record import MEASURES_TAKEN, Sending
from gateway.http.bodies import TEXT, PrivateBody, caller_and_body, json_body
from gateway.http.context import Context, context
from gateway.http.declared import declare
from gateway.http.referral_models import ReferralModel, ReferralPage
from gateway.http.strict import StrictRoute
from gateway.http.wire import json_response, schema_ref

router = APIRouter(prefix="/v1", tags=["referrals"], redirect_slashes=False, route_class=StrictRoute)

_ID = "^rfl-[0-9a-f]{26}$"


class SendBody(PrivateBody):
    """`POST /v1/exchanges/case-referral/referrals`."""

    purpose: str
    to: str
    measure: str
    case: str | None = None
    guardian: Mapping[str, Any] | None = None
    notices: list[dict[str, Any]] | None = None
    note: str | None = None
    employer_uscc: str | None = None
    month: str | None = None
    measure_taken: str | None = None


class RejectBody(PrivateBody):
    """`POST …/reject`."""

    reason: str
    ground: str = "other"


class ReasonBody(PrivateBody):
    """`POST …/revoke`."""

    reason: str


class CommentBody(PrivateBody):
    """`POST …/comment`."""

    text: str


class CloseBody(PrivateBody):
    """`POST …/close`."""

    outcome: str


_SEND = msgspec.json.Decoder(SendBody)
_REJECT = msgspec.json.Decoder(RejectBody)
_REASON = msgspec.json.Decoder(ReasonBody)
_COMMENT = msgspec.json.Decoder(CommentBody)
_CLOSE = msgspec.json.Decoder(CloseBody)

_GUARDIAN = {
    "type": "object",
    "required": ["name", "phone"],
    "properties": {"name": TEXT, "phone": TEXT, "relation": TEXT, "address": TEXT},
}
_NOTICE = {
    "type": "object",
    "required": ["number", "served_on"],
    "properties": {"number": TEXT, "served_on": TEXT},
}


def _declare(*statuses: int, request: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = schema_ref(ReferralModel, "移送 / The referral")
    return declare("access_token", "fixed", *statuses, request=request, answer=answer)


def _declare_body(*required: str, **properties: object) -> dict[str, Any]:
    return _declare(400, 409, 413, request=json_body(required, **properties))


async def _caller(request: Request) -> tuple[Principal, Context]:
    app = context(request)
    return await app.auth.principal(request), app


@router.post(
    "/exchanges/case-referral/referrals",
    status_code=201,
    summary="移送 / Refer",
    **declare(
        "access_token",
        "body",
        *(400, 409, 413),
        request=json_body(
            ("purpose", "to", "measure"),
            purpose=TEXT,
            to=TEXT,
            measure=TEXT,
            case=TEXT,
            guardian=_GUARDIAN,
            notices={"type": "array", "items": _NOTICE},
            note=TEXT,
            employer_uscc=TEXT,
            month=TEXT,
            measure_taken={"type": "string", "enum": list(MEASURES_TAKEN)},
        ),
    ),
)
async def send(request: Request) -> Response:
    """A case, or an employer. The receiver sees a preview without identity; 409 where nobody there could read it.

    Without `notices` those of the case's own history go along.
    """
    who, body = await caller_and_body(request, _SEND)
    sending = Sending(
        who,
        body.purpose,
        body.to,
        body.measure,
        body.case,
        body.guardian,
        body.notices,
        body.note,
        body.employer_uscc,
        body.month,
        body.measure_taken,
    )
    return json_response(await context(request).refer.send(sending), 201)


@router.get(
    "/referrals",
    summary="移送列表 / Referrals",
    **declare("access_token", "query", answer=schema_ref(ReferralPage, "一页 / A page")),
)
async def find(
    request: Request,
    purpose: str,
    status: Literal["pending", "accepted", "rejected", "revoked", "overdue", "closed", "informed"]
    | None = None,
    direction: Literal["sent", "received"] | None = None,
    cursor: Annotated[str | None, Query(pattern=_ID)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> Response:
    """What the caller's side sent or received, newest first; a receiver's list holds previews only."""
    who, app = await _caller(request)
    return json_response(await app.refer.find(who, purpose, status, direction, cursor, limit))


@router.get("/referrals/{referral_id}", summary="查看移送 / One referral", **_declare())
async def get(referral_id: str, request: Request) -> Response:
    """The preview; to the officer who accepted it, the case."""
    who, app = await _caller(request)
    return json_response(await app.refer.get(who, referral_id))


@router.post("/referrals/{referral_id}/accept", summary="接收 / Accept", **_declare(409))
async def accept(referral_id: str, request: Request) -> Response:
    """By a named officer of the receiving agency; the answer is the case."""
    who, app = await _caller(request)
    return json_response(await app.referral_steps.accept(who, referral_id))


@router.post(
    "/referrals/{referral_id}/reject",
    summary="退回 / Reject",
    **_declare_body("reason", reason=TEXT, ground=TEXT),
)
async def reject(referral_id: str, request: Request) -> Response:
    """By a named officer of the receiving agency, with a reason for the sender."""
    who, body = await caller_and_body(request, _REJECT)
    steps = context(request).referral_steps
    return json_response(await steps.reject(who, referral_id, body.reason, body.ground))


@router.post(
    "/referrals/{referral_id}/revoke", summary="撤回 / Revoke", **_declare_body("reason", reason=TEXT)
)
async def revoke(referral_id: str, request: Request) -> Response:
    """By the sender's side, before acceptance."""
    who, body = await caller_and_body(request, _REASON)
    return json_response(await context(request).referral_steps.revoke(who, referral_id, body.reason))


@router.post(
    "/referrals/{referral_id}/comment", summary="意见往来 / Comment", **_declare_body("text", text=TEXT)
)
async def comment(referral_id: str, request: Request) -> Response:
    """By either side; the receiver once it has accepted."""
    who, body = await caller_and_body(request, _COMMENT)
    return json_response(await context(request).referral_steps.comment(who, referral_id, body.text))


@router.post("/referrals/{referral_id}/take-over", summary="接手 / Take over", **_declare(409))
async def take_over(referral_id: str, request: Request) -> Response:
    """By another officer of the receiving agency, once the client of the one who accepted is gone."""
    who, app = await _caller(request)
    return json_response(await app.referral_steps.take_over(who, referral_id))


@router.post(
    "/referrals/{referral_id}/close", summary="办结 / Close", **_declare_body("outcome", outcome=TEXT)
)
async def close(referral_id: str, request: Request) -> Response:
    """With what came of it, where the receiver hands in no file of outcomes (an employer's referral)."""
    who, body = await caller_and_body(request, _CLOSE)
    return json_response(await context(request).referral_steps.close(who, referral_id, body.outcome))
