"""Cases: worked on step by step by the officers whose turn it is, each step on evidence, and by nobody else."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest

from connectors.transports.rest import client_assertion
from tests.harness import COUNTY, TestGateway, problem, token_form
from tests.officers import (
    ELSEWHERE,
    LEAD,
    OTHER_SCHOOL,
    OTHER_TOWN,
    OUT,
    PERSUADE,
    PLAN,
    RETURN,
    SCHOOL,
    TEACHER,
    TOWN,
    VERIFY,
    VISIT,
    Officer,
    register,
)
from tests.people import resident_id, student


@pytest.fixture
def lead(gateway: TestGateway) -> Officer:
    return Officer(gateway, LEAD)


@pytest.fixture
def town(gateway: TestGateway) -> Officer:
    return Officer(gateway, RETURN, TOWN)


@pytest.fixture
def teacher(gateway: TestGateway) -> Officer:
    return Officer(gateway, TEACHER, TOWN, SCHOOL)


@pytest.fixture
def ref(gateway: TestGateway, lead: Officer) -> str:
    """The case of one child, registered as dropped out."""
    register(gateway, student(2, **OUT), student(4))
    (case,) = lead.cases()
    return str(case["ref"])


def test_a_case_is_listed_with_what_the_contract_says(
    lead: Officer, town: Officer, teacher: Officer, ref: str
) -> None:
    (case,) = lead.cases()
    assert set(case) == {
        *(
            "ref",
            "pseudonym",
            "region",
            "township",
            "school",
            "state",
            "since",
            "opened_at",
            "owner",
            "ended_on",
        ),
    }
    assert case["pseudonym"].startswith("ed1-")
    assert (case["region"], case["township"], case["school"]) == (COUNTY, TOWN, SCHOOL)
    assert (case["state"], case["since"], case["owner"], case["ended_on"]) == (
        "suspected",
        "2026-11-20",
        "school",
        None,
    )
    assert town.cases()[0]["pseudonym"].startswith("tw1-")
    assert "pseudonym" not in teacher.cases()[0]


def test_the_whole_way(lead: Officer, town: Officer, teacher: Officer, ref: str) -> None:
    assert teacher.take(ref, "verify", **VERIFY)["state"] == "verified"
    found = town.take(ref, "persuade", **PERSUADE)
    assert found["plan"]["responsible"] == "驻村干部"
    found = lead.case(ref)
    assert [line["step"] for line in found["history"]] == ["open", "verify", "persuade"]
    assert found["history"][1]["evidence"] == VERIFY
    assert found["history"][1]["by"]["role"] == TEACHER
    assert found["history"][1]["by"]["officer"].startswith("of-")


def test_words_are_sealed_and_an_id_number_in_them_is_turned_away(
    gateway: TestGateway, lead: Officer, ref: str
) -> None:
    lead.take(ref, "verify", **VERIFY)
    with gateway.database() as connection:
        rows = connection.execute("SELECT body, words FROM case_entry").fetchall()
    connection.close()
    assert "家访" not in repr(rows)
    for text in (
        "孩子530423201503050029在家",
        "电话１３９１２３４５６７８",
        "5304 2320 1503 0500 29",
        "\u202e倒写",
    ):
        for path, body in (("comments", {"note": text}), ("visits", {**VISIT, "who": [text]})):
            answer = lead.post(f"/{ref}/{path}", body)
            assert problem(answer) == (400, "malformed")
            assert answer.json()["errors"][0]["pointer"] in ("/note", "/who")
            assert text not in answer.text
    assert len(lead.case(ref)["history"]) == 2


def test_a_visit_a_plan_and_a_comment_stand_in_the_history(lead: Officer, town: Officer, ref: str) -> None:
    assert problem(town.post(f"/{ref}/plan", PLAN)) == (409, "conflict")
    assert {duty["duty"]: duty["status"] for duty in town.case(ref)["duties"]} == {"first-contact": "open"}
    nobody = town.post(f"/{ref}/visits", {**VISIT, "met": "nobody"}).json()
    assert nobody["duties"][0]["status"] == "open", "nobody was met: no contact yet"
    assert town.post(f"/{ref}/visits", VISIT).json()["duties"][0]["status"] == "done"
    town.take(ref, "verify", **VERIFY)
    town.take(ref, "persuade", **PERSUADE)
    revised = town.post(f"/{ref}/plan", PLAN).json()["plan"]
    assert (revised["responsible"], revised["measures"]) == ("张校长", ["home_visit", "aid"])
    found = lead.post(f"/{ref}/comments", {"note": "请乡镇跟进"}).json()
    assert [line["kind"] for line in found["history"]] == [
        *("step", "visit", "visit", "step", "step", "plan", "comment"),
    ]
    assert found["history"][2]["evidence"] == VISIT


def test_evidence_is_needed_and_every_flaw_named(lead: Officer, ref: str) -> None:
    answer = lead.step(ref, "verify", finding="guess", found_on="2027-01-01", colour="red")
    assert problem(answer) == (400, "malformed")
    assert {each["pointer"] for each in answer.json()["errors"]} == {
        "/evidence/finding",
        "/evidence/found_on",
        "/evidence/colour",
    }
    assert lead.case(ref)["state"] == "suspected"


def test_a_repeat_is_a_conflict_or_by_its_key_the_same_answer(lead: Officer, ref: str) -> None:
    assert lead.step(ref, "verify", **VERIFY).status_code == 200
    assert problem(lead.step(ref, "verify", **VERIFY)) == (409, "conflict")
    first = lead.step(ref, "persuade", key="k1", **PERSUADE)
    again = lead.step(ref, "persuade", key="k1", **PERSUADE)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json()["history"] == first.json()["history"]
    assert problem(lead.step(ref, "persuade", key="k1", **{**PERSUADE, "measure": "aid"})) == (
        409,
        "idempotency-mismatch",
    )
    for _ in range(2):
        assert lead.post(f"/{ref}/visits", VISIT, key="v1").status_code == 200
    assert [line["kind"] for line in lead.case(ref)["history"]].count("visit") == 1
    assert "_request" not in first.text


def test_of_two_officers_at_once_one_is_late(gateway: TestGateway, ref: str) -> None:
    officers = [Officer(gateway, LEAD), Officer(gateway, RETURN, TOWN)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: officers[n % 2].step(ref, "verify", **VERIFY), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 7]
    assert len(officers[0].case(ref)["history"]) == 2


def test_a_foreign_case_looks_like_one_that_is_not_there(gateway: TestGateway, ref: str) -> None:
    strangers = [
        Officer(gateway, RETURN, OTHER_TOWN),
        Officer(gateway, TEACHER, TOWN, OTHER_SCHOOL),
        Officer(gateway, LEAD, ELSEWHERE),
    ]
    nothing = "case-" + "a" * 26
    for who in strangers:
        assert who.cases() == []
        for wanted in (ref, nothing, "x"):
            answers = [
                who.get(f"/{wanted}"),
                who.step(wanted, "verify", **VERIFY),
                who.post(f"/{wanted}/visits", VISIT),
                who.post(f"/{wanted}/plan", PLAN),
                who.post(f"/{wanted}/comments", {"note": "好"}),
            ]
            assert {problem(answer) for answer in answers} == {(403, "not-permitted")}
    texts = {who.get(f"/{wanted}").json()["detail"] for who in strangers for wanted in (ref, nothing)}
    assert len(texts) == 1
    for role in ("justice/legal_aid_officer", "civil_affairs/relief_officer", "education/registrar"):
        other = Officer(gateway, role)
        assert {problem(other.get(path)) for path in ("", f"/{ref}")} == {(403, "not-permitted")}
        assert problem(other.step(ref, "refer", referral="ref-1")) == (403, "not-permitted")
    refused = [
        each for each in gateway.audit() if each["exchange"] == "cases" and each["decision"] != "permit"
    ]
    assert len(refused) > 40, "refusals are in the evidence too"


def test_a_notice_is_served_and_a_case_referred_not_claimed(lead: Officer, ref: str) -> None:
    """Only the proof of service, an accepted referral or an outcome takes these steps."""
    lead.take(ref, "verify", **VERIFY)
    lead.take(ref, "persuade", **PERSUADE)
    assert "notify" not in {each["step"] for each in lead.case(ref)["steps"]}
    assert problem(lead.step(ref, "notify", notice="第1号", served_on="2026-11-20")) == (409, "conflict")
    assert lead.case(ref)["state"] == "persuading"


def test_a_step_of_another_role_is_refused(lead: Officer, teacher: Officer, town: Officer, ref: str) -> None:
    assert problem(teacher.step(ref, "exempt", approval_number="1", kind="deferral")) == (
        403,
        "not-permitted",
    )
    teacher.take(ref, "verify", **VERIFY)
    assert problem(teacher.step(ref, "persuade", **PERSUADE)) == (403, "not-permitted")
    assert problem(lead.step(ref, "refer", referral="移送")) == (403, "not-permitted")
    assert problem(lead.step(ref, "open")) == (403, "not-permitted")
    offered = {each["step"] for each in teacher.case(ref)["steps"]}
    assert offered == {"return"}
    assert problem(teacher.step(ref, "return", returned_on="2026-11-20", school=OTHER_SCHOOL)) == (
        400,
        "malformed",
    )


def test_an_officer_without_a_name_reads_and_does_nothing(gateway: TestGateway, ref: str) -> None:
    credentials = gateway.credentials(LEAD)
    assertion = client_assertion(credentials, f"{gateway.url}/oauth2/token", datetime.now(UTC), None)
    token = gateway.call.post("/oauth2/token", data=token_form(assertion)).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert gateway.call.get(f"/v1/cases/{ref}", headers=headers).status_code == 200
    answer = gateway.call.post(f"/v1/cases/{ref}/comments", json={"note": "好"}, headers=headers)
    assert problem(answer) == (403, "officer-unnamed")


def test_a_page_ends_where_it_is_cut_and_filters_hold(gateway: TestGateway, lead: Officer) -> None:
    register(gateway, *(student(number, **OUT) for number in range(2, 12, 2)))
    whole = [case["ref"] for case in lead.cases()]
    assert whole == sorted(whole)
    paged: list[str] = []
    cursor = None
    while True:
        answer = lead.get(limit=2, **({"cursor": cursor} if cursor else {})).json()
        paged += [case["ref"] for case in answer["items"]]
        cursor = answer["next_cursor"]
        if cursor is None:
            break
    assert paged == whole
    assert lead.cases(state="verified") == []
    assert len(lead.cases(state="suspected", region=TOWN)) == 5
    assert lead.cases(region=OTHER_TOWN) == []
    assert problem(lead.get(region=ELSEWHERE)) == (403, "region-out-of-reach")
    assert problem(lead.get(purpose="statistics")) == (403, "purpose-not-granted")
    assert problem(lead.get(state="gone")) == (400, "malformed")


def test_a_merger_takes_leads_and_duties_along_and_gives_them_back(
    gateway: TestGateway, lead: Officer
) -> None:
    register(gateway, student(2, **OUT), student(4, **OUT))
    register(gateway, student(6, **{**OUT, "现住址行政区划": "530424101"}), region=ELSEWHERE)
    one, two = (case["ref"] for case in lead.cases())
    (foreign,) = Officer(gateway, LEAD, ELSEWHERE).cases()
    leads = lambda ref: {each["id"] for each in lead.case(ref)["leads"]}  # noqa: E731 - asked six times
    before = {ref: leads(ref) for ref in (one, two)}
    for wrong in (one, foreign["ref"], "case-" + "a" * 26):
        assert problem(lead.step(one, "merge", into=wrong)) == (400, "malformed")
    found = lead.take(one, "merge", into=two)
    assert (found["state"], found["merged_into"], found["leads"], found["duties"]) == (
        "duplicate",
        two,
        [],
        [],
    )
    assert leads(two) == before[one] | before[two]
    assert {duty["status"] for duty in lead.case(two)["duties"]} == {"open"}
    assert problem(lead.step(two, "merge", into=one)) == (400, "malformed"), "no circle"
    register(gateway, student(2, **{**OUT, "状态日期": "2026-10-30"}), student(4, **OUT))
    assert len(lead.cases()) == 2, "what comes later belongs to the case it was merged into"
    back = lead.take(one, "unmerge", note="两名不同的儿童")
    assert (back["state"], back["merged_into"], back["ended_on"]) == ("suspected", None, None)
    assert {ref: leads(ref) for ref in (one, two)} == before
    assert [line["step"] for line in back["history"]] == ["open", "merge", "unmerge"]


def test_mergers_of_mergers_come_apart_in_either_order(gateway: TestGateway, lead: Officer) -> None:
    register(gateway, *(student(number, **OUT) for number in (2, 4, 6)))
    one, two, three = (case["ref"] for case in lead.cases())
    before = {ref: lead.case(ref)["leads"] for ref in (one, two, three)}
    for undone in ((one, two), (two, one)):
        lead.take(one, "merge", into=two)
        lead.take(two, "merge", into=three)
        assert len(lead.case(three)["leads"]) == 3
        for ref in undone:
            lead.take(ref, "unmerge", note="撤销")
        assert {ref: lead.case(ref)["leads"] for ref in before} == before


def test_a_case_under_observation_is_closed_when_every_day_is_confirmed(
    lead: Officer, teacher: Officer, ref: str
) -> None:
    lead.take(ref, "return", returned_on="2026-11-20", source="visit")
    found = teacher.take(ref, "observe", placement="mainstream", placed_on="2026-11-20")
    assert [line["reached_on"] for line in found["observation"]] == ["2026-12-20", "2027-01-19", "2027-03-20"]
    assert problem(lead.step(ref, "close", closed_on="2026-11-20")) == (409, "conflict")
    for day, on, wanted in ((30, "2026-11-20", 400), (31, "2026-11-20", 400), (60, "2026-11-20", 409)):
        assert lead.step(ref, "confirm", day=day, attended_on=on).status_code == wanted
    assert "close" not in {each["step"] for each in lead.case(ref)["steps"]}


def test_a_return_long_ago_is_observed_from_when_the_case_began(lead: Officer, ref: str) -> None:
    found = lead.take(ref, "return", returned_on="2026-03-01")
    assert found["observation"][0]["reached_on"] == "2026-12-20"


def test_the_guardian_reads_what_was_done(gateway: TestGateway, lead: Officer, ref: str) -> None:
    lead.take(ref, "verify", **VERIFY)
    lead.post(f"/{ref}/visits", VISIT)
    answer = gateway.call.post(
        "/v1/disclosures",
        json={"purpose": "subject_access", "subject": {"resident_id": resident_id(date(2015, 3, 5), 2)}},
        headers=gateway.headers("gateway/counter_clerk", COUNTY),
    )
    assert answer.status_code == 200, answer.text
    sentences = " ".join(each["sentence"] for each in answer.json()["items"])
    assert "核实了该儿童的辍学情况" in sentences
    assert "登记了对该儿童家庭的动员" in sentences
    assert "驻村" not in answer.text
    assert "家访" not in answer.text


def test_a_purpose_may_be_stated_and_counts(lead: Officer, ref: str) -> None:
    """As everywhere else; left out, it is the one there is."""
    step = {"step": "verify", "evidence": VERIFY}
    assert problem(lead.post(f"/{ref}/steps", {**step, "purpose": "statistics"})) == (
        403,
        "purpose-not-granted",
    )
    assert problem(lead.post(f"/{ref}/comments", {"note": "x", "purpose": "nothing"})) == (
        400,
        "unknown-purpose",
    )
    assert problem(lead.post(f"/{ref}/comments", {"note": "x", "purpose": 1})) == (400, "malformed")
    assert problem(lead.post(f"/{ref}/steps", {**step, "who": "x"})) == (400, "malformed")
    assert lead.post(f"/{ref}/steps", {**step, "purpose": "dropout_control"}).status_code == 200
    assert lead.post(f"/{ref}/comments", {"note": "x", "purpose": "dropout_control"}).status_code == 200
