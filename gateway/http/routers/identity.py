"""`/v1/identity/resolutions`: from a pseudonym to the child, by two officers."""

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from gateway.domain.principal import Principal
from gateway.domain.resolution import State
from gateway.domain.resolution_record import Wish
from gateway.http.bodies import TEXT, PrivateBody, caller_and_body, json_body
from gateway.http.context import context
from gateway.http.declared import declare
from gateway.http.strict import StrictRoute
from gateway.http.wire import ResolutionModel, ResolutionPage, json_response, schema_ref
from gateway.services.resolve import Resolve

router = APIRouter(
    prefix="/v1/identity/resolutions", tags=["identity"], redirect_slashes=False, route_class=StrictRoute
)

_ID = "^res-[0-9a-f]{26}$"


class WishBody(PrivateBody):
    """`POST /v1/identity/resolutions`."""

    purpose: str
    reason: str
    pseudonym: str | None = None
    case: str | None = None
    emergency: bool = False


class RejectBody(PrivateBody):
    """`POST …/reject`."""

    reason: str


class ReviewBody(PrivateBody):
    """`POST …/review`."""

    verdict: Literal["justified", "unjustified"]
    comment: str


_WISH = msgspec.json.Decoder(WishBody)
_REJECT = msgspec.json.Decoder(RejectBody)
_REVIEW = msgspec.json.Decoder(ReviewBody)


def _declare(*statuses: int, request: dict[str, Any] | None = None) -> dict[str, Any]:
    """What all routes under one resolution have alike."""
    answer = schema_ref(ResolutionModel, "申请 / The resolution")
    return declare("access_token", "fixed", *statuses, request=request, answer=answer)


def _declare_body(**properties: object) -> dict[str, Any]:
    """Of a decision with a body: these properties, all of them required."""
    return _declare(400, 409, 413, request=json_body(tuple(properties), **properties))


async def _caller(request: Request) -> tuple[Principal, Resolve]:
    app = context(request)
    return await app.auth.principal(request), app.resolve


@router.post(
    "",
    status_code=201,
    summary="申请还原身份 / Ask for an identity",
    **declare(
        "access_token",
        "body",
        *(400, 409, 413),
        request=json_body(
            ("purpose", "reason"),
            purpose=TEXT,
            reason=TEXT,
            pseudonym=TEXT,
            case=TEXT,
            emergency={"type": "boolean"},
        ),
    ),
)
async def ask(request: Request) -> Response:
    """Pending until another officer approves; with `emergency` the identity at once, and a review within 24 hours.

    Whoever asks or decides is named in the token (`officer`): 403 officer-unnamed otherwise.
    """
    who, body = await caller_and_body(request, _WISH)
    wish = Wish(who, body.purpose, body.reason, body.pseudonym, body.case, body.emergency)
    return json_response(await context(request).resolve.ask(wish), 201)


@router.get(
    "",
    summary="身份还原申请列表 / Resolutions",
    **declare("access_token", "fixed", answer=schema_ref(ResolutionPage, "一页 / A page")),
)
async def find(
    request: Request,
    state: State | None = None,
    cursor: Annotated[str | None, Query(pattern=_ID)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> Response:
    """The caller's own and those the caller may decide, newest first; no identity."""
    who, resolve = await _caller(request)
    return json_response(await resolve.find(who, state, cursor, limit))


@router.get(
    "/{resolution_id}",
    summary="查询申请 / One resolution",
    **_declare(),
)
async def get(resolution_id: str, request: Request) -> Response:
    """Where it stands; no identity."""
    who, resolve = await _caller(request)
    return json_response(await resolve.get(who, resolution_id))


@router.post(
    "/{resolution_id}/approve",
    summary="批准 / Approve",
    **_declare(409),
)
async def approve(resolution_id: str, request: Request) -> Response:
    """By another officer of the team. The answer holds no identity: the requester fetches it within 15 minutes."""
    who, resolve = await _caller(request)
    return json_response(await resolve.approve(who, resolution_id))


@router.post(
    "/{resolution_id}/reject",
    summary="驳回 / Reject",
    **_declare_body(reason=TEXT),
)
async def reject(resolution_id: str, request: Request) -> Response:
    """By another officer of the team; also an approval that was not used yet."""
    who, body = await caller_and_body(request, _REJECT)
    return json_response(await context(request).resolve.reject(who, resolution_id, body.reason))


@router.post(
    "/{resolution_id}/show",
    summary="查看身份（一次） / See the identity, once",
    **_declare(409),
)
async def show(resolution_id: str, request: Request) -> Response:
    """To the requester, once, within 15 minutes of the approval."""
    who, resolve = await _caller(request)
    return json_response(await resolve.show(who, resolution_id))


@router.post(
    "/{resolution_id}/review",
    summary="复核紧急查看 / Review an emergency",
    **_declare_body(verdict={"type": "string", "enum": ["justified", "unjustified"]}, comment=TEXT),
)
async def review(resolution_id: str, request: Request) -> Response:
    """By another officer of the team; an unjustified one raises an alarm."""
    who, body = await caller_and_body(request, _REVIEW)
    justified = body.verdict == "justified"
    return json_response(await context(request).resolve.review(who, resolution_id, justified, body.comment))
