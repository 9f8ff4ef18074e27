"""What every use case around referrals has alike: who the caller is, what may be seen of one, and the evidence of it.

Everything that decides is read inside the commit that acts on it. The sender's side sees the cases of its reach; the
receiver's side what came to its county, and of an accepted one more only the officer who accepted it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from gateway.domain.audit import AuditEntry
from gateway.domain.case import Actor, CaseEntry, EntryKind
from gateway.domain.decision import Grant
from gateway.domain.deidentify import Mask
from gateway.domain.errors import HuxueError, NotPermitted, OfficerUnnamed
from gateway.domain.ports import Clock, KeyRing, Transaction
from gateway.domain.principal import Principal
from gateway.domain.referral import Kind, Referral, ReferralBook, Route, State
from gateway.domain.referral_record import record_of
from gateway.services.evidence import Evidence, Request
from gateway.services.telling import Telling, one_told
from schemas.catalogue import EXCHANGES, Action

PREVIEW, ACCEPTED = "case-referral", "referred-case"
FALLBACK_PURPOSE = "dropout_control"

Outcome = tuple[bytes | HuxueError, AuditEntry]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and what the policies grant: `accepted` is None for who never receives a child's case."""

    request: Request
    grant: Grant
    accepted: tuple[Request, Grant] | None

    @property
    def who(self) -> Principal:
        """The principal."""
        return self.request.principal

    @property
    def actor(self) -> Actor:
        """The same, as it is kept."""
        return Actor.of(self.who)


@dataclass(frozen=True, slots=True)
class Step:
    """One caller's hand on one referral, inside the commit. `receiving`: from the receiver's side."""

    transaction: Transaction
    caller: Caller
    found: Referral
    route: Route
    receiving: bool
    today: date
    now: datetime


Work = Callable[[Step], Outcome]


class ReferralOffice:
    """The shared part; the use cases hold one."""

    def __init__(self, evidence: Evidence, book: ReferralBook, keys: KeyRing, clock: Clock) -> None:
        self.evidence, self.book, self.keys, self.clock = evidence, book, keys, clock

    async def caller(
        self, principal: Principal, purpose: str | None = None, *, named: bool = False
    ) -> Caller:
        """Decided, with evidence of a refusal. OfficerUnnamed when `named` and the token names nobody."""
        default = self.book.purpose_of(principal.role) or FALLBACK_PURPOSE
        stated = default if purpose is None else purpose
        request = Request(principal, Action.REFER, PREVIEW, stated, principal.region)
        grant = await self.evidence.decide(request)
        if named and principal.officer is None:
            await self.evidence.failed(request, grant, OfficerUnnamed.name)
            raise unnamed()
        accepted = None
        if any(self.book.routes[name].about_case for name in self.book.received_by(principal.role)):
            more = Request(principal, Action.REFER, ACCEPTED, stated, principal.region)
            accepted = (more, await self.evidence.decide(more))
        return Caller(request, grant, accepted)

    async def on(self, caller: Caller, referral_id: str, work: Work) -> bytes:
        """`work` on a referral the caller may see; one of somebody else looks like none at all."""

        def perform(transaction: Transaction) -> Outcome:
            found = transaction.referrals.get(referral_id)
            seen = None if found is None else self._seen(transaction, caller, found)
            if seen is None:
                return NotPermitted(), self.evidence.entry(
                    caller.request, caller.grant, "fail", detail=NotPermitted.name, fields={}
                )
            return work(seen)

        return told(await self.evidence.journal.perform(perform))

    def _seen(self, transaction: Transaction, caller: Caller, found: Referral) -> Step | None:
        route, who = self.book.routes.get(found.route), caller.who
        if route is None:
            return None
        sent = found.kind is Kind.REFERRAL and who.role in route.senders
        sent = sent and found.sender.role in self.senders_of(who) and caller.grant.rows.evaluate(found.row)
        received = who.role in route.receivers and found.county == who.region
        received = received and caller.grant.rows.evaluate({"region": found.county, "sealed": False})
        if not sent and not received:
            return None
        return Step(transaction, caller, found, route, received, self.clock.today(), self.clock.now())

    def senders_of(self, who: Principal) -> frozenset[str]:
        """Whose referrals that role sees beside its own: a county's lead sees those of its townships."""
        routes = [route for route in self.book.routes.values() if who.role in route.senders]
        return frozenset(role for route in routes for role in route.senders)

    def answer(self, step: Step, shown: Referral, detail: str) -> Outcome:
        """The masked answer with its entry; of the accepted exchange for the officer who accepted, else the preview."""
        full = self._full(step, shown)
        request, grant = full or (step.caller.request, step.caller.grant)
        part = step.route.accepted if full else step.route.preview if step.receiving else None
        mask = Mask(EXCHANGES[request.exchange], grant, part)
        comments = step.transaction.referrals.comments(shown.id) if "comments" in mask.names else ()
        record = record_of(shown, step.today, self.pseudonym(step.caller.who, shown), comments)
        telling = Telling(mask.apply(record), mask.words, shown.subject, f"{detail} {shown.id}")
        return one_told(self.evidence, request, grant, telling)

    def _full(self, step: Step, shown: Referral) -> tuple[Request, Grant] | None:
        """The grant of the accepted exchange, where this very officer holds the case."""
        who, more = step.caller.who, step.caller.accepted
        if more is None or not step.receiving or shown.kind is not Kind.REFERRAL:
            return None
        if shown.state not in (State.ACCEPTED, State.CLOSED) or not shown.is_receivers(
            who.client, who.officer
        ):
            return None
        row = {"region": shown.county, "owner": who.officer, "sealed": False}
        return more if more[1].rows.evaluate(row) else None

    def pseudonym(self, who: Principal, shown: Referral) -> str | None:
        """The child as the caller's agency knows it; None where there is no child."""
        return None if shown.subject is None else self.keys.pseudonym(who.agency, shown.subject)

    def refused(self, step: Step, error: HuxueError) -> Outcome:
        """What was not done, by whom; kept with the child."""
        return error, self.evidence.entry(
            step.caller.request,
            step.caller.grant,
            "fail",
            subject=step.found.subject,
            detail=error.name,
            fields={},
        )

    def by_time(self, found: Referral, what: str, day: date) -> AuditEntry:
        """The evidence of what the gateway did by itself on that day, with the child."""
        return self.evidence.by_itself(
            found.county, day, PREVIEW, f"{what} {found.id}", action=Action.REFER, subject=found.subject
        )


def line(
    found: Referral,
    event: str,
    by: Actor,
    today: date,
    now: datetime,
    reason: str = "",
    ground: str | None = None,
) -> CaseEntry:
    """What happened to a referral, as a line of the case's history."""
    body: dict[str, object] = {
        "referral": found.id,
        "event": event,
        "to": found.route,
        "measure": found.measure,
    }
    if ground is not None:
        body["ground"] = ground
    words = {"reason": reason} if reason else {}
    return CaseEntry(
        case=found.case or "",
        region=found.county,
        kind=EntryKind.REFERRAL,
        on=today,
        at=now,
        by=by,
        body=body,
        words=words,
    )


def unnamed() -> OfficerUnnamed:
    """Only named officers refer and answer."""
    return OfficerUnnamed(
        "移送、移交须由具名经办人办理：请在客户端断言中以 officer 注明。",
        "Cases are referred and handed over by named officers: name yours in the client assertion (officer).",
    )


def told(result: bytes | HuxueError) -> bytes:
    """The answer, or the refusal that was committed in its place."""
    if isinstance(result, HuxueError):
        raise result
    return result
