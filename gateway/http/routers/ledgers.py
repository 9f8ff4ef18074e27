"""`/v1/ledgers`: the three ledgers, page by page and counted, as of today or of a past day."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from gateway.domain.ledger import Ledger
from gateway.http.context import context
from gateway.http.declared import declare
from gateway.http.strict import StrictRoute
from gateway.http.wire import Page, json_response, region_code, schema_ref
from gateway.services.cursor import PATTERN
from gateway.services.ledgers import PURPOSE, LedgerFilter

router = APIRouter(prefix="/v1/ledgers", tags=["ledgers"], redirect_slashes=False, route_class=StrictRoute)


@router.get(
    "",
    summary="台账人数 / Counts of the ledgers",
    **declare("access_token", "query", answer=schema_ref(Page, "各台账各状态人数 / Children by status")),
)
async def counts(
    request: Request, region: str | None = None, as_of: date | None = None, purpose: str = PURPOSE
) -> Response:
    """Children by ledger and status, within the caller's reach."""
    app = context(request)
    principal = await app.auth.principal(request)
    asked = LedgerFilter(region if region is None else region_code(region), as_of)
    return json_response(await app.ledgers.count(principal, purpose, asked))


@router.get(
    "/{ledger}",
    summary="台账 / A ledger",
    **declare("access_token", "query", answer=schema_ref(Page, "一页 / A page")),
)
async def ledger(
    ledger: Annotated[str, Path(json_schema_extra={"enum": [each.value for each in Ledger]})],
    request: Request,
    region: str | None = None,
    as_of: date | None = None,
    status: Annotated[str | None, Query(pattern="^[a-z_-]{1,40}$")] = None,
    purpose: str = PURPOSE,
    cursor: Annotated[str | None, Query(pattern=f"^{PATTERN}$")] = None,
    limit: Annotated[int, Query(ge=1, le=5000)] = 100,
) -> Response:
    """Children of school age, suspected or dropped out, of the caller's region or school."""
    app = context(request)
    principal = await app.auth.principal(request)
    within = region if region is None else region_code(region)
    asked = LedgerFilter(within, as_of, status, cursor, limit)
    return json_response(await app.ledgers.find(principal, purpose, ledger, asked))
