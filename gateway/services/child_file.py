"""Reading one child's file: for who works on a case of the child, counted against going through children one by one."""

import hashlib

from gateway.domain.audit import AuditEntry
from gateway.domain.child_file import EXCHANGE, missing, record_of, shown_of, unknown
from gateway.domain.decision import Grant
from gateway.domain.deidentify import KEY, Mask, coarser
from gateway.domain.errors import HuxueError, NotPermitted
from gateway.domain.limits import sighting_of_subject
from gateway.domain.ports import Clock, KeyRing, Transaction
from gateway.domain.principal import Principal
from gateway.domain.rulebook import Rulebook
from gateway.domain.rules import seen_by
from gateway.services import outgoing
from gateway.services.evidence import Evidence, Request, new_reference
from gateway.services.guard import Guard, quota_exceeded
from schemas.catalogue import EXCHANGES, Action


class ChildFile:
    """The use case."""

    def __init__(
        self, evidence: Evidence, keys: KeyRing, clock: Clock, guard: Guard, rulebook: Rulebook
    ) -> None:
        self._evidence, self._keys, self._clock, self._guard = evidence, keys, clock, guard
        self._book = rulebook

    async def __call__(self, principal: Principal, purpose: str, ref: str) -> bytes:
        """The file. NotPermitted for a foreign case as for one that is not there; EnumerationQuotaExceeded."""
        request = Request(principal, Action.SUBSCRIBE, EXCHANGE, purpose, principal.region)
        grant = await self._evidence.decide(request)

        def work(transaction: Transaction) -> tuple[bytes | HuxueError, AuditEntry]:
            return self._read(transaction, request, grant, ref)

        result = await self._evidence.journal.perform(work)
        if isinstance(result, HuxueError):
            raise result
        return result

    def _read(
        self, transaction: Transaction, request: Request, grant: Grant, ref: str
    ) -> tuple[bytes | HuxueError, AuditEntry]:
        case = transaction.cases.visible(ref, grant.rows)
        if case is None:
            refused = self._evidence.entry(request, grant, "fail", detail=NotPermitted.name, fields={})
            return NotPermitted(), refused
        sighting = sighting_of_subject(case.subject)
        quota = self._guard.refusal(transaction, request, grant, sighting, case.subject)
        if quota is not None:
            return quota_exceeded(), quota
        kept = transaction.child_files.of(case.subject, case.region, self._clock.today(), grant.rows)
        kept = shown_of(kept, seen_by(self._book.rules.values(), request.principal.role))
        mask, now = Mask(EXCHANGES[EXCHANGE], grant), self._clock.now()
        who, reference = request.principal, new_reference(now)
        name = self._keys.pseudonym(who.agency, case.subject) if KEY in mask.names else None
        record = record_of(ref, name, kept)
        body = outgoing.answer(
            coarser(mask.apply(record), unknown(kept, record)),
            reference=reference,
            as_of=now,
            missing_sources=missing(kept, mask.names),
        )
        return body, self._evidence.entry(
            request,
            grant,
            reference=reference,
            count=1,
            digest=hashlib.sha256(body).hexdigest(),
            subject=case.subject,
            detail=f"file {ref}",
            fields=mask.words,
        )
