"""`/v1/jobs/{id}` and `/v1/files/{id}`: what a client started, and what it made for that client only."""

import base64
from email.utils import format_datetime

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from gateway.domain.errors import Conflict, HuxueError
from gateway.http.context import context
from gateway.http.declared import declare
from gateway.http.strict import StrictRoute
from gateway.http.wire import Manifest, dump, json_response, schema_ref

router = APIRouter(prefix="/v1", tags=["jobs"], redirect_slashes=False, route_class=StrictRoute)


@router.get(
    "/jobs/{job_id}",
    summary="查询任务 / Ask after a job",
    **declare("access_token", "none", 409, answer=schema_ref(Manifest, "完成 / Done")),
)
async def job(job_id: str, request: Request) -> Response:
    """202 with `X-Progress` until it is done, then 200 with the manifest."""
    app = context(request)
    found = await app.export.get(job_id, await app.auth.principal(request))
    if found.state == "done":
        return json_response(
            dump(found.manifest), headers={"Expires": format_datetime(found.expires_at, usegmt=True)}
        )
    if found.state == "cancelled":
        raise Conflict("该任务已取消。", "The job was cancelled.")
    if found.state == "failed":
        raise HuxueError("导出未能完成，请重新发起。", "The export failed; start it again.")
    headers = {"Retry-After": "1", "X-Progress": f"{found.progress:.0%}"}
    return json_response(dump({"job": found.id, "state": found.state}), 202, headers)


@router.delete(
    "/jobs/{job_id}",
    status_code=202,
    summary="取消任务 / Cancel a job",
    **declare("access_token", "none", 409),
)
async def cancel(job_id: str, request: Request) -> Response:
    """Stops the job and removes what it made."""
    app = context(request)
    await app.export.cancel(job_id, await app.auth.principal(request))
    return json_response(dump({"job": job_id, "state": "cancelled"}), 202)


@router.get(
    "/files/{file_id}",
    summary="下载文件 / Download a file",
    **declare("access_token", "none"),
)
async def file(file_id: str, request: Request) -> Response:
    """To the client it was made for, until it expires."""
    app = context(request)
    card = await app.export.file(file_id, await app.auth.principal(request))
    try:
        chunks = app.store.read(card.id)
    except FileNotFoundError:
        raise HuxueError from None
    headers = {
        "Content-Disposition": f'attachment; filename="{card.name}"',
        "Content-Length": str(card.size),
        "Repr-Digest": f"sha-256=:{_digest(card.sha256)}:",
        "Cache-Control": "no-store",
    }
    return StreamingResponse(chunks, headers=headers, media_type=card.media_type)


def _digest(sha256: str) -> str:
    """A hex digest as RFC 9530 wants it."""
    return base64.b64encode(bytes.fromhex(sha256)).decode()
