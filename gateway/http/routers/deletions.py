"""`/v1/deletions`: which children an agency that was told of them must forget too, and its receipt."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from gateway.http.context import context
from gateway.http.declared import declare
from gateway.http.strict import StrictRoute
from gateway.http.wire import DeletionModel, Page, json_response, schema_ref
from gateway.services.deletions import NoticeFilter

router = APIRouter(
    prefix="/v1/deletions", tags=["deletions"], redirect_slashes=False, route_class=StrictRoute
)

_RECEIVED = {"open": False, "received": True}


@router.get(
    "",
    summary="删除通知 / Deletion notices",
    **declare("access_token", "query", answer=schema_ref(Page, "一页 / A page")),
)
async def deletions(
    request: Request,
    purpose: str | None = None,
    status: Literal["open", "received"] | None = None,
    cursor: Annotated[str | None, Query(pattern="^del-[0-9a-f]{32}$")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """The caller's own agency's and region's, oldest first."""
    app = context(request)
    asked = NoticeFilter(_RECEIVED[status] if status else None, cursor, limit)
    return json_response(await app.deletions.find(await app.auth.principal(request), purpose, asked))


@router.post(
    "/{notice_id}/receipt",
    summary="回执：已删除 / Confirm that the own copy is gone",
    **declare("access_token", "fixed", answer=schema_ref(DeletionModel, "通知 / The notice")),
)
async def receipt(notice_id: str, request: Request) -> Response:
    """Doing it again changes nothing: the first receipt stays."""
    app = context(request)
    return json_response(await app.deletions.receive(await app.auth.principal(request), notice_id))
