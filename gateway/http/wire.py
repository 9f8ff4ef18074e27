"""What is on the wire: request bodies as they are read, and the shapes the OpenAPI document shows."""

import asyncio
import gc
import re
import threading
from collections.abc import Mapping
from typing import Any, Literal, TypeVar

import msgspec
import orjson
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from gateway.domain.errors import Flaw, Malformed, TooLarge
from gateway.domain.predicate import is_region
from gateway.http.referral_models import HandoverModel, ReferralModel, ReferralPage

JSON_LIMIT = 65_536

Body = TypeVar("Body")


class AskSubject(msgspec.Struct):
    """The person asked about; not shown where the body is."""

    resident_id: str

    def __repr__(self) -> str:
        return "AskSubject(…)"


class AskBody(msgspec.Struct):
    """`POST …/ask`."""

    purpose: str
    subject: AskSubject
    employer_uscc: str | None = None
    engagement: str = "ordinary"
    application_no: str | None = None


class ExportBody(msgspec.Struct):
    """`POST …/export`."""

    purpose: str
    region: str
    format: Literal["ndjson", "csv", "parquet", "xlsx"] = "ndjson"
    since: str | None = None
    term: str | None = None


ASK_DECODER = msgspec.json.Decoder(AskBody)
EXPORT_DECODER = msgspec.json.Decoder(ExportBody)


def header(request: Request, name: bytes) -> list[str]:
    """Every value of a header, its name in lower case. (The framework's own reads them one by one, slower.)"""
    return [value.decode("latin-1") for each, value in request.scope["headers"] if each == name]


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body, never more than `limit` bytes of it."""
    if any(each.isdecimal() and int(each) > limit for each in header(request, b"content-length")):
        raise _too_large(limit)
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise Malformed("上传中断，未写入任何内容。", "The upload broke off; nothing was written.")
        chunk = message.get("body", b"")
        size, more = size + len(chunk), message.get("more_body", False)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large(limit: int) -> TooLarge:
    size = f"{limit // 2**20} MB" if limit >= 2**20 else f"{limit // 1024} kB"
    zh, en = f"内容超过 {size}，请拆分后再试。", f"The body exceeds {size}; split it."
    return TooLarge(zh, en, (Flaw("too_large", zh, en),))


def decode(decoder: "msgspec.json.Decoder[Body]", body: bytes) -> Body:
    """A JSON body; Malformed names the place, never the value."""
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        pointer = _pointer(str(error))
        zh, en = "请求内容缺少字段或类型不符。", "A field is missing or of the wrong type."
        if "unknown field" in str(error):  # its name is the caller's own text, and not repeated
            zh, en = "请求内容含有此处没有的字段。", "The body has a field that there is none of here."
        raise Malformed.of("bad_field", zh, en, pointer) from None


def _pointer(message: str) -> str:
    """`… - at `$.subject.resident_id`` as a JSON pointer."""
    _, found, rest = message.partition("at `$")
    path = rest.partition("`")[0].lstrip(".").replace(".", "/") if found else ""
    missing = _MISSING.search(message)
    parts = [part for part in (path, missing[1] if missing else "") if part]
    return "/" + "/".join(parts) if parts else ""


_MISSING = re.compile(r"missing required field `(\w+)`")


def region_code(text: str) -> str:
    """A region code as asked for: its shape is looked at here (Malformed), its reach is decided by policy."""
    if not is_region(text):
        zh, en = "行政区划代码应为 2、4、6、9 或 12 位数字。", "A region code has 2, 4, 6, 9 or 12 digits."
        raise Malformed.of("bad_code", zh, en, "/region")
    return text


class _Json(Response):
    """Headers without what the framework's own would look for in them: it is the hot path's."""

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        self.raw_headers = [(b"content-length", str(len(self.body)).encode()), *_JSON_HEADERS]
        if headers:
            own = {name.lower().encode(): value.encode() for name, value in headers.items()}
            self.raw_headers = [*(each for each in self.raw_headers if each[0] not in own), *own.items()]


_JSON_HEADERS = ((b"content-type", b"application/json"), (b"cache-control", b"no-store"))


def json_response(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON bytes as an answer that nobody caches."""
    return _Json(body, status, headers)


def dump(value: object) -> bytes:
    """A value as JSON bytes."""
    return orjson.dumps(value)


async def in_thread(slots: asyncio.Semaphore, work: Any, *args: Any) -> Any:
    """Heavy work off the event loop, a few at a time."""
    async with slots:
        return await asyncio.to_thread(_COLLECTOR.paused, work, *args)


class _Collector:
    """The cycle collector pauses while heavy work runs: it would walk millions of fresh objects for nothing."""

    def __init__(self) -> None:
        self._lock, self._busy = threading.Lock(), 0

    def paused(self, work: Any, *args: Any) -> Any:
        """Run the work; the collector goes on when the last such work is done."""
        with self._lock:
            self._busy += 1
            gc.disable()
        try:
            return work(*args)
        finally:
            with self._lock:
                self._busy -= 1
                if not self._busy:
                    gc.enable()


_COLLECTOR = _Collector()


# Shapes for the OpenAPI document only: answers are written as bytes, for speed, and a test holds them to these.


class ProblemModel(BaseModel):
    """RFC 9457 problem. 错误说明。"""

    type: str
    title: str
    status: int
    detail: str
    correlation_id: str
    errors: list[dict[str, Any]] = Field(default_factory=list)


class AskAnswer(BaseModel):
    """One answer. `answer` holds the fields of the exchange that the caller is granted."""

    reference: str
    as_of: str
    answer: dict[str, Any]
    missing_sources: list[str]


class Page(BaseModel):
    """One page of a list."""

    items: list[dict[str, Any]]
    next_cursor: str | None
    as_of: str
    missing_sources: list[str]
    reference: str


class GeneralisedModel(BaseModel):
    """What became coarser so that no group of alike children is smaller than k. 为不识别个人而概化的字段。

    `to` null: no longer told. `where`: townships, or counties where townships are not told.
    """

    field: str
    to: str | None
    where: list[str]


class Disclosure(BaseModel):
    """How coarse a list was made. `k_reached` is false only where fewer than k children are on the list at all."""

    k: int | None
    k_reached: bool
    generalised: list[GeneralisedModel]


class ListPage(Page, Disclosure):
    """One page of a list exchange; every page of a list says the same of its coarseness."""


class Receipt(BaseModel):
    """What became of an uploaded file: rows = accepted + unchanged + rejected."""

    upload_id: str
    rows: int
    accepted: int
    unchanged: int
    rejected: int
    skipped: int
    errors: list[dict[str, Any]]
    warnings: list[dict[str, Any]]
    warnings_total: int
    errors_file: str | None
    reference: str


class LogReceipt(BaseModel):
    """Proof that an answer stands in the log; `entry` is the text that was hashed, hashes are base64."""

    reference: str
    leaf_index: int
    tree_size: int
    leaf: str
    proof: list[str]
    checkpoint: str
    vkey: str
    entry: str | None


class Manifest(Disclosure):
    """A finished export."""

    transaction_time: str
    reference: str
    as_of: str
    missing_sources: list[str]
    files: list[dict[str, Any]]
    deleted: list[str]
    expires: str


class LeadModel(BaseModel):
    """A lead."""

    id: str
    rule: str
    case: str
    region: str
    status: Literal["open", "acknowledged", "closed"]
    opened_at: str
    due_on: str
    facts: list[dict[str, Any]]
    pseudonym: str | None = None


class DutyModel(BaseModel):
    """A duty, as far as the caller is granted its fields; `case`, `facts` and the rest of the place are by policy."""

    reference: str
    id: str
    duty: str
    owner: str
    region: str
    due_on: str
    status: Literal["open", "overdue", "waiting", "done", "cancelled", "lapsed"]
    escalated_to: str | None
    title_zh: str
    title_en: str
    opened_at: str
    done_on: str | None
    reminded_on: str | None
    waiting_for: str | None
    assignee: str | None
    employer: str | None


class HandedOver(BaseModel):
    """How many duties another officer has now."""

    reference: str
    count: int


class ExplainedLead(LeadModel):
    """A lead with the rule that opened it: `title_zh`, `when_zh` and the same in English, `version`, `thresholds`."""

    reference: str
    explanation: dict[str, Any]


class ResolutionModel(BaseModel):
    """A resolution of identity; the person's fields only in the one answer that shows them."""

    reference: str | None = None
    id: str
    state: str
    emergency: bool | None = None
    case: str
    requested_by: str | None = None
    requested_at: str | None = None
    expires_at: str | None = None
    review_due_at: str | None = None
    pseudonym: str | None = None
    reason: str | None = None
    note: str | None = None
    name: str | None = None
    resident_id: str | None = None
    student_numbers: list[str] | None = None
    contact: str | None = None


class ResolutionPage(BaseModel):
    """One page of resolutions."""

    items: list[dict[str, Any]]
    next_cursor: str | None
    as_of: str
    missing_sources: list[str]
    reference: str


class DisclosuresAnswer(BaseModel):
    """Every use of one child's data, newest first; `totals` by agency."""

    reference: str
    as_of: str
    total: int
    totals: list[dict[str, Any]]
    items: list[dict[str, Any]]
    next_cursor: str | None
    missing_sources: list[str]
    notes: list[dict[str, str]]


class DeletionModel(BaseModel):
    """A deletion notice: the recipient's own pseudonyms of a child that it must forget."""

    id: str
    exchanges: list[str]
    pseudonyms: list[str]
    deleted_on: str
    due_on: str
    received_at: str | None


class NoticeModel(BaseModel):
    """A legal instrument. Names are in its document alone; the term (`due_on`) begins with its service."""

    reference: str
    id: str
    kind: str
    title: str
    number: str
    case: str
    office: str
    state: str
    issued_on: str
    due_on: str | None
    service: dict[str, Any] | None


MODELS: tuple[type[BaseModel], ...] = (
    *(AskAnswer, Page, GeneralisedModel, ListPage, Receipt, LogReceipt, Manifest, LeadModel),
    *(DutyModel, HandedOver, ExplainedLead, NoticeModel),
    *(ResolutionModel, ResolutionPage, DisclosuresAnswer, DeletionModel),
    *(ReferralModel, ReferralPage, HandoverModel),
)


def schema_ref(model: type[BaseModel], description: str) -> dict[str, Any]:
    """A 200 answer of that shape for the OpenAPI document."""
    reference = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"description": description, "content": {"application/json": {"schema": reference}}}
