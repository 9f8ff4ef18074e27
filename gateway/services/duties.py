"""Who owes what by when: the list, and what is overdue by agency and region. In the evidence before it leaves."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from gateway.domain.audit import AuditEntry
from gateway.domain.decision import Grant
from gateway.domain.deidentify import KEY, Mask, Released
from gateway.domain.duties import Duty
from gateway.domain.errors import Malformed, NotPermitted
from gateway.domain.moments import to_second
from gateway.domain.owing import (
    DutyQuery,
    Office,
    Overdue,
    Owing,
    level_below,
)
from gateway.domain.ports import Clock, KeyRing, Transaction
from gateway.domain.predicate import COUNTY_DIGITS, TOWNSHIP_DIGITS
from gateway.domain.principal import Principal
from gateway.domain.rulebook import Rulebook
from gateway.services import pages
from gateway.services.cursor import Cursors, malformed_cursor
from gateway.services.evidence import Evidence, Request
from schemas.catalogue import EXCHANGES, Action

EXCHANGE = "duties"
PURPOSE = "dropout_control"
_COUNTED = frozenset({"owner", "region", "duty", "title_zh", "title_en", "count", "since"})
LISTED = frozenset(field.name for field in EXCHANGES[EXCHANGE].fields) - {"count", "since"}
_EDUCATION = frozenset({"education", "school", "township"})
_POSITION = frozenset({"id", "due_on"})
_CURSOR = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})\.(duty-[a-z2-7]{26})")


@dataclass(frozen=True, slots=True)
class DutyFilter:
    """What a caller asked for; without a region, everything in the caller's reach."""

    region: str | None = None
    owner: str | None = None
    duty: str | None = None
    status: str | None = None
    overdue: bool | None = None
    cursor: str | None = None
    limit: int = 100


def office_of(principal: Principal) -> Office:
    """Where the caller works."""
    return Office(principal.region, principal.agency, principal.school)


def own(principal: Principal, duty: Duty) -> bool:
    """Whether its facts are the caller's own business: it owes it, or its schools and townships do."""
    if principal.agency in _EDUCATION:
        return duty.owner in _EDUCATION
    return duty.owner == principal.agency


def record_of(
    duty: Duty, titles: tuple[str, str], mine: bool, pseudonym: str | None, today: date
) -> Mapping[str, object]:
    """A duty as the contract shows it, before the mask. Of another agency's, what and when, but no facts."""
    status = "overdue" if duty.overdue(today) else duty.status.value
    return {
        "id": duty.id,
        "duty": duty.kind,
        "title_zh": titles[0],
        "title_en": titles[1],
        "owner": duty.owner,
        "region": duty.region,
        "township": duty.residence[:TOWNSHIP_DIGITS] if len(duty.residence) >= TOWNSHIP_DIGITS else None,
        "school": duty.school,
        "case": duty.case,
        "pseudonym": pseudonym,
        "due_on": duty.due_on.isoformat(),
        "status": status,
        "escalated_to": duty.escalated_to,
        "escalated_on": _text(duty.escalated_on),
        "reminded_on": _text(duty.reminded_on),
        "opened_at": to_second(duty.opened_at),
        "done_on": _text(duty.done_on),
        "waiting_for": duty.waiting_for,
        "assignee": duty.assignee if mine else None,
        "employer": duty.facts.get("employer_uscc") if mine else None,
        "facts": dict(duty.facts) if mine else {},
    }


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _check(mask: Mask, asked: DutyFilter) -> None:
    """A filter answers a question about its field, row by row: NotPermitted unless the caller is told the field."""
    late = asked.status is not None or asked.overdue is not None
    place = asked.region is not None and len(asked.region) > COUNTY_DIGITS
    asks = {"owner": asked.owner, "duty": asked.duty, "status": late or None, "township": place or None}
    if any(value is not None and name not in mask.told for name, value in asks.items()):
        raise NotPermitted


class Duties:
    """The reading side."""

    def __init__(
        self,
        evidence: Evidence,
        owing: Owing,
        keys: KeyRing,
        clock: Clock,
        cursors: Cursors,
        rulebook: Rulebook,
    ) -> None:
        self._evidence, self._owing, self._keys = evidence, owing, keys
        self._clock, self._cursors, self._book = clock, cursors, rulebook
        self._met: dict[tuple[Office, str], str] = {}

    async def find(self, principal: Principal, purpose: str, asked: DutyFilter) -> bytes:
        """One page, the earliest last day first."""
        request = Request(principal, Action.SUBSCRIBE, EXCHANGE, purpose, asked.region or principal.region)
        grant = await self._evidence.decide(request)
        mask = Mask(EXCHANGES[EXCHANGE], grant, LISTED)
        after = await self._after(request, grant, mask, asked)
        found = await self._owing.find(
            DutyQuery(
                rows=grant.rows,
                today=self._clock.today(),
                region=asked.region,
                owner=asked.owner,
                kind=asked.duty,
                status=asked.status,
                overdue=asked.overdue,
                after=after,
                limit=asked.limit + 1,
            )
        )
        duties, last = pages.cut(found, asked.limit)
        position = f"{last.due_on.isoformat()}.{last.id}" if last else None
        subjects = [duty.subject for duty in duties if duty.subject is not None]
        page = pages.Page(
            self.shown(principal, mask, duties),
            self._cursors.told(position, request, mask.told >= _POSITION),
            self._clock.now(),
            members=subjects,
            cut_from=(subjects, 0),
            fields=mask.words,
        )
        return await self._told(request, grant, page)

    async def overdue(self, principal: Principal, purpose: str, region: str | None) -> bytes:
        """How many are overdue, by owner, region (one level below the one asked for) and duty.

        Counts of rows the caller could list one by one: what agencies have not done, so no count is hidden.
        """
        request = Request(principal, Action.SUBSCRIBE, EXCHANGE, purpose, region or principal.region)
        grant = await self._evidence.decide(request)
        mask, whole = Mask(EXCHANGES[EXCHANGE], grant, _COUNTED), Mask(EXCHANGES[EXCHANGE], grant)
        try:
            _check(whole, DutyFilter(region=region))
        except NotPermitted as error:
            await self._evidence.failed(request, grant, error.name)
            raise
        digits = level_below(region or principal.region)
        if "township" not in whole.told:
            digits = min(digits, COUNTY_DIGITS)
        found = await self._owing.overdue(grant.rows, region, self._clock.today(), digits)
        items = [mask.apply(self._counted(each)) for each in found]
        page = pages.Page(items, None, self._clock.now(), detail="overdue", fields=mask.words)
        return await pages.told(self._evidence, request, grant, page)

    def _counted(self, each: Overdue) -> Mapping[str, object]:
        zh, en = self._titles(each.region[:COUNTY_DIGITS], each.kind)
        return {
            "owner": each.owner,
            "region": each.region,
            "duty": each.kind,
            "title_zh": zh,
            "title_en": en,
            "count": each.count,
            "since": each.since.isoformat(),
        }

    def _titles(self, region: str, kind: str) -> tuple[str, str]:
        return self._book.of(region).duties.title(kind)

    async def _after(
        self, request: Request, grant: Grant, mask: Mask, asked: DutyFilter
    ) -> tuple[str, str] | None:
        try:
            _check(mask, asked)
            text = self._cursors.read(asked.cursor, request, mask.told >= _POSITION)
            if text is None:
                return None
            match = _CURSOR.fullmatch(text)
            if match is None:
                raise malformed_cursor()
            return match[1], match[2]
        except (NotPermitted, Malformed) as error:
            await self._evidence.failed(request, grant, error.name)
            raise

    def shown(self, principal: Principal, mask: Mask, duties: Sequence[Duty]) -> list[Released]:
        """Duties as the caller gets them, a child under the pseudonym of the caller's own agency."""
        known = dict.fromkeys(duty.subject for duty in duties if duty.subject is not None)
        names: dict[object, str] = {}
        if KEY in mask.names:
            names = dict(zip(known, self._keys.pseudonyms(principal.agency, list(known)), strict=True))
        today = self._clock.today()
        return [
            mask.apply(
                record_of(
                    duty,
                    self._titles(duty.region, duty.kind),
                    own(principal, duty),
                    names.get(duty.subject) if own(principal, duty) else None,
                    today,
                )
            )
            for duty in duties
        ]

    async def _told(self, request: Request, grant: Grant, page: pages.Page) -> bytes:
        """A page, its entry committed; whoever looks for the first time can be handed duties from then on."""
        who = request.principal
        name, office = who.name, office_of(who)
        if self._met.get((office, name)) == who.client:
            return await pages.told(self._evidence, request, grant, page)
        body, entry = pages.written(self._evidence, request, grant, page)

        def work(transaction: Transaction) -> tuple[None, AuditEntry]:
            transaction.duty_work.met(office, name, who.client, self._clock.today())
            return None, entry

        await self._evidence.journal.perform(work)
        self._met[office, name] = who.client
        return body
