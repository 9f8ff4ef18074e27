"""`/v1/audit` and `/v1/witness`: the transparency log, the auditor's view, and cosigning for other gateways."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from gateway.domain.errors import InvalidRecord, Malformed, NotPermitted, TooLarge
from gateway.http.context import Context, context
from gateway.http.declared import declare
from gateway.http.strict import StrictRoute
from gateway.http.wire import (
    LogReceipt,
    Page,
    dump,
    json_response,
    read_body,
    region_code,
    schema_ref,
)
from gateway.services.trail import EntryFilter
from gateway.services.witness import Cosigned

router = APIRouter(tags=["audit"], redirect_slashes=False, route_class=StrictRoute)

PURPOSE = "audit"
_REFERENCE = "^ref-[0-9a-z-]{1,60}$"
_CACHED = {"Cache-Control": "private, max-age=31536000, immutable"}
_WIDTH = 256

Text = Annotated[str | None, Query(max_length=100)]


async def _anyone(request: Request) -> Context:
    """Heads, proofs and tiles are for whoever has a token: they hold hashes only."""
    app = context(request)
    await app.auth.principal(request)
    return app


@router.get("/v1/audit/head", summary="日志头 / The log's signed head", **declare("access_token", "none"))
async def head(request: Request) -> Response:
    """Origin, size, root, checkpoint, cosignatures, key."""
    app = await _anyone(request)
    return json_response(dump(await asyncio.to_thread(app.transparency.head)))


@router.get(
    "/v1/audit/checkpoint",
    summary="检查点 / The head as a signed note (C2SP tlog-checkpoint)",
    **declare("access_token", "none"),
)
async def checkpoint(request: Request) -> Response:
    """Text; 403 before the first entry is sealed."""
    app = await _anyone(request)
    note = await asyncio.to_thread(app.transparency.checkpoint)
    return Response(note, headers={"Cache-Control": "no-store"}, media_type="text/plain")


@router.get(
    "/v1/audit/consistency",
    summary="一致性证明 / Consistency proof between two sizes",
    **declare("access_token", "none"),
)
async def consistency(
    request: Request,
    first: Annotated[int, Query(alias="from", ge=0)] = 0,
    second: Annotated[int | None, Query(alias="to", ge=0)] = None,
) -> Response:
    """RFC 9162 §2.1.4; without `to` up to the newest head."""
    app = await _anyone(request)
    return json_response(dump(await asyncio.to_thread(app.transparency.consistency, first, second)))


@router.get(
    "/v1/audit/tile/{level}/{tile:path}",
    summary="日志瓦片 / A tile of the tree (C2SP tlog-tiles)",
    **declare("access_token", "none"),
)
async def tile(level: str, tile: str, request: Request) -> Response:
    """`{index}` of a full tile, as a number or `x001/234`; `{index}.p/{width}` of a partial one."""
    app = await _anyone(request)
    path, partial, width = tile.partition(".p/")
    if not _small(level) or (partial and not _small(width)) or int(level) > 63:
        raise Malformed
    wanted = int(width) if partial else _WIDTH
    found = await asyncio.to_thread(app.transparency.tile, int(level), _index(path), wanted)
    return Response(found, headers=_CACHED, media_type="application/octet-stream")


def _small(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 3


def _index(path: str) -> int:
    """A tile's number: plain, or in groups of three digits of which all but the last begin with x."""
    parts = path.split("/")
    if len(parts) == 1 and path.isascii() and path.isdigit() and len(path) <= 15:
        return int(path)
    groups = [*(part.removeprefix("x") for part in parts[:-1]), parts[-1]]
    grouped = len(parts) <= 5 and all(part.startswith("x") for part in parts[:-1])
    if not grouped or not all(len(each) == 3 and _small(each) for each in groups):
        raise Malformed
    return int("".join(groups))


@router.get(
    "/v1/audit/receipts/{reference}",
    summary="存证凭据 / Proof that an answer stands in the log",
    **declare("access_token", "query", answer=schema_ref(LogReceipt, "凭据 / The receipt")),
)
async def receipt(reference: str, request: Request, purpose: Text = None) -> Response:
    """The client's own, or any within the auditor's reach (`purpose=audit`). 202 until the next sealing."""
    app = context(request)
    principal = await app.auth.principal(request)
    found = await asyncio.to_thread(app.transparency.own, principal, reference)
    if found is None and purpose is not None:
        found = await app.transparency.audited(principal, reference, purpose)
    if found is None:
        await app.transparency.refuse(principal)
        raise NotPermitted
    if found.body is None:
        waiting = dump({"reference": reference, "state": "unsealed"})
        return json_response(waiting, 202, {"Retry-After": "1"})
    return json_response(found.body)


@router.get(
    "/v1/audit/entries",
    summary="存证记录 / Entries of the evidence, for the auditor",
    **declare("access_token", "query", answer=schema_ref(Page, "一页 / A page")),
)
async def entries(
    request: Request,
    since: Annotated[datetime | None, Query(alias="from")] = None,
    until: Annotated[datetime | None, Query(alias="to")] = None,
    exchange: Text = None,
    client: Text = None,
    agency: Text = None,
    role: Text = None,
    decision: Text = None,
    region: Text = None,
    reference: Annotated[str | None, Query(pattern=_REFERENCE)] = None,
    purpose: str = PURPOSE,
    cursor: Annotated[str | None, Query(pattern="^[0-9]{1,18}$")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """Oldest first. A page may be short, or empty, while `next_cursor` says that there is more to look at."""
    app = context(request)
    principal = await app.auth.principal(request)
    asked = {
        "exchange": exchange,
        "client": client,
        "agency": agency,
        "role": role,
        "decision": decision,
    }
    wanted = EntryFilter(
        equal={name: value for name, value in asked.items() if value is not None},
        since=_zoned(since, "from"),
        until=_zoned(until, "to"),
        reference=reference,
        region=region if region is None else region_code(region),
        after=int(cursor or 0),
        limit=limit,
    )
    return json_response(await app.trail.entries(principal, purpose, wanted))


def _zoned(moment: datetime | None, name: str) -> datetime | None:
    """In UTC; the first and the last day there are cannot be told in every zone."""
    zh, en = "时间须带时区。", "A time needs its zone."
    flawed = Malformed.of("bad_parameter", zh, en, f"/query/{name}")
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise flawed
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise flawed from None


@router.get(
    "/v1/audit/alarms",
    summary="安全告警 / Alarms, for the auditor",
    **declare("access_token", "query", answer=schema_ref(Page, "一页 / A page")),
)
async def alarms(
    request: Request,
    status: Literal["open", "acknowledged"] | None = None,
    region: Text = None,
    purpose: str = PURPOSE,
    cursor: Annotated[str | None, Query(pattern="^alarm-[a-z2-7]{26}$")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """In the shape of leads, with how often each was raised and about what."""
    app = context(request)
    principal = await app.auth.principal(request)
    within = region if region is None else region_code(region)
    return json_response(await app.trail.alarms(principal, purpose, within, status, cursor, limit))


@router.post(
    "/v1/audit/alarms/{alarm_id}/acknowledge",
    summary="签收告警 / Acknowledge an alarm",
    **declare("access_token", "fixed"),
)
async def acknowledge(alarm_id: str, request: Request) -> Response:
    """Marks the alarm as seen; raised again it opens again."""
    app = context(request)
    body, reference = await app.trail.acknowledge(await app.auth.principal(request), PURPOSE, alarm_id)
    return json_response(body, headers={"X-Reference": reference})


_CHECKPOINT_LIMIT = 16_384
"""Of 63 hashes and a note with its signatures; reading a text costs time, and nobody is known before."""
_CHECKPOINT = {"required": True, "content": {"text/plain": {"schema": {"type": "string"}}}}


@router.post(
    "/v1/witness/add-checkpoint",
    summary="见证签名 / Cosign another gateway's head (C2SP tlog-witness)",
    **declare("log_signature", "none", 400, 403, 413, 422, 429, request=_CHECKPOINT),
)
async def add_checkpoint(request: Request) -> Response:
    """Signature lines; 409 with the size to start from; 422 for a proof that does not hold."""
    app = context(request)
    address = app.binding.peers.address(request)
    barred = app.rates.barred(address)
    if barred is not None:
        raise barred.error()
    try:
        found = await app.witness.add_checkpoint(await read_body(request, _CHECKPOINT_LIMIT))
    except (Malformed, NotPermitted, TooLarge, InvalidRecord):
        # Anybody may call: what no watched log signed, or what is not proven, is counted like a failed log-in.
        app.rates.failed(address)
        raise
    if isinstance(found, Cosigned):
        return Response(found.line, headers={"Cache-Control": "no-store"}, media_type="text/plain")
    size = f"{found.size}\n"
    return Response(size, 409, {"Cache-Control": "no-store"}, media_type="text/x.tlog.size")
