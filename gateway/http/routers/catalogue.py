"""`/v1/catalogue`: what there is, and what the caller would get of it."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from gateway.http.context import context
from gateway.http.declared import declare
from gateway.http.language import language
from gateway.http.strict import StrictRoute
from gateway.http.wire import dump, json_response

router = APIRouter(
    prefix="/v1/catalogue", tags=["catalogue"], redirect_slashes=False, route_class=StrictRoute
)


@router.get("", summary="目录 / Catalogue", **declare("access_token", "none"))
async def catalogue(request: Request) -> Response:
    """Every exchange: provider, kind, sharing class, purposes, legal basis, fields and the caller's treatments."""
    app = context(request)
    principal = await app.auth.principal(request)
    lang = language(request.headers.get("accept-language"))
    return json_response(dump({"items": app.catalogue.all(principal, lang)}))


@router.get("/{exchange}", summary="目录条目 / One exchange", **declare("access_token", "none"))
async def catalogue_entry(exchange: str, request: Request) -> Response:
    """One exchange of the catalogue."""
    app = context(request)
    principal = await app.auth.principal(request)
    lang = language(request.headers.get("accept-language"))
    return json_response(dump(app.catalogue.one(principal, exchange, lang)))
