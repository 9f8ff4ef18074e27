"""Deciding with evidence: a refusal is recorded before it is told, like an answer.

What a caller wrote in place of an exchange or purpose is never recorded as such: it could be an id number.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

import msgspec

from gateway.domain.audit import AuditEntry, Decision
from gateway.domain.decision import Grant, PolicyDecisionPoint
from gateway.domain.deidentify import treatments
from gateway.domain.disclosure import SYSTEM_ROLE
from gateway.domain.errors import NotPermitted, UnknownPurpose
from gateway.domain.landing import Effect
from gateway.domain.model import SubjectId
from gateway.domain.ports import Clock, Journal, Possession
from gateway.domain.principal import Principal
from schemas.catalogue import EXCHANGES, Action

UNKNOWN = "unknown"
GATEWAY = "gateway"
BY_ITSELF_FOR = "dropout_control"
"""The purpose of everything that the gateway does by itself."""


def new_reference(now: datetime) -> str:
    """``ref-`` and 32 hex digits: 48 bits of milliseconds, so that the log stays in order, and 80 random bits."""
    return f"ref-{int(now.timestamp() * 1000):012x}{os.urandom(10).hex()}"


class Request(msgspec.Struct, frozen=True):
    """One request to an exchange as the decision sees it."""

    principal: Principal
    action: Action
    exchange: str
    purpose: str
    region: str
    proof: Possession | None = None
    """What the first entry of this request spends, where it was not spent before."""
    term: str | None = None
    """Which term of a list that has terms, as it was written."""


class Evidence:
    """Takes decisions and writes audit entries; every service holds one."""

    def __init__(
        self, points: PolicyDecisionPoint, journal: Journal, clock: Clock, purposes: frozenset[str]
    ) -> None:
        self._points, self.journal, self._clock, self._purposes = points, journal, clock, purposes

    async def decide(self, request: Request) -> Grant:
        """The grant; a refusal is committed to the evidence first, then raised."""
        try:
            return self._points.decide(
                request.principal, request.action, request.exchange, request.purpose, request.region
            )
        except (NotPermitted, UnknownPurpose) as refusal:
            await self.journal.record(
                self.entry(
                    request,
                    None,
                    "refuse",
                    detail=refusal.name,
                    policy_ids=getattr(refusal, "policy_ids", ()),
                ),
                request.proof,
            )
            raise

    async def decide_any(self, requests: Sequence[Request]) -> tuple[Request, Grant]:
        """The first of these that is permitted; one refusal in the evidence, and NotPermitted, when none is."""
        for request in requests:
            try:
                found = self._points.decide(
                    request.principal, request.action, request.exchange, request.purpose, request.region
                )
            except (NotPermitted, UnknownPurpose):
                continue
            return request, found
        await self.refused(requests[0].principal, NotPermitted.name)
        raise NotPermitted

    async def failed(self, request: Request, grant: Grant, detail: str) -> None:
        """A granted request that could not be answered, e.g. because the id number is not one."""
        await self.journal.record(self.entry(request, grant, "fail", detail=detail, fields={}), request.proof)

    async def refused(self, principal: Principal, detail: str) -> None:
        """A caller reached for a job or file that is not theirs, or is not there."""
        request = Request(principal, Action.LIST, UNKNOWN, UNKNOWN, principal.region)
        await self.journal.record(self.entry(request, None, "refuse", detail=detail))

    def reference(self) -> str:
        """A new reference of now, for an answer that has to name it."""
        return new_reference(self._clock.now())

    def entry(
        self,
        request: Request,
        grant: Grant | None,
        decision: Decision = "permit",
        *,
        reference: str = "",
        count: int = 0,
        digest: str = "",
        subject: SubjectId | None = None,
        members: Iterable[SubjectId] = (),
        cut_from: tuple[Sequence[SubjectId], int] | None = None,
        detail: str = "",
        policy_ids: tuple[str, ...] = (),
        fields: Mapping[str, str] | None = None,
        law_date: date | None = None,
    ) -> AuditEntry:
        """The audit entry of a request. `fields` defaults to all the grant releases; `subject` or `members` whom it told of.

        `cut_from`: the list that `members` are a page of, and where in it they begin. `law_date`: of a day
        that is lived through late.
        """
        now, who = self._clock.now(), request.principal
        return AuditEntry(
            reference=reference or new_reference(now),
            at=now,
            law_date=law_date or self._clock.today(),
            client=who.client,
            officer=who.officer,
            agency=who.agency,
            role=who.role,
            region=who.region,
            asked_region=request.region,
            action=request.action.value,
            exchange=request.exchange if request.exchange in EXCHANGES else UNKNOWN,
            purpose=request.purpose if request.purpose in self._purposes else UNKNOWN,
            decision=decision,
            policy_version=grant.policy_version if grant else self._points.version,
            policy_ids=grant.policy_ids if grant else policy_ids,
            fields=_released(grant) if fields is None else fields,
            count=count,
            answer_digest=digest,
            subject=subject,
            members=b"".join(members),
            cut_from=cut_from,
            detail=detail,
        )

    def by_itself(
        self,
        region: str,
        day: date,
        exchange: str,
        detail: str,
        *,
        action: Action = Action.SUBSCRIBE,
        count: int = 0,
        subject: SubjectId | None = None,
    ) -> AuditEntry:
        """What the gateway did by itself on the law date `day`, which may be lived late; nobody was told anything."""
        system = Principal(GATEWAY, GATEWAY, SYSTEM_ROLE, region)
        request = Request(system, action, exchange, BY_ITSELF_FOR, region)
        return self.entry(request, None, count=count, subject=subject, detail=detail, fields={}, law_date=day)

    def of_day(self, region: str, day: date, done: Mapping[Effect, int]) -> list[AuditEntry]:
        """One entry for each exchange of which a lived day wrote anything, with how many of what; none for a still day."""
        counts: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for (exchange, what), many in sorted(done.items()):
            counts[exchange][what] = many
        return [
            self.by_itself(region, day, exchange, _counted(day, whats), count=sum(whats.values()))
            for exchange, whats in counts.items()
        ]


def _counted(day: date, whats: Mapping[str, int]) -> str:
    return " ".join((f"day:{day.isoformat()}", *(f"{what}:{many}" for what, many in whats.items())))


def _released(grant: Grant | None) -> Mapping[str, str]:
    """All the fields that a grant releases, and how."""
    return treatments(grant) if grant else {}
