"""Ask for the placement advice about one child: the list's own permission, rows and words, for one child.

By the caller's own pseudonym or by resident id. A child nobody knows, one nobody assessed and one out of the caller's
reach are answered alike: unknown.
"""

import hashlib
from asyncio import to_thread
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time

from gateway.domain.audit import AuditEntry
from gateway.domain.decision import Grant
from gateway.domain.deidentify import KEY, Mask
from gateway.domain.errors import InvalidResidentId, Malformed
from gateway.domain.limits import Sighting, sighting_of_id, sighting_of_subject
from gateway.domain.model import SubjectId
from gateway.domain.placement import Assessed
from gateway.domain.ports import Clock, KeyRing, Possession, Transaction
from gateway.domain.principal import Principal
from gateway.domain.resolution import may_be_own
from gateway.services import outgoing
from gateway.services.ask import RESIDENT_ID, person_from
from gateway.services.child_lists.placement import ADVICE, Placement
from gateway.services.evidence import Evidence, Request
from gateway.services.guard import Guard, quota_exceeded
from schemas.catalogue import EXCHANGES, Action

_NOBODY = SubjectId(bytes(16))
DETAIL = "asked"


@dataclass(frozen=True, slots=True)
class AdviceQuestion:
    """Whose advice is asked for: one of the two ways to name a child."""

    principal: Principal
    purpose: str
    resident_id: str | None = field(default=None, repr=False)
    pseudonym: str | None = field(default=None, repr=False)
    proof: Possession | None = None


@dataclass(frozen=True, slots=True)
class _Finding:
    """The child, if it is one the caller may hear of, and how it counts for the guard."""

    child: Assessed | None
    sighting: Sighting


class AskAdvice:
    """The use case. Returns the answer's bytes, ready to send and already in the evidence."""

    def __init__(
        self, evidence: Evidence, placement: Placement, keys: KeyRing, clock: Clock, guard: Guard
    ) -> None:
        self._evidence, self._placement, self._keys = evidence, placement, keys
        self._clock, self._guard = clock, guard

    async def __call__(self, question: AdviceQuestion) -> bytes:
        """Decide, find the child, answer. Raises the domain's errors; each is in the evidence too."""
        who = question.principal
        request = Request(who, Action.LIST, ADVICE, question.purpose, who.region, question.proof)
        grant = await self._evidence.decide(request)
        try:
            resident_id = self._named(question)
        except (InvalidResidentId, Malformed) as error:
            await self._evidence.failed(request, grant, error.name)
            raise
        found = await to_thread(self._find, question, grant, resident_id)
        body, entry = await to_thread(self._body, request, grant, found.child)

        def work(transaction: Transaction) -> tuple[bytes | None, AuditEntry]:
            refusal = self._guard.refusal(transaction, request, grant, found.sighting)
            return (body, entry) if refusal is None else (None, refusal)

        answer = await self._evidence.journal.perform(work, question.proof)
        if answer is None:
            raise quota_exceeded()
        return answer

    def _named(self, question: AdviceQuestion) -> str | None:
        """The id number read, where the child is named by it; Malformed unless it is named in one way."""
        if (question.resident_id is None) == (question.pseudonym is None):
            zh, en = (
                "请填写证件号或本部门代号之一。",
                "Name the child by resident id or by your own pseudonym.",
            )
            raise Malformed.of("bad_field", zh, en, "/subject")
        if question.resident_id is None:
            return None
        return person_from(question.resident_id, self._clock.today()).value

    def _find(self, question: AdviceQuestion, grant: Grant, resident_id: str | None) -> _Finding:
        if resident_id is not None:
            return _Finding(self._by_id(grant, resident_id), sighting_of_id(resident_id))
        child = self._by_pseudonym(grant, question.principal, str(question.pseudonym))
        return _Finding(child, sighting_of_subject(child.subject if child else _NOBODY))

    def _by_id(self, grant: Grant, resident_id: str) -> Assessed | None:
        for version in self._keys.index_versions:
            lookup = self._keys.lookup(RESIDENT_ID, resident_id, version)
            subject = self._placement.assessments.subject_of(lookup)
            if subject is not None:
                return self._placement.assessments.one(grant.rows, subject)
        return None

    def _by_pseudonym(self, grant: Grant, who: Principal, pseudonym: str) -> Assessed | None:
        """A pseudonym is not inverted: those of the assessed children in reach are made and compared."""
        if not may_be_own(pseudonym, self._keys.pseudonym(who.agency, _NOBODY)):
            return None
        children = list(self._placement.assessments.find(grant.rows, who.region))
        subjects = [child.subject for child in children]
        for version in self._keys.pseudonym_versions(who.agency):
            names = self._keys.pseudonyms(who.agency, subjects, version)
            for child, name in zip(children, names, strict=True):
                if name == pseudonym:
                    return child
        return None

    def _body(self, request: Request, grant: Grant, child: Assessed | None) -> tuple[bytes, AuditEntry]:
        reference, mask = self._evidence.reference(), Mask(EXCHANGES[ADVICE], grant)
        region = child.county if child else request.region
        as_of, missing = self._placement.said(region)
        body = outgoing.answer(
            mask.apply(self._record(request.principal.agency, child)),
            reference=reference,
            as_of=_start_of(as_of or self._clock.today()),
            missing_sources=missing,
        )
        entry = self._evidence.entry(
            request,
            grant,
            reference=reference,
            count=1,
            digest=hashlib.sha256(body).hexdigest(),
            subject=child.subject if child else None,
            detail=DETAIL,
            fields=mask.words,
        )
        return body, entry

    def _record(self, agency: str, child: Assessed | None) -> Mapping[str, object]:
        if child is None:
            return self._placement.nobody()
        register = self._placement.assessments.handed_in(child.county)[1]
        name = self._keys.pseudonym(agency, child.subject)
        return {**self._placement.record(child, register), KEY: name}


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
