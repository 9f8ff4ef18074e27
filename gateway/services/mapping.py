"""Old → new pseudonyms for an agency whose key turned: once, for children it was told of, evidence first.

Whoever may list children by pseudonym may fetch it, and nobody else; for the children of its own region that it was
ever told of by pseudonym, and no other. After the overlap there is no way from the old ones to the new ones.
"""

import asyncio
import hashlib

import orjson

from gateway.domain.audit import AuditEntry
from gateway.domain.decision import Grant, Treatment
from gateway.domain.errors import Conflict, NotPermitted
from gateway.domain.jobs import ToldChildren
from gateway.domain.ports import Clock, KeyRing, Transaction
from gateway.domain.principal import Principal
from gateway.services.evidence import Evidence, Request, new_reference
from schemas.catalogue import EXCHANGES, Action

_LISTS = tuple(
    (exchange.action, exchange.id, purpose)
    for exchange in EXCHANGES.values()
    if exchange.action in (Action.LIST, Action.SUBSCRIBE)
    and any(field.classification == "identifier" for field in exchange.fields)
    for purpose in exchange.purposes
)
"""Every list and stream with an identifier, and what it may be used for."""


class Mapping:
    """The use case. Returns the answer's bytes, already in the evidence."""

    def __init__(self, evidence: Evidence, told: ToldChildren, keys: KeyRing, clock: Clock) -> None:
        self._evidence, self._told = evidence, told
        self._keys, self._clock = keys, clock

    async def fetch(self, principal: Principal, version: int) -> bytes:
        """The mapping from that version to the one in use.

        NotPermitted for a caller without such a list, and for a version that ended or never was; Conflict the second
        time.
        """
        request, grant = await self._decided(principal)
        newest, *older = self._keys.pseudonym_versions(principal.agency)
        if version not in older or version > newest:
            await self._evidence.failed(request, grant, "mapping:unknown-version")
            raise NotPermitted
        who = (principal.agency, principal.region, version, newest)
        if await asyncio.to_thread(self._told.fetched, who):  # or anybody could have the log walked at will
            again = f"mapping:{version}:{newest}:again"
            await self._evidence.journal.record(
                self._evidence.entry(request, grant, "refuse", detail=again, fields={})
            )
            raise _fetched()
        body, entry = await asyncio.to_thread(self._made, request, grant, version, newest)

        def work(transaction: Transaction) -> tuple[bool, AuditEntry]:
            if transaction.claim_mapping(who, entry.reference, entry.at):
                return True, entry
            detail = f"mapping:{version}:{newest}:again"
            return False, self._evidence.entry(request, grant, "refuse", detail=detail, fields={})

        if not await self._evidence.journal.perform(work):
            raise _fetched()
        return body

    async def _decided(self, principal: Principal) -> tuple[Request, Grant]:
        """As for a list of the caller's own region that tells pseudonyms."""
        requests = [
            Request(principal, action, exchange, purpose, principal.region)
            for action, exchange, purpose in _LISTS
        ]
        request, grant = await self._evidence.decide_any(requests)
        if Treatment.PSEUDONYM not in grant.fields.values():
            await self._evidence.failed(request, grant, NotPermitted.name)
            raise NotPermitted
        return request, grant

    def _made(self, request: Request, grant: Grant, version: int, newest: int) -> tuple[bytes, AuditEntry]:
        """The answer, ordered by the old pseudonym, and its evidence. For a worker thread."""
        agency = request.principal.agency
        subjects = self._told.told(agency, request.region)
        old = self._keys.pseudonyms(agency, subjects, version)
        new = self._keys.pseudonyms(agency, subjects, newest)
        order = sorted(range(len(subjects)), key=old.__getitem__)
        reference = new_reference(self._clock.now())
        body = orjson.dumps(
            {
                "from": version,
                "to": newest,
                "items": [{"old": old[index], "new": new[index]} for index in order],
                "reference": reference,
            }
        )
        names = (name for name, treatment in grant.fields.items() if treatment is Treatment.PSEUDONYM)
        entry = self._evidence.entry(
            request,
            grant,
            reference=reference,
            count=len(subjects),
            digest=hashlib.sha256(body).hexdigest(),
            members=subjects,
            detail=f"mapping:{version}:{newest}",
            fields=dict.fromkeys(names, "pseudonym"),
        )
        return body, entry


def _fetched() -> Conflict:
    zh, en = (
        "该对照表已取过，如确有需要请联系管理员。",
        "This mapping was fetched before; the operator can allow it again.",
    )
    return Conflict(zh, en)
