"""No duty without an opener, and none that could stay open for ever: every kind of policies/duties.yaml is walked through."""

import re
from collections.abc import Mapping

import pytest

from gateway.adapters.documents.templates import load_templates
from gateway.adapters.rulebook import load_rulebook
from gateway.domain.aid_duties import ASSESS_RELIEF, PAY_AID
from gateway.domain.case import Proof
from gateway.domain.duties import DONE
from gateway.domain.proof_words import CODES, NAMES
from gateway.services.casefacts import CONFIRMATION
from gateway.services.duty_actions import WAITING
from gateway.services.duty_ends import COURT
from gateway.services.inspections import REPEATED
from gateway.services.reporting import _CHECK
from gateway.settings import POLICIES

BOOK = load_rulebook(POLICIES)
KINDS = sorted(BOOK.duties.rules)
REFERRALS = (POLICIES / "referrals.yaml").read_text(encoding="utf-8")

CASE, LEAD = "the end of its case", "the end of its lead"
OFFICE, SOURCE = "an act of the gateway's", "a record"
REGISTER, LONG = "a register that makes it pointless", "time: lapse_days"

ENDS: Mapping[str, frozenset[str]] = {
    # kind: what ends it, other than an officer who says `done`
    "first-contact": frozenset({CASE, LEAD}),
    "absence-report": frozenset({CASE, LEAD}),
    "transfer-check": frozenset({CASE, LEAD}),
    "transfer-receive": frozenset({CASE}),
    "placement": frozenset({CASE, LEAD}),
    "labour-visit": frozenset({CASE, LEAD, SOURCE}),
    "licence-refusal": frozenset({CASE, LEAD}),
    "make-plan": frozenset({CASE}),
    "record-placement": frozenset({CASE}),
    "confirm-attendance": frozenset({CASE}),
    "guardian-return": frozenset({CASE}),
    "reminder-return": frozenset({CASE}),
    "guardian-correct": frozenset({CASE}),
    "court-application": frozenset({CASE}),
    "assess-relief": frozenset({SOURCE, REGISTER, LONG}),
    "pay-aid": frozenset({SOURCE, REGISTER, LONG}),
    "repeated-employer": frozenset({SOURCE, LONG}),
    "referral-decision": frozenset({OFFICE, LONG}),
    "referral-decision-market": frozenset({OFFICE, LONG}),
    "referral-follow-up": frozenset({CASE}),
    "handover-decision": frozenset({OFFICE, LONG}),
    "handover-follow-up": frozenset({OFFICE, CASE}),
    "report-check": frozenset({LONG}),
    **{rule.duty: frozenset({OFFICE, LONG}) for rule in BOOK.reports.rules.values()},
}


def opened_by(kind: str) -> set[str]:
    """Everything in policies and code that opens it."""
    templates = load_templates(POLICIES, BOOK.duties.rules)
    found = {f"rule {rule.id}" for rule in BOOK.rules.values() if kind in (rule.duty, *rule.further_duties)}
    found |= {f"step {step.id}" for step in BOOK.cases.steps.values() if kind in step.opens}
    found |= {f"notice {each.kind}" for each in templates.values() if each.duty == kind}
    found |= {f"report {rule.duty}" for rule in BOOK.reports.rules.values() if rule.duty == kind}
    if re.search(rf"(duty|follow_up): {kind}$", REFERRALS, re.MULTILINE):
        found.add("referral or hand-over")
    if kind in (ASSESS_RELIEF, PAY_AID, REPEATED, CONFIRMATION, COURT, _CHECK):
        found.add("code")
    return found


def finished_by(kind: str) -> set[str]:
    """Steps of a case and lines of its history that finish it."""
    found = {step.id for step in BOOK.cases.steps.values() if kind in step.done}
    return found | {name for name, record in BOOK.cases.records.items() if kind in record.done}


@pytest.mark.parametrize("kind", KINDS)
def test_every_duty_is_opened_by_somebody_and_has_an_end(kind: str) -> None:
    assert opened_by(kind), f"nobody opens {kind}"
    assert ENDS[kind], f"nothing ends {kind}"


def test_the_table_names_the_duties_there_are() -> None:
    assert set(ENDS) == set(KINDS)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if CASE in ENDS[kind]])
def test_a_duty_of_a_case_is_one_that_a_case_can_have(kind: str) -> None:
    """A lead has a case, and a step, a notice or a hand-over is about one: the case's end cancels it."""
    ways = {word.split()[0] for word in opened_by(kind)}
    assert ways & {"rule", "step", "notice", "referral"} or kind in (CONFIRMATION, COURT)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if CASE in ENDS[kind] and LEAD not in ENDS[kind]])
def test_the_work_of_a_case_finishes_it(kind: str) -> None:
    """Not only the case's end: a step says that it was done. What was refused, its sender follows up itself."""
    assert finished_by(kind) or kind in ("referral-follow-up", "handover-follow-up")


BY_THE_ACT = frozenset({OFFICE, SOURCE})


@pytest.mark.parametrize("kind", KINDS)
def test_a_duty_that_nobody_marks_as_done_has_an_act_that_ends_it(kind: str) -> None:
    """And what the office's own act ends, a signature or a decision, nobody marks as done without it."""
    by_hand = BOOK.duties.rules[kind].what
    assert by_hand or finished_by(kind) or ENDS[kind] & BY_THE_ACT
    assert not (by_hand and OFFICE in ENDS[kind])


@pytest.mark.parametrize(
    "proof",
    [
        *(each for step in BOOK.cases.steps.values() for each in step.evidence),
        *(each for record in BOOK.cases.records.values() for each in record.evidence),
    ],
    ids=lambda proof: proof.name,
)
def test_every_piece_of_evidence_has_a_chinese_title(proof: Proof) -> None:
    assert proof.name in NAMES
    assert set(proof.codes) <= set(CODES)


def test_what_is_done_or_waited_for_has_a_chinese_title() -> None:
    assert {*DONE, *WAITING} <= set(CODES)
