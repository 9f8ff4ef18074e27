"""`/v1/cases/{case}/notices`, `/v1/notices/{id}`: legal instruments, issued by township or county education only."""

from datetime import date
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from gateway.domain.instrument_record import Service, ServiceMethod
from gateway.domain.instruments import Format, Kind
from gateway.http.bodies import TEXT, PrivateBody, caller_and_body, json_body
from gateway.http.context import context
from gateway.http.declared import declare
from gateway.http.strict import StrictRoute
from gateway.http.wire import NoticeModel, Page, json_response, schema_ref
from gateway.services.fetch_document import Wanted
from gateway.services.issue import Order

router = APIRouter(prefix="/v1", tags=["notices"], redirect_slashes=False, route_class=StrictRoute)

_TYPES = {
    Format.PDF: "application/pdf",
    Format.DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
_NOTICE = schema_ref(NoticeModel, "文书 / The notice")
_BYTES = {"schema": {"type": "string", "format": "binary"}}
_FILE = {"description": "文件 / The file", "content": dict.fromkeys(_TYPES.values(), _BYTES)}
_DAY = {"type": "string", "format": "date"}


class IssueBody(PrivateBody):
    """`POST /v1/cases/{case}/notices`."""

    kind: Kind
    resolution: str
    slots: dict[str, str]


class ServiceBody(PrivateBody):
    """`POST /v1/notices/{id}/service`."""

    served_on: date
    method: ServiceMethod
    recipient_relation: str
    proof: str
    witnesses: tuple[str, ...] = ()


class VoidBody(PrivateBody):
    """`POST /v1/notices/{id}/void`."""

    reason: str


_ISSUE = msgspec.json.Decoder(IssueBody)
_SERVICE = msgspec.json.Decoder(ServiceBody)
_VOID = msgspec.json.Decoder(VoidBody)


@router.post(
    "/cases/{case}/notices",
    status_code=201,
    summary="签发法律文书 / Issue a notice",
    **declare(
        "access_token",
        "fixed",
        *(400, 409, 413, 422),
        request=json_body(
            ("kind", "resolution", "slots"),
            kind={"type": "string", "enum": [each.value for each in Kind]},
            resolution=TEXT,
            slots={"type": "object", "additionalProperties": TEXT},
        ),
    ),
)
async def issue(case: str, request: Request) -> Response:
    """Numbered, by a named officer, for an open case of the own region.

    `resolution`: the officer's own, approved for this case and not used; it is used up. `slots`: what the officer fills
    in, such as the guardian's name. The answer holds no name.
    """
    who, body = await caller_and_body(request, _ISSUE)
    order = Order(who, case, body.kind, body.resolution, body.slots)
    return json_response(await context(request).notices.issue(order), 201)


@router.get(
    "/cases/{case}/notices",
    summary="个案的法律文书 / Notices of a case",
    **declare("access_token", "fixed", answer=schema_ref(Page, "一页 / A page")),
)
async def of_case(case: str, request: Request) -> Response:
    """All of them, oldest first."""
    app = context(request)
    return json_response(await app.notices.of_case.of_case(await app.auth.principal(request), case))


@router.get(
    "/notices/{notice_id}",
    summary="下载法律文书 / Fetch the document",
    **declare("access_token", "fixed", 409, 422, answer=_FILE),
)
async def document(
    notice_id: str,
    request: Request,
    kind: Annotated[Format, Query(alias="format")] = Format.PDF,
    resolution: Annotated[str | None, Query(pattern="^res-[0-9a-f]{26}$")] = None,
) -> Response:
    """As `format=pdf` or `docx`, to the officer who issued it.

    A colleague of the same office names an approved `resolution` of their own, which is used up.
    """
    app = context(request)
    wanted = Wanted(await app.auth.principal(request), notice_id, kind, resolution)
    content = await app.notices.fetch(wanted)
    headers = {"Content-Disposition": f'attachment; filename="notice.{kind}"', "Cache-Control": "no-store"}
    return Response(content, media_type=_TYPES[kind], headers=headers)


@router.post(
    "/notices/{notice_id}/service",
    summary="登记送达 / Record the service",
    **declare(
        "access_token",
        "fixed",
        *(400, 409, 413),
        request=json_body(
            ("served_on", "method", "recipient_relation", "proof"),
            served_on=_DAY,
            method={"type": "string", "enum": [each.value for each in ServiceMethod]},
            recipient_relation=TEXT,
            proof={"type": "string", "pattern": "^[0-9a-f]{64}$"},
            witnesses={"type": "array", "items": TEXT},
        ),
        answer=_NOTICE,
    ),
)
async def service(notice_id: str, request: Request) -> Response:
    """Only now the term runs: `due_on`. `proof` is the SHA-256 of the scanned return of service."""
    who, body = await caller_and_body(request, _SERVICE)
    proof = Service(body.served_on, body.method, body.recipient_relation.strip(), body.proof, body.witnesses)
    return json_response(await context(request).notices.serve(who, notice_id, proof))


@router.post(
    "/notices/{notice_id}/void",
    summary="撤回法律文书 / Withdraw a notice",
    **declare(
        "access_token", "fixed", 400, 409, 413, request=json_body(("reason",), reason=TEXT), answer=_NOTICE
    ),
)
async def void(notice_id: str, request: Request) -> Response:
    """Before it is served; its number is not given again."""
    who, body = await caller_and_body(request, _VOID)
    return json_response(await context(request).notices.of_case.void(who, notice_id, body.reason))
