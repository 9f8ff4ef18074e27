"""A lead about a child for whom something happened outside school: where it belongs, and the duty it begins with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Protocol

from gateway.domain.model import ChildFacts, DutyDraft, LeadDraft, SubjectId
from gateway.domain.rulebook import Rulebook
from gateway.domain.rules import residence_within

_NONE: Mapping[str, object] = MappingProxyType({})


class Opens(Protocol):
    """What of a write transaction an opening needs."""

    def open_lead(self, draft: LeadDraft, at: datetime) -> tuple[str, bool]:
        """The lead's id, and whether it is news."""

    def open_duty(self, draft: DutyDraft, at: datetime) -> None:
        """One duty for a lead, kind and facts."""


def draft_of(
    book: Rulebook,
    rule_id: str,
    subject: SubjectId,
    child: ChildFacts,
    county: str,
    today: date,
    fact: Mapping[str, object],
) -> LeadDraft:
    """It belongs to the register that shows the child, the county's own first; to the county where none does."""
    rule = book.rules[rule_id]
    row = max(child.enrolments, key=lambda row: (row.region == county, row.status_date), default=None)
    region = row.region if row else county
    return LeadDraft(
        subject=subject,
        rule=rule.id,
        region=region,
        residence=residence_within(row.region, row.residence) if row else county,
        school=row.school_code if row else None,
        due_on=book.of(region).duties.due(rule.duty, today),
        facts=(fact,),
        rule_version=rule.version,
    )


@dataclass(frozen=True, slots=True)
class Opening:
    """Opens leads and what is owed for them, on one law date."""

    book: Rulebook
    today: date
    now: datetime

    def lead(self, transaction: Opens, draft: LeadDraft, facts: Mapping[str, object] = _NONE) -> str:
        """The lead's id. Every duty of its rule is owed; opening one again changes nothing."""
        lead, _news = transaction.open_lead(draft, self.now)
        rule = self.book.rules[draft.rule]
        for kind in (rule.duty, *rule.further_duties):
            transaction.open_duty(self.owed(draft, lead, kind, facts), self.now)
        return lead

    def owed(self, draft: LeadDraft, lead: str, kind: str, facts: Mapping[str, object] = _NONE) -> DutyDraft:
        """What is owed to the child, its school owes, its township, or where none is known the county."""
        duties = self.book.of(draft.region).duties
        owner = duties.rules[kind].owner_for(draft.school, draft.residence)
        due = duties.due(kind, self.today)
        return DutyDraft(kind=kind, owner=owner, region=draft.region, due_on=due, lead=lead, facts=facts)
