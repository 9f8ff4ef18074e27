"""The state machine of a resolution, every state with every event; and who is another officer."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from gateway.domain.errors import Malformed
from gateway.domain.freetext import REASON_LENGTH, wrong_text
from gateway.domain.model import SubjectId
from gateway.domain.principal import Principal
from gateway.domain.resolution import (
    TRANSITIONS,
    Event,
    OpenCase,
    Resolution,
    State,
    after,
    deadline_of,
    is_case,
    is_requester,
    may_be_own,
    may_decide,
    opening,
)
from gateway.domain.resolution_record import Wish, check, made, record_of

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
OWN = "ed1-" + "a" * 32
# What may happen, written down a second time: state, event → state.
MAY = """
pending approve approved
pending reject rejected
pending lapse expired
approved show shown
approved reject rejected
approved lapse expired
review_due justify justified
review_due fault unjustified
review_due lapse escalated
escalated justify justified
escalated fault unjustified
"""
EXPECTED = {tuple(line.split()[:2]): line.split()[2] for line in MAY.strip().splitlines()}


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)), ids=str)
def test_every_transition(state: State, event: Event) -> None:
    found = after(state, event)
    assert (found.value if found else None) == EXPECTED.get((state.value, event.value))


def test_an_identity_is_shown_after_an_approval_and_never_again() -> None:
    assert [state for state in State if after(state, Event.SHOW)] == [State.APPROVED]
    assert not [event for event in Event if after(State.SHOWN, event)]
    reached = {State.PENDING}
    for _ in State:
        reached |= {
            to for (frm, event), to in TRANSITIONS.items() if frm in reached and event is not Event.APPROVE
        }
    assert State.SHOWN not in reached, "without an approval nobody is shown"


def test_what_lapses_has_a_deadline_and_what_does_not_has_none() -> None:
    lapsing = {state for state in State if after(state, Event.LAPSE)}
    assert lapsing == {State.PENDING, State.APPROVED, State.REVIEW_DUE}
    assert opening(False, NOW) == (State.PENDING, NOW + timedelta(hours=24))
    assert opening(True, NOW) == (State.REVIEW_DUE, NOW + timedelta(hours=24))
    assert {state for state in State if deadline_of(state, NOW)} == {State.APPROVED}
    assert deadline_of(State.APPROVED, NOW) == NOW + timedelta(minutes=15)


def officer(client: str = "a", name: str | None = None, role: str = "education/dropout_lead") -> Principal:
    return Principal(client, role.partition("/")[0], role, "530423", officer=name)


def asked(by: Principal, emergency: bool = False) -> Resolution:
    wish = Wish(by, "dropout_control", "家访", OWN, emergency=emergency)
    return made(wish, OpenCase(SubjectId(bytes(16)), "case-x", "530423"), NOW, "res-1")


@pytest.mark.parametrize(
    ("who", "may"),
    [
        (officer("b"), False),
        (officer("b", "wang"), True),
        (officer("a"), False),
        (officer("a", "wang"), False),
        (officer("b", "li"), False),
        (officer("b", role="township/return_officer"), False),
        (officer("b", role="education/registrar"), False),
    ],
)
def test_another_officer_of_the_same_team(who: Principal, may: bool) -> None:
    assert may_decide(asked(officer("a", "li")), who) is may


def test_an_officer_who_was_not_named_is_nobodys_other_officer() -> None:
    assert not may_decide(asked(officer("a")), officer("b", "wang"))
    assert not may_decide(asked(officer("a")), officer("b"))


def test_the_requester_is_client_and_officer() -> None:
    found = asked(officer("a", "li"))
    assert is_requester(found, officer("a", "li"))
    assert not is_requester(found, officer("a"))
    assert not is_requester(found, officer("a", "wang"))
    assert not is_requester(found, officer("b", "li"))


def test_a_deadline_is_over_at_its_instant() -> None:
    found = asked(officer())
    assert not found.lapsed(NOW + timedelta(hours=24) - timedelta(microseconds=1))
    assert found.lapsed(NOW + timedelta(hours=24))


@pytest.mark.parametrize(
    ("text", "own"),
    [
        (OWN, True),
        ("ed2-" + "b" * 32, True),
        ("tw1-" + "a" * 32, False),
        ("hr1-" + "a" * 32, False),
        ("ed1-" + "a" * 31, False),
        ("ed1-" + "A" * 32, False),
        ("ed1-" + "a" * 32 + "\n", False),
        ("530423201503050028", False),
        ("", False),
    ],
)
def test_the_shape_of_an_own_pseudonym(text: str, own: bool) -> None:
    assert may_be_own(text, OWN) is own


def test_the_shape_of_a_case() -> None:
    assert is_case("case-" + "a" * 26)
    assert not is_case("case-" + "a" * 27)
    assert not is_case("lead-" + "a" * 26)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"pseudonym": None}, "/pseudonym"),
        ({"case": "case-x"}, "/pseudonym"),
        ({"reason": "  家访  "}, "/reason"),
        ({"reason": "x" * 501}, "/reason"),
    ],
)
def test_a_wish_names_one_child_and_a_reason(changes: dict[str, str | None], pointer: str) -> None:
    whole = {"reason": "上门家访核实情况", "pseudonym": OWN, "case": None, **changes}
    wish = Wish(officer(), "dropout_control", str(whole["reason"]), whole["pseudonym"], whole["case"])
    with pytest.raises(Malformed) as caught:
        check(wish)
    assert [flaw.pointer for flaw in caught.value.flaws] == [pointer]
    assert "家访" not in str(caught.value.flaws)


def test_neither_reason_nor_child_is_in_a_repr() -> None:
    found = asked(officer())
    for text in (repr(found), repr(Wish(officer(), "dropout_control", "家访", OWN))):
        assert "家访" not in text
        assert repr(bytes(16)) not in text


def test_an_emergency_has_a_review_and_no_expiry() -> None:
    plain, urgent = record_of(asked(officer()), OWN), record_of(asked(officer(), emergency=True), OWN)
    assert (plain["expires_at"], plain["review_due_at"]) == ("2026-11-21T02:00:00Z", None)
    assert (urgent["expires_at"], urgent["review_due_at"]) == (None, "2026-11-21T02:00:00Z")


@pytest.mark.parametrize(
    "reason",
    [
        "\u200b" * 10,
        "\0\0\0\0",
        "a\u3000\u3000\u3000b",
        "\u202e据证查核访家",
        "\u2066家访核实辍学原因",
        "家访\x1b[2J核实",
    ],
)
def test_a_reason_that_cannot_be_seen_or_turns_around_is_none(reason: str) -> None:
    assert wrong_text(reason, "/reason", REASON_LENGTH) is not None
    assert wrong_text("家访核实\n辍学 原因😀", "/reason", REASON_LENGTH) is None
