"""Whatever a case holds, and whatever the file of routes allows: before acceptance nothing of the child comes out."""

from datetime import UTC, date, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.adapters.cedar import CedarDecisionPoint
from gateway.adapters.referralbook import load_referrals
from gateway.adapters.rulebook import load_rulebook
from gateway.domain.case import Actor
from gateway.domain.deidentify import Mask
from gateway.domain.model import SubjectId
from gateway.domain.principal import Principal
from gateway.domain.referral import Comment, Kind, Referral, State
from gateway.domain.referral_record import record_of
from schemas.catalogue import EXCHANGES, Action
from tests.policy.support import POLICIES, bundle

POINT = CedarDecisionPoint(bundle())
BOOK = load_referrals(POLICIES, load_rulebook(POLICIES))
RECEIVERS = ["justice/legal_aid_officer", "justice/mediation_officer"]
MARK = "机密"
secrets = st.text(alphabet="甲乙丙丁戊己庚辛", min_size=1).map(lambda text: MARK + text)


@st.composite
def referrals(draw: st.DrawFn) -> Referral:
    """A pending one, full of what must not come out."""
    now = datetime(2026, 11, 20, tzinfo=UTC)
    words = {name: draw(secrets) for name in ("note", "reason", "outcome_note")}
    guardian = {"name": draw(secrets), "phone": draw(secrets)}
    return Referral(
        id="rfl-" + draw(st.text("0123456789abcdef", min_size=26, max_size=26)),
        kind=Kind.REFERRAL,
        route="justice",
        county="530423",
        residence=draw(secrets),
        subject=SubjectId(draw(st.binary(min_size=16, max_size=16))),
        case=draw(secrets),
        measure=draw(st.sampled_from(BOOK.routes["justice"].measures)),
        sender=Actor(draw(secrets), draw(secrets), "township", "township/return_officer"),
        state=draw(st.sampled_from([State.PENDING, State.REJECTED, State.REVOKED])),
        sent_at=now,
        sent_on=date(2026, 11, 20),
        due_on=date(2026, 11, 27),
        body={
            "stage": "notified",
            "case_open_weeks": 3,
            "notices_served": ["2026-11-02"],
            draw(secrets): MARK,
        },
        words={
            **words,
            "guardian": guardian,
            "notices": [{"number": draw(secrets), "served_on": "2026-11-02"}],
        },
        school=draw(secrets),
    )


@given(referrals(), st.sampled_from(RECEIVERS), secrets, secrets, st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_preview_holds_nothing_of_the_child(
    referral: Referral, role: str, pseudonym: str, text: str, whole: bool
) -> None:
    who = Principal("c", "justice", role, "530423", officer="o")
    grant = POINT.decide(who, Action.REFER, "case-referral", "legal_aid", "530423")
    comments = [Comment(datetime(2026, 11, 20, tzinfo=UTC), referral.sender, text)]
    record = record_of(referral, date(2026, 11, 20), pseudonym, comments)
    # The policies alone hold it, even if the file of routes were to narrow nothing.
    part = None if whole else BOOK.routes["justice"].preview
    shown = Mask(EXCHANGES["case-referral"], grant, part).apply(record)
    assert MARK not in str(shown)
    plain = {each.name for each in EXCHANGES["case-referral"].fields if each.classification == "plain"}
    assert set(shown) <= plain


@given(st.sampled_from(RECEIVERS), st.sampled_from([None, "wang", ""]))
def test_the_rows_of_accepted_cases_are_their_owners_only(role: str, owner: str | None) -> None:
    who = Principal("c", "justice", role, "530423", officer="li")
    grant = POINT.decide(who, Action.REFER, "referred-case", "legal_aid", "530423")
    assert not grant.rows.evaluate({"region": "530423", "owner": owner, "sealed": False})
    assert grant.rows.evaluate({"region": "530423", "owner": "li", "sealed": False})
    assert not grant.rows.evaluate({"region": "530402", "owner": "li", "sealed": False})
