"""Who looked: every use of one child's data, for the guardian at the counter; newest first, a page at a time.

The look itself is in the evidence before the answer leaves, under the child, so that the next list shows it. A child
nobody knows, and one of another county, get the same answer after about the same time, and entries that look alike: the
one about nobody commits to a random id.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.domain.audit import AuditEntry
from gateway.domain.decision import Grant, Registry
from gateway.domain.deidentify import Mask
from gateway.domain.disclosure import (
    EXCHANGE,
    ChildEvidence,
    EvidenceIndex,
    Use,
    record_of,
    totals_of,
    uses_of,
)
from gateway.domain.errors import InvalidResidentId, Malformed
from gateway.domain.limits import Sighting, sighting_of_id
from gateway.domain.model import SubjectId
from gateway.domain.ports import Clock, KeyRing, Transaction
from gateway.domain.predicate import Predicate
from gateway.domain.principal import Principal
from gateway.services import outgoing
from gateway.services.ask import RESIDENT_ID, person_from
from gateway.services.evidence import Evidence, Request, new_reference
from gateway.services.guard import Guard, quota_exceeded
from schemas.catalogue import EXCHANGES, Action

_HEAD = frozenset({"total", "totals"})
_ITEM = frozenset(field.name for field in EXCHANGES[EXCHANGE].fields) - _HEAD
_SECONDS = 0.1
"""No answer leaves sooner, whether the child is known or not."""

NOTES = (
    (
        "本清单列出本网关中涉及该儿童信息的全部使用记录（含紧急查看、复核和以往的本项查询），本次查询将列入下一次清单。",
        "This lists every use of this child's data on this gateway, emergencies, reviews and earlier lists included;"
        " this very look will be on the next list.",
    ),
    (
        "无权查询而被拒绝的请求在查找任何人之前即被拒绝，未涉及该儿童，因此不在清单中；此类拒绝另行留存备查。",
        "Requests of those who had no right were refused before anybody was looked up: they concern no child and are"
        " not listed here; the refusals are kept as evidence.",
    ),
    (
        "年满十六周岁者的用工核查仅凭证件号本身作答，不查找任何记录，因此不在清单中。",
        "Checks of applicants of sixteen or more are answered from the id number alone; no record is looked up and"
        " none is listed.",
    ),
)

Page = Mapping[str, object]
Render = Callable[[Page], bytes]


@dataclass(frozen=True, slots=True)
class Look:
    """What a clerk asks for; `cursor` is the reference of the last use seen."""

    principal: Principal
    purpose: str
    resident_id: str = field(repr=False)
    cursor: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class _Found:
    """The uses of the page and of all; `subject` is a random id where nobody is known."""

    subject: SubjectId = field(repr=False)
    page: tuple[Use, ...] = ()
    every: tuple[Use, ...] = ()
    more: bool = False


class Disclosures:
    """The use case. `render` writes the page down: as JSON, or as what the guardian takes home."""

    def __init__(
        self,
        evidence: Evidence,
        index: EvidenceIndex,
        children: ChildEvidence,
        keys: KeyRing,
        clock: Clock,
        registry: Callable[[], Registry],
        guard: Guard,
    ) -> None:
        self._evidence, self._index, self._children = evidence, index, children
        self._keys, self._clock, self._registry, self._guard = keys, clock, registry, guard

    async def __call__(self, look: Look, render: Render) -> bytes:
        """Decide, read the id, gather, record, answer."""
        started = asyncio.get_running_loop().time()
        request = Request(look.principal, Action.LIST, EXCHANGE, look.purpose, look.principal.region)
        grant = await self._evidence.decide(request)
        try:
            person = person_from(look.resident_id, self._clock.today())
            before = self._place_of(look.cursor)
        except (InvalidResidentId, Malformed) as error:
            await self._evidence.failed(request, grant, error.name)
            raise
        versions = self._keys.index_versions
        lookups = [self._keys.lookup(RESIDENT_ID, person.value, version) for version in versions]
        found = await asyncio.to_thread(self._gather, lookups, grant.rows, before, look.limit)
        body, entry = self._body(request, grant, found, render)
        told = await self._told(request, grant, sighting_of_id(person.value), body, entry)
        await asyncio.sleep(started + _SECONDS - asyncio.get_running_loop().time())
        if told is None:
            raise quota_exceeded()
        return told

    async def _told(
        self, request: Request, grant: Grant, sighting: Sighting, body: bytes, entry: AuditEntry
    ) -> bytes | None:
        """The body, its evidence committed; None when that id is one too many today, whoever has it."""

        def work(transaction: Transaction) -> tuple[bytes | None, AuditEntry]:
            refusal = self._guard.refusal(transaction, request, grant, sighting)
            return (body, entry) if refusal is None else (None, refusal)

        return await self._evidence.journal.perform(work)

    def catch_up(self) -> int:
        """Keep the index of the evidence near its end; for a worker thread, from time to time."""
        return self._index.catch_up()

    def _place_of(self, cursor: str | None) -> int | None:
        """Where a page begins. Whose entry the cursor is makes no difference: it tells nothing of this child."""
        if cursor is None:
            return None
        seq = self._children.seq_of(cursor)
        if seq is None:
            zh, en = "翻页位置无效。", "Not a place in the list."
            raise Malformed.of("bad_field", zh, en, "/cursor")
        return seq

    def _gather(self, lookups: Sequence[bytes], rows: Predicate, before: int | None, limit: int) -> _Found:
        nobody = SubjectId(secrets.token_bytes(16))
        subject = next(filter(None, map(self._children.subject_of, lookups)), None)
        seqs = self._index.seqs_of(subject or nobody)
        every = uses_of(self._children.bodies(seqs))
        if subject is None or not self._in_reach(subject, rows, every):
            return _Found(subject or nobody)  # a child of another county will be told that somebody tried
        placed = [use for seq, use in zip(seqs, every, strict=True) if before is None or seq < before]
        return _Found(subject, tuple(placed[:limit]), tuple(every), len(placed) > limit)

    def _in_reach(self, subject: SubjectId, rows: Predicate, every: list[Use]) -> bool:
        """Whether a row about the child, or a use of its data, is of the clerk's own region."""
        places = self._children.places(subject) | {
            use.asked_region for use in every if use.establishes_a_place
        }
        return any(rows.evaluate({"region": place, "sealed": False}) for place in places)

    def _body(
        self, request: Request, grant: Grant, found: _Found, render: Render
    ) -> tuple[bytes, AuditEntry]:
        now, registry = self._clock.now(), self._registry()
        reference, exchange = new_reference(now), EXCHANGES[EXCHANGE]
        mask, head = Mask(exchange, grant, _ITEM), Mask(exchange, grant, _HEAD)
        page = outgoing.uses(
            [mask.apply(record_of(use, registry)) for use in found.page],
            head.apply({"total": len(found.every), "totals": totals_of(found.every, registry)}),
            reference=reference,
            as_of=now,
            next_cursor=found.page[-1].reference if found.more else None,
            notes=NOTES,
        )
        body = render(page)
        entry = self._evidence.entry(
            request,
            grant,
            reference=reference,
            count=len(found.page),
            digest=hashlib.sha256(body).hexdigest(),
            subject=found.subject,
        )
        return body, entry
