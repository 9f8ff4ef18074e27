"""The machine of referrals, every state and event; the file of routes; what a package holds."""

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import product

import pytest
import yaml

from gateway.adapters.referralbook import load_referrals, read_referrals
from gateway.adapters.rulebook import load_rulebook
from gateway.domain.case import Actor
from gateway.domain.case import State as CaseState
from gateway.domain.errors import Malformed
from gateway.domain.handover import arriving
from gateway.domain.principal import Principal
from gateway.domain.referral import TRANSITIONS, Event, Kind, Referral, State, after
from gateway.domain.referral_record import Sending, check
from schemas.catalogue import EXCHANGES
from tests.policy.support import POLICIES

RULEBOOK = load_rulebook(POLICIES)
BOOK = load_referrals(POLICIES, RULEBOOK)
TODAY = date(2026, 11, 20)
EXPECTED = {
    ("pending", "accept"): "accepted",
    ("pending", "reject"): "rejected",
    ("pending", "revoke"): "revoked",
    ("pending", "comment"): "pending",
    ("accepted", "comment"): "accepted",
    ("accepted", "take_over"): "accepted",
    ("accepted", "close"): "closed",
    ("closed", "settle"): "closed",
}


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)))
def test_every_state_and_event_is_as_it_is_written_down_here(state: State, event: Event) -> None:
    found = after(state, event)
    assert (found.value if found else None) == EXPECTED.get((state.value, event.value))


def test_what_is_decided_stays_decided() -> None:
    ends = {State.REJECTED, State.REVOKED, State.CLOSED, State.INFORMED}
    assert [key for key in TRANSITIONS if key[0] in ends] == [(State.CLOSED, Event.SETTLE)]
    assert (State.ACCEPTED, Event.REVOKE) not in TRANSITIONS


def _referral(state: State, due: date | None) -> Referral:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    who = Actor("c", "o", "education", "education/dropout_lead")
    return Referral(
        id="rfl-1",
        kind=Kind.REFERRAL,
        route="justice",
        county="530423",
        residence="530423101",
        subject=None,
        case="case-x",
        measure="court",
        sender=who,
        state=state,
        sent_at=now,
        sent_on=TODAY,
        due_on=due,
        words={"guardian": {"name": "赵监护"}},
    )


@pytest.mark.parametrize("state", list(State))
def test_only_a_pending_one_is_ever_overdue(state: State) -> None:
    late, today = _referral(state, date(2026, 11, 19)), _referral(state, TODAY)
    assert today.status(TODAY) == state.value
    assert late.status(TODAY) == ("overdue" if state is State.PENDING else state.value)
    assert "赵监护" not in repr(late)


def _files() -> tuple[dict[str, object], dict[str, object]]:
    text = [(POLICIES / name).read_text(encoding="utf-8") for name in ("referrals.yaml", "roles.yaml")]
    body, roles = (yaml.safe_load(each) for each in text)
    return body, roles


@pytest.mark.parametrize(
    "name", [f.name for f in EXCHANGES["case-referral"].fields if f.classification != "plain"]
)
def test_a_file_that_would_show_more_before_acceptance_is_not_taken(name: str) -> None:
    body, roles = _files()
    body["routes"]["justice"]["preview"].append(name)  # type: ignore[index]
    with pytest.raises(ValueError, match=name):
        read_referrals(body, roles, RULEBOOK)


@pytest.mark.parametrize(
    ("key", "value", "word"),
    [
        ("from", ["education/nobody"], "nobody"),
        ("to", [], "nobody"),
        ("purposes", ["dropout_control", "child_relief"], "child_relief"),
        ("duty", "no-such-duty", "no-such-duty"),
        ("needs_step", "no-such-step", "no-such-step"),
        ("accepted", ["resident_id"], "resident_id"),
        ("about", "school", "about"),
        ("measures", [], "nothing"),
    ],
)
def test_a_route_with_a_mistake_is_not_taken(key: str, value: object, word: str) -> None:
    body, roles = _files()
    read_referrals(body, roles, RULEBOOK)
    body["routes"]["justice"][key] = value  # type: ignore[index]
    with pytest.raises(ValueError, match=word):
        read_referrals(body, roles, RULEBOOK)


def test_an_employers_referral_has_no_place_for_a_child() -> None:
    route = BOOK.routes["market_regulation"]
    assert not route.accepted
    assert not route.preview & {"pseudonym", "case", "stage", "case_open_weeks", "notices_served"}
    who = Principal("c", "human_resources", "human_resources/labour_inspector", "530423", officer="o")
    good = Sending(
        who,
        "labour_inspection",
        "market_regulation",
        "inspect",
        employer_uscc="91350100M000100Y43",
        month="2026-10",
        measure_taken="ordered_to_correct",
    )
    check(good, route, TODAY)
    notice = {"number": "7", "served_on": "2026-11-02"}
    for child in ({"case": "case-" + "a" * 26}, {"guardian": {"name": "张某"}}, {"notices": [notice]}):
        with pytest.raises(Malformed):
            check(replace(good, **child), route, TODAY)  # type: ignore[arg-type]
    for missing in ("employer_uscc", "month", "measure_taken"):
        with pytest.raises(Malformed):
            check(replace(good, **{missing: None}), route, TODAY)  # type: ignore[arg-type]


@pytest.mark.parametrize("state", list(CaseState))
def test_a_case_arrives_where_it_stood_but_for_another_countys_justice(state: CaseState) -> None:
    assert arriving(state) is (CaseState.PERSUADING if state is CaseState.REFERRED else state)
