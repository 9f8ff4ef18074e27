"""`/v1/cases`: list, read, and what an officer does: steps, visits, the plan, comments."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from gateway.domain.case import CASE_REF, State
from gateway.domain.errors import Malformed
from gateway.http.bodies import TEXT, PrivateBody, caller_and_body, idempotency_key, json_body
from gateway.http.case_shapes import CaseModel, ChildFileModel
from gateway.http.context import context
from gateway.http.declared import declare
from gateway.http.strict import StrictRoute
from gateway.http.wire import Page, json_response, region_code, schema_ref
from gateway.services.cases import PURPOSE, CaseFilter, Doing
from gateway.services.cursor import PATTERN

router = APIRouter(prefix="/v1/cases", tags=["cases"], redirect_slashes=False, route_class=StrictRoute)

_EVIDENCE = {"type": "object", "additionalProperties": True}
_CASE = schema_ref(CaseModel, "个案 / The case")
_TEXTS = {"type": "array", "items": TEXT}


class StepBody(PrivateBody):
    """`POST …/steps`."""

    step: str
    purpose: str = PURPOSE
    evidence: dict[str, Any] = msgspec.field(default_factory=dict)


_STEP = msgspec.json.Decoder(StepBody)
_RECORD = msgspec.json.Decoder(dict[str, Any])


def _declare(request: dict[str, Any]) -> dict[str, Any]:
    return declare("access_token", "fixed", *(400, 409, 413), request=request, answer=_CASE)


@router.get(
    "",
    summary="个案列表 / Cases",
    **declare("access_token", "query", answer=schema_ref(Page, "一页 / A page")),
)
async def find(
    request: Request,
    purpose: str = PURPOSE,
    region: str | None = None,
    state: State | None = None,
    cursor: Annotated[str | None, Query(pattern=f"^({CASE_REF.pattern}|{PATTERN})$")] = None,
    limit: Annotated[int, Query(ge=1, le=5000)] = 100,
) -> Response:
    """Cases of the caller's region or school, ordered by their reference."""
    app = context(request)
    principal = await app.auth.principal(request)
    within = region if region is None else region_code(region)
    asked = CaseFilter(within, state, cursor, limit)
    return json_response(await app.cases.find(principal, purpose, asked))


@router.get(
    "/{ref}",
    summary="一案 / One case",
    **declare("access_token", "query", answer=_CASE),
)
async def get(ref: str, request: Request, purpose: str = PURPOSE) -> Response:
    """With its history, plan, leads, duties, days of observation, and the steps the caller may take now."""
    app = context(request)
    principal = await app.auth.principal(request)
    return json_response(await app.cases.get(principal, purpose, ref))


@router.get(
    "/{ref}/file",
    summary="一生一档 / One child, one file",
    **declare("access_token", "query", answer=schema_ref(ChildFileModel, "档案 / The file")),
)
async def file(ref: str, request: Request, purpose: str = PURPOSE) -> Response:
    """All that the reader may see of the child, by source and date; sources that hand in nothing are named."""
    app = context(request)
    principal = await app.auth.principal(request)
    return json_response(await app.child_file(principal, purpose, ref))


@router.post(
    "/{ref}/steps",
    summary="办理一步 / Take a step",
    **_declare(json_body(("step",), step=TEXT, purpose=TEXT, evidence=_EVIDENCE)),
)
async def step(ref: str, request: Request) -> Response:
    """The case afterwards. `Idempotency-Key`: sent again with the same content nothing is done twice."""
    who, body = await caller_and_body(request, _STEP)
    doing = Doing(body.step, body.evidence, idempotency_key(request), body.purpose)
    return json_response(await context(request).cases.step(who, ref, doing))


async def _record(ref: str, request: Request, what: str) -> Response:
    who, body = await caller_and_body(request, _RECORD)
    purpose = body.pop("purpose", PURPOSE)
    if not isinstance(purpose, str):
        zh, en = "请填写用途。", "State the purpose."
        raise Malformed.of("bad_field", zh, en, "/purpose")
    doing = Doing(what, body, idempotency_key(request), purpose)
    return json_response(await context(request).cases.record(who, ref, doing))


@router.post(
    "/{ref}/visits",
    summary="登记动员记录 / Record a visit",
    **_declare(
        json_body(
            ("who", "on", "how", "met", "result"),
            who=_TEXTS,
            on=TEXT,
            how=TEXT,
            met=TEXT,
            result=TEXT,
            note=TEXT,
            purpose=TEXT,
        )
    ),
)
async def visit(ref: str, request: Request) -> Response:
    """Who went, when, how, whom they met, with which result. The case afterwards."""
    return await _record(ref, request, "visit")


@router.post(
    "/{ref}/plan",
    summary="修订一人一策 / Revise the plan",
    **_declare(
        json_body(
            ("responsible", "deadline", "measures"),
            responsible=TEXT,
            deadline=TEXT,
            measures=_TEXTS,
            note=TEXT,
            purpose=TEXT,
        )
    ),
)
async def plan(ref: str, request: Request) -> Response:
    """The step `persuade` makes the first plan; this one replaces it. The case afterwards."""
    return await _record(ref, request, "plan")


@router.post(
    "/{ref}/comments", summary="添加备注 / Comment", **_declare(json_body(("note",), note=TEXT, purpose=TEXT))
)
async def comment(ref: str, request: Request) -> Response:
    """A note in the history, of an ended case too. The case afterwards."""
    return await _record(ref, request, "comment")
