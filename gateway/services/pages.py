"""A page of what a caller may see: where it ends, its bytes, and the evidence that is committed before it is told."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from gateway.domain.audit import AuditEntry
from gateway.domain.decision import Grant
from gateway.domain.deidentify import Released
from gateway.domain.model import SubjectId
from gateway.services import outgoing
from gateway.services.evidence import Evidence, Request

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page:
    """What a page shows, where the next one begins, and what its entry says besides.

    `disclosure` is `Table.disclosure`; `members`, `cut_from`, `detail` and `fields` are as in `Evidence.entry`.
    """

    items: Sequence[Released]
    next_cursor: str | None
    as_of: datetime
    missing_sources: Sequence[str] = ()
    disclosure: Mapping[str, object] | None = None
    members: Iterable[SubjectId] = ()
    cut_from: tuple[Sequence[SubjectId], int] | None = None
    detail: str = ""
    fields: Mapping[str, str] | None = None


def cut(found: Sequence[Row], limit: int) -> tuple[Sequence[Row], Row | None]:
    """Of rows found, one more than `limit` asked for: those of the page, and the last one if others follow it."""
    page = found[:limit]
    return page, page[-1] if len(found) > limit else None


def written(evidence: Evidence, request: Request, grant: Grant, page: Page) -> tuple[bytes, AuditEntry]:
    """A page's bytes, and the entry that must be committed before they leave."""
    reference = evidence.reference()
    body = outgoing.page(
        page.items,
        next_cursor=page.next_cursor,
        as_of=page.as_of,
        missing_sources=page.missing_sources,
        reference=reference,
        disclosure=page.disclosure,
    )
    entry = evidence.entry(
        request,
        grant,
        reference=reference,
        count=len(page.items),
        digest=hashlib.sha256(body).hexdigest(),
        members=page.members,
        cut_from=page.cut_from,
        detail=page.detail,
        fields=page.fields,
    )
    return body, entry


async def told(evidence: Evidence, request: Request, grant: Grant, page: Page) -> bytes:
    """A page's bytes, its entry committed."""
    body, entry = written(evidence, request, grant, page)
    await evidence.journal.record(entry)
    return body
