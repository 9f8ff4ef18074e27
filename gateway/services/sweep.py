"""Facts → rules → leads and duties, for one county, inside the transaction that changed the facts.

Runs after every upload and at every new day: some rules fire by time alone. A lead is one per child and rule. It is
closed by itself only when a register positively shows that its trigger no longer holds; silence closes nothing.
"""

from collections.abc import Mapping
from datetime import date, datetime

from gateway.domain.disclosure import SYSTEM_ROLE
from gateway.domain.landing import RuleTransaction
from gateway.domain.model import ChildFacts, LeadDraft, SubjectId
from gateway.domain.rulebook import Rulebook
from gateway.domain.rules import ABSENCE, DAY, of_registers, placement_fact, register_facts, residence_within
from gateway.domain.schooling import judge
from gateway.services.opening import Opening

PLACEMENT = "placement-missing"


class DailySweep:
    """The rules that fire by time alone, on each new day."""

    def __init__(self, rulebook: Rulebook) -> None:
        self._book = rulebook

    def run(self, transaction: RuleTransaction, region: str, day: date, now: datetime) -> None:
        """Open, update and close the county's leads as of that day."""
        Sweep(self._book, day, now, DAY).run(transaction, region)


class Sweep:
    """Evaluates the register and placement rules of one county that are looked at on one event, on one day."""

    def __init__(self, rulebook: Rulebook, today: date, now: datetime, event: str) -> None:
        self._books, self._book, self._today, self._now = rulebook, rulebook, today, now
        self._event = event
        self._opening = Opening(rulebook, today, now)

    def run(self, transaction: RuleTransaction, region: str) -> None:
        """Open, update and close the county's leads, by the county's own figures."""
        self._book = self._books.of(region)
        standing = transaction.standing_leads(
            region, (*(rule.id for rule in of_registers(self._book.rules.values())), PLACEMENT)
        )
        fired = self._registers(transaction, region) | self._placements(transaction, region)
        self._close(transaction, {key: lead for key, lead in standing.items() if key not in fired})

    def _registers(self, transaction: RuleTransaction, region: str) -> set[tuple[SubjectId, str]]:
        fired: set[tuple[SubjectId, str]] = set()
        limits, event = self._book.limits, self._event
        rules = [rule for rule in of_registers(self._book.rules.values()) if event in rule.events]
        least = [rule.when.limits(limits).absence_days for rule in rules if rule.when]
        children = transaction.doubtful_children(region, min([limits.absence_days, *least]))
        for subject, child in sorted(children.items()):
            found = register_facts(child, self._today, self._book.limits, rules)
            if found is not None:
                rule, fact = found
                self._opening.lead(transaction, self._register_draft(subject, child, region, rule, fact))
                fired.add((subject, rule))
        return fired

    def _register_draft(
        self, subject: SubjectId, child: ChildFacts, region: str, rule: str, fact: Mapping[str, object]
    ) -> LeadDraft:
        row = next((row for row in child.enrolments if row.region == region), child.enrolments[0])
        residence = residence_within(region, row.residence)
        return self._draft(subject, rule, region, residence, fact, row.school_code)

    def _placements(self, transaction: RuleTransaction, region: str) -> set[tuple[SubjectId, str]]:
        fired: set[tuple[SubjectId, str]] = set()
        rule = self._book.rules[PLACEMENT]
        if not rule.enabled or self._event not in rule.events:
            return fired
        for assessment, enrolled in transaction.assessments(region):
            fact = placement_fact(assessment, enrolled)
            if fact is not None:
                residence = residence_within(region, assessment.residence)
                draft = self._draft(assessment.subject, PLACEMENT, region, residence, fact, None)
                self._opening.lead(transaction, draft)
                fired.add((assessment.subject, PLACEMENT))
        return fired

    def _draft(
        self,
        subject: SubjectId,
        rule_id: str,
        region: str,
        residence: str,
        fact: Mapping[str, object],
        school: str | None,
    ) -> LeadDraft:
        rule = self._book.rules[rule_id]
        return LeadDraft(
            subject=subject,
            rule=rule_id,
            region=region,
            residence=residence,
            school=school,
            due_on=self._book.duties.due(rule.duty, self._today),
            facts=(fact,),
            rule_version=rule.version,
        )

    def _close(self, transaction: RuleTransaction, leads: Mapping[tuple[SubjectId, str], str]) -> None:
        facts = transaction.facts([subject for subject, _ in leads])
        for (subject, rule), lead in sorted(leads.items()):
            ended = self._settled(facts.get(subject), rule)
            if ended is not None:
                fact = {"fact": "no-longer-applies", "on": self._today.isoformat()}
                transaction.close_lead(lead, fact, self._now)
                transaction.duties.end_lead(lead, ended == "done", self._today, SYSTEM_ROLE)

    def _settled(self, child: ChildFacts | None, rule: str) -> str | None:
        """What becomes of a lead's duties: done where the child is back in a school, else cancelled; None: it stands."""
        if child is None or not child.enrolments:
            return None
        answer = judge(child, self._today, self._book.limits)
        if answer.out_of_school == "no":
            return "done" if self._seen_again(child, rule) else None
        gone = rule == PLACEMENT or answer.out_of_school == "completed" or answer.because == "deceased"
        return "cancelled" if gone else None

    def _seen_again(self, child: ChildFacts, rule: str) -> bool:
        """Whether a lead of absence may end: the newest attendance, however old, shows the child there again."""
        when, absence = self._book.rules[rule].when, child.absence
        if when is None or when.word != ABSENCE:
            return True
        limits = when.limits(self._book.limits)
        return absence is not None and absence.attended and absence.longest_unexcused < limits.absence_days
