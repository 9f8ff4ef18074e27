"""Evidence of what an operator does on the command line: it changes who may learn what, and is of no child."""

from gateway.domain.audit import AuditEntry
from gateway.domain.ports import Clock
from gateway.services.evidence import new_reference

CLIENT, ROLE = "huxue-command", "gateway/operator"


def operator_entry(clock: Clock, policy_version: str, act: str, region: str = "") -> AuditEntry:
    """The entry of one act, to be committed with its effect; `act` is a short fact, `region` whose clients it is about.

    Without a region it is about the gateway as a whole, and every auditor sees it.
    """
    now = clock.now()
    return AuditEntry(
        reference=new_reference(now),
        at=now,
        law_date=clock.today(),
        client=CLIENT,
        agency="gateway",
        role=ROLE,
        region=region,
        asked_region=region,
        action="operate",
        exchange="gateway",
        purpose="operation",
        decision="permit",
        policy_version=policy_version,
        detail=act,
    )
