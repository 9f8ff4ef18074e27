"""`/v1/duties`: who owes what by when, and what is overdue."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from gateway.http.context import context
from gateway.http.declared import declare
from gateway.http.wire import Page, json_response, region_code, schema_ref
from gateway.services.cursor import PATTERN
from gateway.services.duties import PURPOSE, DutyFilter

router = APIRouter(prefix="/v1/duties", tags=["duties"], redirect_slashes=False)

Status = Literal["open", "overdue", "waiting", "done", "cancelled", "lapsed"]
_NAME = "^[a-z0-9_-]{1,60}$"
_POSITION = "[0-9]{4}-[0-9]{2}-[0-9]{2}[.]duty-[a-z2-7]{26}"


@router.get(
    "",
    summary="职责列表 / Duties",
    **declare("access_token", "query", 400, answer=schema_ref(Page, "一页 / A page")),
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
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
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
    **declare("access_token", "query", 400, answer=schema_ref(Page, "统计 / The counts")),
)
async def overdue_counts(request: Request, region: str | None = None, purpose: str = PURPOSE) -> Response:
    """Counts one level below the region asked for: of a county by township, of a prefecture by county."""
    app = context(request)
    principal = await app.auth.principal(request)
    within = region if region is None else region_code(region)
    return json_response(await app.duties.overdue(principal, purpose, within))
