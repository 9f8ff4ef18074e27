"""The table of steps: what may happen to a case in which state, by whom, and on which evidence."""

from datetime import date

import pytest
import yaml

from gateway.adapters.casebook import read_cases
from gateway.adapters.rulebook import load_rulebook
from gateway.domain.case import Proof, State
from gateway.domain.disclosure import SYSTEM_ROLE
from gateway.domain.errors import Flaw, Malformed
from gateway.domain.proofs import read_proof
from gateway.services.casework import checked
from gateway.settings import POLICIES

BOOK = load_rulebook(POLICIES).cases
TODAY = date(2026, 11, 20)
OPEN = {state for state in State if not BOOK.ended(state)}
PATH = [
    "verify",
    "persuade",
    "notify",
    "sanction",
    "refer",
    "resume",
    "return",
    "observe",
    "confirm",
    "close",
]


def test_a_case_goes_the_whole_way_from_suspicion_to_its_end() -> None:
    state, seen = State.SUSPECTED, [State.SUSPECTED]
    for step in PATH:
        found = BOOK.after(state, step)
        assert found is not None, (state, step)
        state = found
        seen.append(state)
    assert state is State.CLOSED
    assert set(seen) == {
        State.SUSPECTED,
        State.VERIFIED,
        State.PERSUADING,
        State.NOTIFIED,
        State.SANCTIONED,
        State.REFERRED,
        State.RETURNED,
        State.OBSERVING,
        State.CLOSED,
    }


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("step", list(BOOK.steps))
def test_a_step_can_be_taken_where_the_file_says_and_nowhere_else(state: State, step: str) -> None:
    text = yaml.safe_load((POLICIES / "cases.yaml").read_text(encoding="utf-8"))["steps"][step]
    origins = OPEN if text["from"] == "open" else {State(each) for each in text["from"]}
    found = BOOK.after(state, step, previous=State.PERSUADING)
    if state not in origins:
        assert found is None
    else:
        goal = {"same": state, "previous": State.PERSUADING}.get(text["to"]) or State(text["to"])
        assert found is goal


ROLES = [
    *yaml.safe_load((POLICIES / "roles.yaml").read_text(encoding="utf-8"))["roles"],
    SYSTEM_ROLE,
]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("state", list(State))
def test_each_role_has_its_steps_in_each_state_and_no_other(state: State, role: str) -> None:
    """Every state × step × role against the file; agencies that only learn of children have no step at all."""
    text = yaml.safe_load((POLICIES / "cases.yaml").read_text(encoding="utf-8"))["steps"]
    wanted = tuple(
        name
        for name, step in text.items()
        if role in step["by"]
        and "through" not in step
        and (state in OPEN if step["from"] == "open" else state.value in step["from"])
    )
    assert BOOK.steps_from(state, role) == wanted
    if role.partition("/")[0] not in {"education", "township", "school", "justice", "gateway"}:
        assert wanted == ()


def test_every_open_state_has_a_way_out_and_every_end_is_one() -> None:
    for state in State:
        ways = {BOOK.after(state, step, State.SUSPECTED) for step in BOOK.steps} - {None}
        if state in OPEN:
            assert {State.MOVED, State.DECEASED, State.EXEMPT, State.GRADUATED, State.DUPLICATE} <= ways
            assert BOOK.states[state].ledger in ("suspected", "dropped-out")
        else:
            assert all(way in OPEN for way in ways if way)


def test_no_sanction_is_the_machines_own() -> None:
    """个人信息保护法 art. 24: the gateway itself verifies, notifies, sanctions and refers nobody."""
    alone = {step.id for step in BOOK.steps.values() if SYSTEM_ROLE in step.by}
    assert alone.isdisjoint(
        {"verify", "persuade", "notify", "sanction", "refer", "exempt", "dismiss", "merge"}
    )


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda body: body["states"].pop("moved"), "moved"),
        (lambda body: body["steps"]["verify"].update(to="nowhere"), "nowhere"),
        (lambda body: body["steps"]["verify"].update(by=["education/nobody"]), "education/nobody"),
        (lambda body: body["steps"]["verify"].update(done=["no-such-duty"]), "no-such-duty"),
        (lambda body: body["steps"]["verify"]["evidence"].update(x="colour"), "x"),
        (lambda body: body.update(observation=[60, 30]), "observation"),
        (lambda body: body["steps"]["notify"]["by"].append(SYSTEM_ROLE), SYSTEM_ROLE),
        (lambda body: body["records"]["visit"].update(done=["no-such-duty"]), "no-such-duty"),
        (lambda body: body["records"]["visit"]["evidence"].update({True: "date"}), "True"),
        (lambda body: body["states"]["closed"].update(ledger="suspected"), "closed"),
    ],
)
def test_a_table_with_a_mistake_is_not_taken(change, word) -> None:
    text = (POLICIES / "cases.yaml").read_text(encoding="utf-8")
    roles = yaml.safe_load((POLICIES / "roles.yaml").read_text(encoding="utf-8"))["roles"]
    duties = load_rulebook(POLICIES).duties.rules
    body = yaml.safe_load(text)
    read_cases(body, roles, duties)
    change(body)
    with pytest.raises(ValueError, match=word):
        read_cases(body, roles, duties)


def test_evidence_is_read_and_what_is_missing_or_wrong_is_named_all_at_once() -> None:
    step = BOOK.steps["verify"]
    body, words = checked(
        step.evidence, {"finding": "working", "found_on": "2026-11-19", "note": " 家访 "}, TODAY
    )
    assert (body, words) == ({"finding": "working", "found_on": "2026-11-19"}, {"note": "家访"})
    with pytest.raises(Malformed) as raised:
        checked(step.evidence, {"finding": "guessing", "colour": "red"}, TODAY)
    assert {(flaw.pointer, flaw.code) for flaw in raised.value.flaws} == {
        ("/evidence/finding", "bad_code"),
        ("/evidence/found_on", "missing_required"),
        ("/evidence/colour", "bad_code"),
    }


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("date", "2026-11-21", "future_date"),
        ("date", "21.11.2026", "bad_date"),
        ("day", 7, "bad_date"),
        ("text", "  ", "out_of_range"),
        ("text", "字" * 501, "out_of_range"),
        ("number", True, "bad_code"),
        ("number", "30", "bad_code"),
        ("region", "999999", "unknown_region"),
        ("school", "一小", "bad_code"),
        ("case", "case-1", "bad_code"),
        ("text", "学生530423201503050029", "personal_data"),
        ("text", "打１３８００１３８０００", "personal_data"),
        ("text", "a\u202eb", "out_of_range"),
        ("texts", "李专干", "out_of_range"),
        ("texts", ["字" * 41], "out_of_range"),
        ("texts", [], "out_of_range"),
        ("codes", [], "bad_code"),
        ("codes", ["x"], "bad_code"),
    ],
)
def test_what_a_piece_of_evidence_must_be(kind: str, value: object, code: str) -> None:
    found = read_proof(Proof("x", kind, required=True), value, TODAY)
    assert isinstance(found, Flaw)
    assert found.code == code


def test_what_a_served_notice_or_a_referral_brings_about_nobody_does_by_hand() -> None:
    through = {step.id: step.through for step in BOOK.steps.values() if step.through}
    assert through == {"notify": "notices", "sanction": "notices", "refer": "referrals", "resume": "outcomes"}
    for state in State:
        assert through.keys().isdisjoint(BOOK.steps_from(state, "education/dropout_lead"))
