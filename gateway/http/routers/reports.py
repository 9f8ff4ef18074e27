"""`/v1/reports`: what a school, township, county, city or province reports of its dropout control, and signs."""

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from gateway.domain.errors import Malformed
from gateway.domain.reporting import is_period
from gateway.domain.spreadsheet import MEDIA_TYPES
from gateway.http.bodies import TEXT, caller_and_body, json_body
from gateway.http.context import context
from gateway.http.declared import declare
from gateway.http.report_shapes import ReportModel
from gateway.http.strict import StrictRoute
from gateway.http.wire import Page, json_response, region_code, schema_ref
from gateway.services.reporting import PURPOSE, ReportFilter

router = APIRouter(prefix="/v1/reports", tags=["reports"], redirect_slashes=False, route_class=StrictRoute)

Status = Literal["due", "signed"]
_ID = "^report-[a-z2-7]{26}$"


class SignBody(msgspec.Struct, forbid_unknown_fields=True):
    """`POST …/sign`: figures of the signer's own knowledge, if any."""

    purpose: str
    figures: dict[str, int] | None = None


_SIGN = msgspec.json.Decoder(SignBody)
_FIGURES = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}}
_Kind = Annotated[str | None, Query(pattern="^[a-z0-9-]{1,60}$")]
_Cursor = Annotated[str | None, Query(pattern=_ID)]
_Limit = Annotated[int, Query(ge=1, le=1000)]


@router.get(
    "",
    summary="报告列表 / Reports",
    **declare("access_token", "query", answer=schema_ref(Page, "一页 / A page")),
)
async def reports(
    request: Request,
    kind: _Kind = None,
    status: Status | None = None,
    region: str | None = None,
    purpose: str = PURPOSE,
    cursor: _Cursor = None,
    limit: _Limit = 100,
) -> Response:
    """Of every period, in the caller's region or school."""
    asked = ReportFilter(None, kind, status, region and region_code(region), cursor, limit)
    return await _page(request, purpose, asked, "json")


@router.get(
    "/{period}",
    summary="一个报告期的报告 / Reports of a period",
    **declare("access_token", "query", answer=schema_ref(Page, "一页 / A page")),
)
async def of_period(
    period: str,
    request: Request,
    kind: _Kind = None,
    status: Status | None = None,
    region: str | None = None,
    purpose: str = PURPOSE,
    form: Annotated[Literal["json", "xlsx"], Query(alias="format")] = "json",
    cursor: _Cursor = None,
    limit: _Limit = 100,
) -> Response:
    """`2026-10`, `2026-Q4`, `2026-2027-1` (a term) or `2026`; as JSON or as a workbook."""
    asked = ReportFilter(period, kind, status, region and region_code(region), cursor, limit)
    return await _page(request, purpose, asked, form)


async def _page(request: Request, purpose: str, asked: ReportFilter, form: str) -> Response:
    app = context(request)
    principal = await app.auth.principal(request)
    if asked.period is not None and not is_period(asked.period):
        raise _no_period()
    if form == "xlsx":
        return Response(await app.reporting.sheet(principal, purpose, asked), media_type=MEDIA_TYPES["xlsx"])
    return json_response(await app.reporting.find(principal, purpose, asked))


@router.get(
    "/{report_id}/children",
    summary="流失学生名单 / Whom a list of lost students names",
    **declare("access_token", "query", answer=schema_ref(Page, "一页 / A page")),
)
async def children(report_id: str, request: Request, purpose: str = PURPOSE) -> Response:
    """Each child under the caller's agency's own pseudonym."""
    app = context(request)
    return json_response(await app.reporting.lost(await app.auth.principal(request), purpose, report_id))


@router.post(
    "/{report_id}/sign",
    summary="签发报告 / Sign a report",
    **declare(
        "access_token",
        "body",
        400,
        409,
        413,
        request=json_body(("purpose",), purpose=TEXT, figures=_FIGURES),
        answer=schema_ref(ReportModel, "报告 / The report"),
    ),
)
async def sign(report_id: str, request: Request) -> Response:
    """By the role of the report's level and unit; stated figures are held against the facts."""
    app = context(request)
    principal, body = await caller_and_body(request, _SIGN)
    told, reference = await app.reporting.sign(principal, body.purpose, report_id, body.figures)
    return json_response(told, headers={"X-Reference": reference})


def _no_period() -> Malformed:
    zh, en = (
        "报告期应为 2026-10、2026-Q4、2026-2027-1 或 2026。",
        "A period is 2026-10, 2026-Q4, 2026-2027-1 or 2026.",
    )
    return Malformed.of("bad_field", zh, en, "/period")
