"""Why a lead was opened: its facts, and the rule in words, with the version that fired and the figures it goes by."""

import hashlib
from collections.abc import Mapping

from gateway.domain.deidentify import Mask
from gateway.domain.errors import NotPermitted
from gateway.domain.ports import Clock, KeyRing, Leads
from gateway.domain.predicate import COUNTY_DIGITS
from gateway.domain.principal import Principal
from gateway.domain.rulebook import Rulebook
from gateway.domain.rules import rows_seen
from gateway.services import outgoing
from gateway.services.alerts import EXCHANGE, record_of
from gateway.services.evidence import Evidence, Request, new_reference
from schemas.catalogue import EXCHANGES, Action


class Explain:
    """The use case."""

    def __init__(
        self, evidence: Evidence, leads: Leads, keys: KeyRing, clock: Clock, rulebook: Rulebook
    ) -> None:
        self._evidence, self._leads, self._keys = evidence, leads, keys
        self._clock, self._book = clock, rulebook

    async def __call__(self, principal: Principal, purpose: str, lead_id: str) -> bytes:
        """NotPermitted where the caller may not see the lead, or is not told which rule opened it."""
        request = Request(principal, Action.SUBSCRIBE, EXCHANGE, purpose, principal.region)
        grant = await self._evidence.decide(request)
        rows = rows_seen(grant.rows, self._book.rules.values(), principal.role)
        mask, lead = Mask(EXCHANGES[EXCHANGE], grant), await self._leads.get(lead_id, rows)
        if lead is None or "rule" not in mask.told:
            await self._evidence.failed(request, grant, NotPermitted.name)
            raise NotPermitted
        (name,) = self._keys.pseudonyms(principal.agency, [lead.subject])
        reference = new_reference(self._clock.now())
        title, because, thresholds = self._words(lead.region[:COUNTY_DIGITS], lead.rule)
        body = outgoing.explained(
            mask.apply(record_of(lead, name)),
            reference=reference,
            title=title,
            because=because,
            version=lead.rule_version,
            thresholds=thresholds,
        )
        entry = self._evidence.entry(
            request,
            grant,
            reference=reference,
            count=1,
            digest=hashlib.sha256(body).hexdigest(),
            subject=lead.subject,
            detail="explained",
        )
        await self._evidence.journal.record(entry)
        return body

    def _words(self, region: str, rule_id: str) -> tuple[tuple[str, str], tuple[str, str], Mapping[str, int]]:
        """Of a rule the file names: the leads of no other are shown."""
        book = self._book.of(region)
        rule = book.rules[rule_id]
        title = (rule.title_zh, rule.title_en)
        if rule.when is None:
            return title, title, {}
        days = rule.when.days(book.limits)
        name = rule.when.of if isinstance(rule.when.of, str) else rule.when.word
        return title, rule.when.words(book.limits), {name: days} if days is not None else {}
