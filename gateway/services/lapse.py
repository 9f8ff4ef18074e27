"""Resolutions of identity that time has overtaken: requests expire, unreviewed emergencies are escalated to the auditor."""

from asyncio import to_thread
from dataclasses import replace
from datetime import datetime

from gateway.domain.alarms import EMERGENCY_UNREVIEWED
from gateway.domain.audit import AuditEntry
from gateway.domain.disclosure import SYSTEM_ROLE
from gateway.domain.model import AlarmDraft
from gateway.domain.ports import Clock, Transaction
from gateway.domain.principal import Principal
from gateway.domain.resolution import Event, Resolution, Resolutions, State, after
from gateway.services.evidence import Evidence, Request
from schemas.catalogue import Action

EXCHANGE = "identity"
PURPOSE = "dropout_control"

_AT_ONCE = 200


class Lapse:
    """The use case, and the entry for whoever meets a lapsed resolution first."""

    def __init__(self, evidence: Evidence, resolutions: Resolutions, clock: Clock) -> None:
        self._evidence, self._resolutions, self._clock = evidence, resolutions, clock

    async def __call__(self) -> int:
        """Every lapsed one, each in a commit of its own; how many."""
        ids = await to_thread(self._resolutions.lapsed, self._clock.now(), _AT_ONCE)
        for resolution_id in ids:
            await self._one(resolution_id)
        return len(ids)

    async def _one(self, resolution_id: str) -> None:
        def work(transaction: Transaction) -> tuple[None, AuditEntry]:
            found, now = transaction.resolutions.get(resolution_id, None), self._clock.now()
            if found is None or not found.lapsed(now):
                raise _Overtaken
            return None, self.entry(transaction, found, now)

        try:
            await self._evidence.journal.perform(work)
        except _Overtaken:  # another worker was first
            return

    def entry(self, transaction: Transaction, found: Resolution, now: datetime) -> AuditEntry:
        """Moves it on, and says so under the child."""
        state = after(found.state, Event.LAPSE) or found.state
        system = Request(_gateway(found.county), Action.RESOLVE, EXCHANGE, PURPOSE, found.county)
        transaction.resolutions.move(found, Event.LAPSE, replace(found, state=state, deadline=None))
        if state is State.ESCALATED:
            facts = {"resolution": found.id, "case": found.case}
            transaction.raise_alarm(
                AlarmDraft(EMERGENCY_UNREVIEWED, found.county, found.requester_client, found.id, facts), now
            )
        return self._evidence.entry(
            system, None, "fail", subject=found.subject, detail=f"{state} {found.id}", fields={}
        )


class _Overtaken(Exception):
    """Somebody else has done it meanwhile."""


def _gateway(county: str) -> Principal:
    """The gateway itself, for what happens by time alone."""
    return Principal(client="gateway", agency="gateway", role=SYSTEM_ROLE, region=county)
