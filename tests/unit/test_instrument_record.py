"""What must have gone before an instrument, when its term is over, and what a proof of service must hold."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from gateway.adapters.documents.templates import load_templates
from gateway.adapters.rulebook import load_rulebook
from gateway.domain.case import State
from gateway.domain.errors import Conflict, Malformed
from gateway.domain.instrument_record import (
    Instrument,
    InstrumentState,
    Service,
    ServiceMethod,
    check_service,
    earlier,
    told_of,
)
from gateway.domain.instruments import Kind
from gateway.domain.model import SubjectId
from gateway.domain.principal import Principal

POLICIES = Path(__file__).parents[2] / "policies"
BOOK = load_rulebook(POLICIES)
TEMPLATES = load_templates(POLICIES, BOOK.duties.rules)
DAY = date(2026, 11, 20)
SERVICE = Service(DAY, ServiceMethod.DIRECT, "父亲本人", "0" * 64)
ISSUED = Instrument(
    id="ins-1",
    kind=Kind.RETURN_ORDER,
    number="1",
    subject=SubjectId(bytes(16)),
    case="case-1",
    county="530423",
    office="530423101",
    role="township/return_officer",
    client="c",
    officer="li",
    issued_at=datetime(2026, 11, 20, tzinfo=UTC),
    issued_on=DAY,
)
SERVED = replace(ISSUED, state=InstrumentState.SERVED, service=SERVICE, due_on=DAY + timedelta(days=7))
VOIDED = replace(ISSUED, state=InstrumentState.VOIDED)
AFTER = DAY + timedelta(days=8)


def _allowed(kind: Kind, known: list[Instrument], state: State, today: date) -> Instrument | str | None:
    try:
        return earlier(TEMPLATES[kind], known, state, today)
    except Conflict:
        return "conflict"


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("state", State)
def test_each_kind_belongs_to_its_states(kind: Kind, state: State) -> None:
    first = kind is Kind.RETURN_ORDER
    fits = state is State.PERSUADING if first else state in {State.NOTIFIED, State.SANCTIONED}
    known = [] if first else [SERVED]
    assert (_allowed(kind, known, state, AFTER) != "conflict") is fits


@pytest.mark.parametrize(
    ("known", "today", "expected"),
    [
        ([], AFTER, "conflict"),
        ([ISSUED], AFTER, "conflict"),
        ([VOIDED], AFTER, "conflict"),
        ([SERVED], DAY, "conflict"),
        ([SERVED], DAY + timedelta(days=7), "conflict"),
        ([SERVED], AFTER, SERVED),
        ([VOIDED, SERVED], AFTER, SERVED),
    ],
)
def test_a_reminder_follows_what_was_served_and_expired(
    known: list[Instrument], today: date, expected: object
) -> None:
    assert _allowed(Kind.REMINDER, known, State.NOTIFIED, today) == expected


def test_the_last_that_was_served_counts() -> None:
    later = replace(SERVED, id="ins-2", kind=Kind.CORRECTION_ORDER)
    later = replace(later, service=replace(SERVICE, served_on=AFTER), due_on=AFTER + timedelta(days=7))
    assert _allowed(Kind.REMINDER, [SERVED, later], State.SANCTIONED, AFTER) == "conflict"
    assert _allowed(Kind.REMINDER, [SERVED, later], State.SANCTIONED, AFTER + timedelta(days=8)) == later


@pytest.mark.parametrize(("known", "may"), [([ISSUED], False), ([SERVED], False), ([VOIDED], True)])
def test_no_second_one_while_the_first_stands(known: list[Instrument], may: bool) -> None:
    assert (_allowed(Kind.RETURN_ORDER, known, State.PERSUADING, DAY) != "conflict") is may
    assert _allowed(Kind.RETURN_ORDER, [SERVED], State.PERSUADING, AFTER) is None


def test_what_a_text_says_of_the_one_before() -> None:
    assert told_of(None) == told_of(ISSUED) == {}
    assert told_of(SERVED)["earlier_due_on"] == "2026年11月27日"


@pytest.mark.parametrize("kind", Kind)
def test_no_term_without_service(kind: Kind) -> None:
    assert ISSUED.due_on is None
    assert not ISSUED.expired(date(2099, 1, 1))
    due = BOOK.duties.due(TEMPLATES[kind].duty, DAY)
    assert due > DAY


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"served_on": DAY - timedelta(days=1)}, "/served_on"),
        ({"served_on": DAY + timedelta(days=1)}, "/served_on"),
        ({"proof": "0" * 63}, "/proof"),
        ({"proof": "0" * 64 + "\n"}, "/proof"),
        ({"recipient_relation": ""}, "/recipient_relation"),
        ({"witnesses": ("王\n",)}, "/witnesses"),
        ({"witnesses": ("王",) * 6}, "/witnesses"),
        ({"method": ServiceMethod.REFUSED_LEFT}, "/witnesses"),
    ],
)
def test_a_proof_of_service_is_whole(change: dict[str, object], pointer: str) -> None:
    check_service(SERVICE, DAY, DAY)
    with pytest.raises(Malformed) as error:
        check_service(replace(SERVICE, **change), DAY, DAY)  # type: ignore[arg-type]
    assert [flaw.pointer for flaw in error.value.flaws] == [pointer]


def test_nobody_is_named_by_a_repr() -> None:
    text = repr(replace(SERVED, service=replace(SERVICE, witnesses=("王见证",)), void_reason="理由甲乙"))
    assert not any(word in text for word in ("父亲本人", "王见证", "理由甲乙"))


def test_issuer_and_team() -> None:
    mine = Principal("c", "township", "township/return_officer", "530423101", officer="li")
    assert ISSUED.issued_by(mine)
    assert ISSUED.of_team(replace(mine, client="d", officer="wang"))
    assert not ISSUED.issued_by(replace(mine, officer="wang"))
    assert not ISSUED.issued_by(replace(mine, client="d"))
    assert not ISSUED.of_team(replace(mine, region="530423102"))
    lead = replace(mine, agency="education", role="education/dropout_lead", region="530423")
    assert not ISSUED.of_team(lead)
    assert ISSUED.voidable_by(mine)
    assert ISSUED.voidable_by(lead)
    assert not ISSUED.voidable_by(replace(lead, region="5304"))
    assert not ISSUED.voidable_by(replace(mine, region="530423102"))
