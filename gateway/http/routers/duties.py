"""`/v1/duties`: who owes what by when, and what is overdue."""

import re
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from gateway.domain.duties import DONE
from gateway.domain.errors import Malformed
from gateway.http.bodies import TEXT, PrivateBody, caller_and_body, json_body
from gateway.http.context import context
from gateway.http.declared import declare
from gateway.http.strict import StrictRoute
from gateway.http.wire import DutyModel, HandedOver, Page, json_response, region_code, schema_ref
from gateway.services.cursor import PATTERN
from gateway.services.duties import PURPOSE, DutyFilter
from gateway.services.duty_actions import WAITING

router = APIRouter(prefix="/v1/duties", tags=["duties"], redirect_slashes=False, route_class=StrictRoute)

Status = Literal["open", "overdue", "waiting", "done", "cancelled", "lapsed"]
_NAME = "^[a-z0-9_-]{1,60}$"
_OFFICER = re.compile(r"[A-Za-z0-9._-]{1,64}")
_POSITION = "[0-9]{4}-[0-9]{2}-[0-9]{2}[.]duty-[a-z2-7]{26}"


@router.get(
    "",
    summary="职责列表 / Duties",
    **declare("access_token", "query", answer=schema_ref(Page, "一页 / A page")),
)
async def duties(
    request: Request,
    owner: Annotated[str | None, Query(pattern=_NAME)] = None,
    duty: Annotated[str | None, Query(pattern=_NAME)] = None,
    overdue: bool | None = None,
    status: Status | None = None,
    region: str | None = None,
    purpose: str = PURPOSE,
    cursor: Annotated[str | None, Query(pattern=f"^({_POSITION}|{PATTERN})$")] = None,
    limit: Annotated[int, Query(ge=1, le=5000)] = 100,
) -> Response:
    """What the caller's agency owes, the earliest last day first; education's lead sees every agency's of its region."""
    app = context(request)
    principal = await app.auth.principal(request)
    within = region if region is None else region_code(region)
    asked = DutyFilter(within, owner, duty, status, overdue, cursor, limit)
    return json_response(await app.duties.find(principal, purpose, asked))


@router.get(
    "/overdue",
    summary="逾期职责统计 / What is overdue, by owner, region and duty",
    **declare("access_token", "query", answer=schema_ref(Page, "统计 / The counts")),
)
async def overdue_counts(request: Request, region: str | None = None, purpose: str = PURPOSE) -> Response:
    """Counts one level below the region asked for: of a county by township, of a prefecture by county."""
    app = context(request)
    principal = await app.auth.principal(request)
    within = region if region is None else region_code(region)
    return json_response(await app.duties.overdue(principal, purpose, within))


class DoneBody(msgspec.Struct, forbid_unknown_fields=True):
    """`POST …/done`."""

    what: str


class WaitBody(msgspec.Struct, forbid_unknown_fields=True):
    """`POST …/wait`."""

    agency: str = msgspec.field(name="for")
    reason: str


class AssignBody(PrivateBody):
    """`POST …/assign`."""

    officer: str


class HandoverBody(PrivateBody):
    """`POST /v1/duties/handover`."""

    from_officer: str
    to_officer: str


_DONE, _WAIT = msgspec.json.Decoder(DoneBody), msgspec.json.Decoder(WaitBody)
_ASSIGN, _HANDOVER = msgspec.json.Decoder(AssignBody), msgspec.json.Decoder(HandoverBody)


def _declare(**properties: object) -> dict[str, Any]:
    """Of something done with one duty; all properties of its body are required."""
    body = json_body(tuple(properties), **properties) if properties else None
    return declare(
        "access_token",
        "query",
        *(400, 409, 413),
        request=body,
        answer=schema_ref(DutyModel, "职责 / The duty"),
    )


def _code(codes: tuple[str, ...]) -> dict[str, object]:
    return {"type": "string", "enum": list(codes)}


def _check(*names: str) -> None:
    """An officer's name is one that a token could bear."""
    if not all(_OFFICER.fullmatch(name) for name in names):
        zh, en = (
            "经办人代号应为1至64位字母、数字或 ._-。",
            "An officer's name has 1 to 64 letters, digits or ._-",
        )
        raise Malformed.of("bad_field", zh, en)


@router.post("/{duty_id}/done", summary="办结 / Done", **_declare(what=_code(DONE)))
async def done(duty_id: str, request: Request, purpose: str = PURPOSE) -> Response:
    """By the agency that owes it, or that it went up to. Steps of a case end their duties by themselves."""
    who, body = await caller_and_body(request, _DONE)
    return json_response(await context(request).duty_actions.done(who, purpose, duty_id, body.what))


@router.post(
    "/{duty_id}/wait",
    summary="等待其他部门 / Wait for another agency",
    **_declare(**{"for": TEXT, "reason": _code(WAITING)}),
)
async def wait(duty_id: str, request: Request, purpose: str = PURPOSE) -> Response:
    """Neither overdue nor escalated while it waits."""
    who, body = await caller_and_body(request, _WAIT)
    actions = context(request).duty_actions
    return json_response(await actions.wait(who, purpose, duty_id, body.agency, body.reason))


@router.post("/{duty_id}/resume", summary="恢复办理 / Owed again", **_declare())
async def resume(duty_id: str, request: Request, purpose: str = PURPOSE) -> Response:
    """Its last day moves by the days it waited."""
    app = context(request)
    principal = await app.auth.principal(request)
    return json_response(await app.duty_actions.resume(principal, purpose, duty_id))


@router.post("/{duty_id}/assign", summary="指定经办人 / Give it to an officer", **_declare(officer=TEXT))
async def assign(duty_id: str, request: Request, purpose: str = PURPOSE) -> Response:
    """To an officer of the own office who has looked at its duties before."""
    who, body = await caller_and_body(request, _ASSIGN)
    _check(body.officer)
    return json_response(await context(request).duty_actions.assign(who, purpose, duty_id, body.officer))


@router.post(
    "/handover",
    summary="移交全部职责 / Hand over an officer's duties",
    **declare(
        "access_token",
        "query",
        *(400, 413),
        request=json_body(("from_officer", "to_officer"), from_officer=TEXT, to_officer=TEXT),
        answer=schema_ref(HandedOver, "移交件数 / How many"),
    ),
)
async def handover(request: Request, purpose: str = PURPOSE) -> Response:
    """All standing duties of one officer of the own office to another."""
    who, body = await caller_and_body(request, _HANDOVER)
    _check(body.from_officer, body.to_officer)
    actions = context(request).duty_actions
    return json_response(await actions.hand_over(who, purpose, body.from_officer, body.to_officer))
