"""The enumeration guard: a caller who goes through children one after the other is refused, on evidence and with an alarm.

Asked inside the transaction that would tell of a child, before anything else is done in it. A child whom the caller
was told of today is free; a refusal counts nothing, so nobody is locked out of the children they already work on.
"""

from gateway.domain.alarms import ENUMERATION
from gateway.domain.audit import AuditEntry
from gateway.domain.decision import Grant
from gateway.domain.errors import EnumerationQuotaExceeded
from gateway.domain.limits import LimitBook, Sighting
from gateway.domain.model import AlarmDraft, SubjectId
from gateway.domain.ports import Clock, Transaction
from gateway.domain.predicate import COUNTY_DIGITS
from gateway.services.evidence import Evidence, Request


class Guard:
    """One for all use cases that tell of single children."""

    def __init__(self, evidence: Evidence, limits: LimitBook, clock: Clock) -> None:
        self._evidence, self._limits, self._clock = evidence, limits, clock

    def refusal(
        self,
        transaction: Transaction,
        request: Request,
        grant: Grant | None,
        sighting: Sighting,
        subject: SubjectId | None = None,
    ) -> AuditEntry | None:
        """Counts the child. If that breaks a limit: raises the alarm, and gives the entry to commit instead.

        `subject` when the child is known already and the refusal is to stand with it.
        The caller then commits that entry with nothing else, and raises `quota_exceeded` afterwards.
        """
        who = request.principal
        broken = transaction.count_child(who, self._limits.quota_of(who.role), sighting)
        if broken is None:
            return None
        today = self._clock.today().isoformat()
        facts = {"limit": broken, "on": today, "role": who.role, "exchange": request.exchange}
        alarm = AlarmDraft(
            ENUMERATION, who.region[:COUNTY_DIGITS], who.person, f"{who.person}|{today}|{broken}", facts
        )
        transaction.raise_alarm(alarm, self._clock.now())
        detail = f"{EnumerationQuotaExceeded.name}/{broken}"
        return self._evidence.entry(request, grant, "refuse", subject=subject, detail=detail, fields={})


def quota_exceeded() -> EnumerationQuotaExceeded:
    """Which limit it was stands in the evidence; a caller is not told how far to go next time."""
    return EnumerationQuotaExceeded(
        "今日查询的不同儿童数或相邻证件号数超出限额，已通知审计员；确有需要请联系网关管理部门。",
        "Too many different children, or neighbouring ids, today; the auditor has been told. Ask the gateway's"
        " authority if your work needs more.",
    )
