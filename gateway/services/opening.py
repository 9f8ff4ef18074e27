"""A lead about a child for whom something happened outside school: where it belongs, and the duty it begins with."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Protocol

from gateway.domain.model import ChildFacts, DutyDraft, LeadDraft, SubjectId
from gateway.domain.rulebook import Rulebook
from gateway.domain.rules import residence_within


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


def open_with_duty(transaction: Opens, book: Rulebook, draft: LeadDraft, today: date, now: datetime) -> str:
    """The lead's id. What is owed to the child, its school owes, its township, or where none is known the county."""
    lead, news = transaction.open_lead(draft, now)
    if news:
        kind, duties = book.rules[draft.rule].duty, book.of(draft.region).duties
        owner, due = duties.rules[kind].owner_for(draft.school, draft.residence), duties.due(kind, today)
        duty = DutyDraft(kind=kind, owner=owner, region=draft.region, due_on=due, lead=lead, facts={})
        transaction.open_duty(duty, now)
    return lead
