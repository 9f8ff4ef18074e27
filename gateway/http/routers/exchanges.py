"""`/v1/exchanges/{exchange}/…`: ask, records, export, uploads, template."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from gateway.domain.errors import Flaw, HuxueError, Malformed, Unauthenticated, UnsupportedMedia
from gateway.domain.spreadsheet import Kind
from gateway.domain.template import template_rows
from gateway.http.bodies import SUBJECT, TEXT, caller_and_body, idempotency_key, json_body
from gateway.http.context import context, exchange_of
from gateway.http.declared import declare
from gateway.http.language import language
from gateway.http.routers.placement import ask_advice
from gateway.http.strict import StrictRoute
from gateway.http.wire import (
    ASK_DECODER,
    EXPORT_DECODER,
    JSON_LIMIT,
    AskAnswer,
    ListPage,
    Receipt,
    decode,
    dump,
    in_thread,
    json_response,
    read_body,
    region_code,
    schema_ref,
)
from gateway.services.ask import Question
from gateway.services.child_lists.placement import ADVICE
from gateway.services.cursor import PATTERN
from gateway.services.evidence import Request as Asked
from gateway.services.upload import File
from schemas.catalogue import EXCHANGES, Action
from schemas.records import DATASETS

router = APIRouter(
    prefix="/v1/exchanges/{exchange}", tags=["exchanges"], redirect_slashes=False, route_class=StrictRoute
)

UPLOAD_KINDS: dict[str, Kind] = {
    "text/csv": "csv",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/x-ndjson": "ndjson",
    "application/json": "json",
}

_ASK_BODY = json_body(
    ("purpose", "subject"),
    purpose=TEXT,
    subject=SUBJECT,
    employer_uscc={"type": ["string", "null"]},
    engagement={"type": "string", "enum": ["ordinary", "arts_sports", "vocational_training"]},
    application_no={"type": ["string", "null"]},
)
_EXPORT_BODY = json_body(
    ("purpose", "region"),
    purpose=TEXT,
    region=TEXT,
    format={"type": "string", "enum": ["ndjson", "csv", "parquet", "xlsx"]},
    term={"type": ["string", "null"]},
)
_UPLOAD_BODY: dict[str, Any] = {
    "required": True,
    "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in UPLOAD_KINDS},
}


@router.post(
    "/ask",
    summary="就一人提问 / Ask about one person",
    **declare(
        "access_token", "body", 400, 413, request=_ASK_BODY, answer=schema_ref(AskAnswer, "答复 / The answer")
    ),
)
async def ask(exchange: str, request: Request) -> Response:
    """The least that answers, already in the evidence when it leaves."""
    if exchange == ADVICE:
        return await ask_advice(request)
    app = context(request)
    caller = await app.auth.caller(request)
    try:
        body = decode(ASK_DECODER, await read_body(request, JSON_LIMIT))
    except HuxueError:
        await app.auth.spend(caller)
        raise
    if not app.auth.alive(
        caller.session
    ):  # a body may take its time, and the client may be revoked meanwhile
        raise Unauthenticated
    question = Question(
        caller.principal,
        exchange,
        body.purpose,
        body.subject.resident_id,
        body.employer_uscc,
        body.engagement,
        caller.proof,
    )
    try:
        return json_response(await app.ask(question))
    except HuxueError as error:
        await app.auth.unspent(caller, error)
        raise


@router.get(
    "/records",
    summary="名单一页 / One page of a list",
    **declare("access_token", "query", answer=schema_ref(ListPage, "一页 / A page")),
)
async def records(
    exchange: str,
    request: Request,
    purpose: str,
    region: str,
    as_of: str | None = None,
    since: str | None = None,
    term: Annotated[str | None, Query(max_length=40)] = None,
    limit: Annotated[int, Query(ge=1, le=5000)] = 100,
    cursor: Annotated[str | None, Query(pattern=f"^([a-z]{{2}}[0-9]+-[a-z2-7]{{32}}|{PATTERN})$")] = None,
) -> Response:
    """Ordered by pseudonym, so that the order tells nothing.

    A region below the county gives the children who may live there as far as the list tells: of a township that is
    told of with others, those others too; of a village, its township. `term` is for lists that have terms.

    `since`, a month, is for `employer-hits` only; that list is ordered by the employers' codes.
    """
    app = context(request)
    who = await app.auth.principal(request)
    asked = Asked(who, Action.LIST, exchange, purpose, region_code(region), term=term)
    grant = await app.tables.decide(asked)
    try:
        app.health.check_as_of(as_of)
    except Malformed as error:
        await app.evidence.failed(asked, grant, error.name)
        raise
    try:
        body, entry = await in_thread(app.listings, app.tables.page, asked, grant, limit, cursor, since)
    except Malformed as error:
        await app.evidence.failed(asked, grant, error.name)
        raise
    await app.evidence.journal.record(entry)
    return json_response(body)


@router.post(
    "/export",
    status_code=202,
    summary="导出名单 / Export a list",
    **declare("access_token", "body", 413, request=_EXPORT_BODY),
)
async def export(exchange: str, request: Request) -> Response:
    """Starts a job; `Content-Location` says where to ask after it."""
    app = context(request)
    who, body = await caller_and_body(request, EXPORT_DECODER)
    asked = Asked(who, Action.LIST, exchange, body.purpose, region_code(body.region), term=body.term)
    grant = await app.tables.decide(asked)
    if body.since is not None:
        await app.evidence.failed(asked, grant, Malformed.name)
        zh, en = "目前只能导出完整名单，请勿填写 since。", "Whole lists are exported only; leave out since."
        raise Malformed.of("bad_field", zh, en, "/since")
    job = await app.export.start(asked, grant, body.format)
    location = f"/v1/jobs/{job.id}"
    headers = {"Content-Location": location, "Location": location, "Retry-After": "1"}
    return json_response(dump({"job": job.id, "state": job.state}), 202, headers)


@router.post(
    "/uploads",
    summary="上报文件 / Hand in a file",
    **declare(
        "access_token",
        "query",
        *(400, 409, 413, 415, 422),
        request=_UPLOAD_BODY,
        answer=schema_ref(Receipt, "回执 / The receipt"),
    ),
)
async def upload(exchange: str, request: Request, purpose: str) -> Response:
    """Good rows land, every bad row comes back; all of a receipt or none of it."""
    app = context(request)
    session = await app.auth.session(request)
    asked = Asked(session.principal, Action.UPLOAD, exchange, purpose, session.principal.region)
    grant = await app.evidence.decide(asked)
    try:
        kind, key = _kind(request), idempotency_key(request)
        file = File(
            body=await read_body(request, app.max_upload_bytes),
            kind=kind,
            idempotency_key=key,
            language=language(request.headers.get("accept-language")),
        )
        if not app.auth.alive(session):
            raise Unauthenticated
        receipt = await in_thread(app.landings, app.upload.land, asked, grant, file)
    except HuxueError as error:
        await app.evidence.failed(asked, grant, error.name)
        raise
    app.health.leads_changed()
    return json_response(dump(receipt))


def _kind(request: Request) -> Kind:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    kind = UPLOAD_KINDS.get(media_type)
    if kind is None:
        zh = "请以 csv、xlsx、ndjson 或 json 上传，并注明 Content-Type。"
        en = "Upload csv, xlsx, ndjson or json and say so in Content-Type."
        raise UnsupportedMedia(zh, en, (Flaw("unsupported_media", zh, en),))
    return kind


@router.get(
    "/template",
    summary="下载模板 / Download the template",
    **declare("access_token", "none"),
)
async def template(
    exchange: str, request: Request, format: Annotated[str, Query(pattern="^(xlsx|csv)$")] = "xlsx"
) -> Response:
    """Headings, code lists as drop-downs, one sample row."""
    app = context(request)
    await app.auth.principal(request)
    found = EXCHANGES[exchange_of(exchange, Action.UPLOAD).id]
    dataset = DATASETS[found.dataset or ""]
    form, body = await asyncio.to_thread(app.files.template, format, template_rows(dataset))
    headers = {"Content-Disposition": f'attachment; filename="{dataset.id}.{format}"'}
    return Response(body, headers=headers, media_type=form.media_type)
