"""Placement advice as each role gets it, and as those who try for what is not theirs; what came of it, for health."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.harness import COUNTY, TestGateway, problem, running
from tests.people import assessment, csv_file, resident_id, student

OFFICER, AID, HEALTH = "education/placement_officer", "education/aid_officer", "health/disability_assessor"
PURPOSES = {OFFICER: "placement", AID: "aid_delivery", HEALTH: "disability_assessment"}
ADVICE, OUTCOMES = "placement-advice", "placement-outcomes"
SECRET = ("category", "grade")


def records(gateway: TestGateway, role: str, exchange: str = ADVICE, **query: Any) -> httpx.Response:
    region = query.pop("from_region", COUNTY)
    asked = {"purpose": PURPOSES.get(role, "placement"), "region": COUNTY, "limit": 500, **query}
    return gateway.call.get(
        f"/v1/exchanges/{exchange}/records", params=asked, headers=gateway.headers(role, region)
    )


def ask(gateway: TestGateway, role: str, subject: dict[str, str], **body: str) -> httpx.Response:
    asked = {"purpose": PURPOSES.get(role, "placement"), "subject": subject, **body}
    return gateway.call.post(f"/v1/exchanges/{ADVICE}/ask", json=asked, headers=gateway.headers(role))


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestGateway]:
    """2 placed, 3 dropped out, 4 in no register, 5 deferred, 6 assessed without a word on support, 7 not assessed."""
    with running(tmp_path_factory.mktemp("placement") / "data") as found:
        rows = [student(2), student(3, 学生状态="辍学", 状态日期="2026-10-09"), student(6), student(7)]
        rows.append(student(5, 学生状态="缓学", 状态日期="2026-09-01"))
        assert found.upload("student-register", csv_file(rows)).json()["accepted"] == 5
        assessed = [assessment(2), assessment(3, 残疾类别="智力", 残疾等级="一级", 教育适宜性="建议送教上门")]
        assessed += [assessment(4, 教育适宜性="建议特殊教育学校", 是否需要支持服务="否")]
        assessed += [assessment(5, 教育适宜性="建议缓学"), assessment(6, 是否需要支持服务="")]
        assert found.upload("disability-assessment", csv_file(assessed)).json()["accepted"] == 5
        yield found


def who(gateway: TestGateway, number: int, agency: str = "education") -> str:
    with gateway.database() as db:
        known = dict(db.execute("SELECT lookup, subject_id FROM identifier"))
    lookup = gateway.parts.keys.lookup("resident_id", resident_id(number=number))
    return str(gateway.parts.keys.pseudonym(agency, known[lookup]))


EXPECTED = {
    2: ("mainstream", "yes", "yes"),
    3: ("home_delivery", "yes", "no"),
    4: ("special_school", "no", "no"),
    5: ("deferral", "yes", "no"),
    6: ("mainstream", "unknown", "yes"),
}


def test_the_placement_officer_learns_the_advice_and_no_disability(gateway: TestGateway) -> None:
    body = records(gateway, OFFICER).json()
    told = {each["pseudonym"]: tuple(each.values())[1:] for each in body["items"]}
    assert told == {who(gateway, number): row for number, row in EXPECTED.items()}
    assert (body["missing_sources"], body["k"], body["k_reached"]) == ([], None, True)
    assert not any(name in each for each in body["items"] for name in SECRET)


def test_the_aid_office_learns_category_and_grade_for_the_subsidy(gateway: TestGateway) -> None:
    told = {each["pseudonym"]: each for each in records(gateway, AID).json()["items"]}
    assert [told[who(gateway, 3)][name] for name in SECRET] == ["5", "1"]
    assert len(told) == 5


@pytest.mark.parametrize(
    ("role", "purpose", "refusal"),
    [
        (AID, "placement", "purpose-not-granted"),
        (AID, "statistics", "purpose-not-granted"),
        (AID, "poverty", "unknown-purpose"),
        (OFFICER, "aid_delivery", "purpose-not-granted"),
        ("education/registrar", "student_registration", "not-permitted"),
        ("education/dropout_lead", "dropout_control", "not-permitted"),
        ("civil_affairs/relief_officer", "aid_delivery", "not-permitted"),
        ("human_resources/recruitment_checker", "child_labour_check", "not-permitted"),
        ("human_resources/labour_inspector", "aid_delivery", "not-permitted"),
        ("market_regulation/market_inspector", "placement", "not-permitted"),
        ("justice/legal_aid_officer", "legal_aid", "not-permitted"),
        (HEALTH, "disability_assessment", "not-permitted"),
    ],
)
def test_everybody_else_is_refused_before_any_look_up(
    gateway: TestGateway, role: str, purpose: str, refusal: str
) -> None:
    for answer in (
        records(gateway, role, purpose=purpose),
        ask(gateway, role, {"resident_id": resident_id()}, purpose=purpose),
        ask(gateway, role, {"resident_id": "nobody"}, purpose=purpose),
    ):
        assert problem(answer)[1] == refusal
        assert "pseudonym" not in answer.text


@pytest.mark.parametrize("number", sorted(EXPECTED))
def test_one_child_is_answered_as_in_the_list(gateway: TestGateway, number: int) -> None:
    listed = {each["pseudonym"]: each for each in records(gateway, OFFICER).json()["items"]}
    by_id = ask(gateway, OFFICER, {"resident_id": resident_id(number=number)}).json()
    by_name = ask(gateway, OFFICER, {"pseudonym": who(gateway, number)}).json()
    assert by_id["answer"] == by_name["answer"] == listed[who(gateway, number)]
    assert by_id["as_of"] == "2026-11-20T00:00:00Z"


@pytest.mark.parametrize(
    "subject",
    [
        {"resident_id": resident_id(number=7)},  # not assessed
        {"resident_id": resident_id(number=99)},  # nobody
        {"pseudonym": "ed1-" + "2" * 32},
        {"pseudonym": "ca1-" + "2" * 32},
        {"pseudonym": "x"},
        {"pseudonym": ""},
    ],
)
def test_unknown_is_unknown_whyever(gateway: TestGateway, subject: dict[str, str]) -> None:
    body = ask(gateway, OFFICER, subject).json()
    assert body["answer"] == {
        "pseudonym": None,
        "advised_placement": "unknown",
        "needs_support": "unknown",
        "placed": "unknown",
    }
    assert body["missing_sources"] == []


def test_another_agencys_pseudonym_finds_nobody(gateway: TestGateway) -> None:
    told = ask(gateway, OFFICER, {"pseudonym": who(gateway, 2, "health")}).json()["answer"]
    assert told["pseudonym"] is None


def test_another_countys_officer_learns_nothing(gateway: TestGateway) -> None:
    headers = gateway.headers(OFFICER, "530424")
    body = {"purpose": "placement", "subject": {"resident_id": resident_id()}}
    answer = gateway.call.post(f"/v1/exchanges/{ADVICE}/ask", json=body, headers=headers).json()
    assert set(answer["answer"].values()) == {None, "unknown"}
    assert problem(records(gateway, OFFICER, from_region="530424"))[1] == "region-out-of-reach"
    asked = {"purpose": "placement", "region": "530424"}
    own = gateway.call.get(f"/v1/exchanges/{ADVICE}/records", params=asked, headers=headers).json()
    assert (own["items"], own["missing_sources"]) == ([], ["disability-assessment", "student-register"])


@pytest.mark.parametrize(
    "subject",
    [
        {},
        {"resident_id": resident_id(), "pseudonym": "ed1-" + "2" * 32},
        {"resident_id": "530423201503050029"},
        {"resident_id": 5},
    ],
)
def test_a_child_is_named_in_one_right_way(gateway: TestGateway, subject: dict[str, Any]) -> None:
    answer = ask(gateway, OFFICER, subject)
    assert answer.status_code == 400
    assert "2015" not in answer.text


def test_an_ask_is_in_the_evidence_with_the_child(gateway: TestGateway) -> None:
    reference = ask(gateway, OFFICER, {"resident_id": resident_id()}).json()["reference"]
    entry = next(each for each in gateway.audit() if each["reference"] == reference)
    assert (entry["exchange"], entry["detail"], entry["count"]) == (ADVICE, "asked", 1)
    assert set(entry["fields"]) == {"pseudonym", "advised_placement", "needs_support", "placed"}
    with gateway.database() as db:
        (subject,) = db.execute(
            "SELECT subject_id FROM audit_entry WHERE reference = ?", (reference,)
        ).fetchone()
    assert gateway.parts.keys.pseudonym("education", subject) == who(gateway, 2)


def test_a_township_tells_no_more_than_the_county(gateway: TestGateway) -> None:
    """The list has no place in it: asking township by township must not put one in."""
    whole = records(gateway, OFFICER).json()["items"]
    for township in ("530423101", "530423102", "530423101001"):
        assert records(gateway, OFFICER, region=township).json()["items"] == whole


def test_health_learns_what_came_of_it_and_nothing_of_school(gateway: TestGateway) -> None:
    body = records(gateway, HEALTH, OUTCOMES).json()
    told = {each["pseudonym"]: tuple(each.items())[1:] for each in body["items"]}
    assert told == {who(gateway, number, "health"): (("placed", row[2]),) for number, row in EXPECTED.items()}
    for role in (OFFICER, AID, "health/rehabilitation_officer", "justice/mediation_officer"):
        answer = records(gateway, role, OUTCOMES, purpose="disability_assessment")
        assert problem(answer)[1] in ("not-permitted", "purpose-not-granted")


def test_health_is_not_told_of_attendance(tmp_path: Path) -> None:
    """A child long absent is still placed: nothing else may be read off the answer."""
    with running(tmp_path / "data") as gateway:
        assert gateway.upload("student-register", csv_file([student()])).json()["accepted"] == 1
        gateway.upload("disability-assessment", csv_file([assessment()]))
        before = records(gateway, HEALTH, OUTCOMES).json()["items"]
        row = {"学籍号": student()["学籍号"], "月份": "2026-10", "应到天数": "22", "缺勤天数": "20"}
        receipt = gateway.upload("attendance", csv_file([{**row, "连续缺勤天数": "20", "事由": ""}])).json()
        assert receipt["accepted"] == 1
        assert records(gateway, HEALTH, OUTCOMES).json()["items"] == before != []


def test_silent_sources_say_so_and_place_nobody(tmp_path: Path) -> None:
    with running(tmp_path / "data") as gateway:
        empty = records(gateway, OFFICER).json()
        assert (empty["items"], empty["missing_sources"]) == (
            [],
            ["disability-assessment", "student-register"],
        )
        gateway.upload("disability-assessment", csv_file([assessment()]))
        body = records(gateway, OFFICER).json()
        assert [each["placed"] for each in body["items"]] == ["unknown"]
        assert body["missing_sources"] == ["student-register"]


def test_children_asked_one_after_the_other_are_counted(gateway: TestGateway) -> None:
    """Neighbouring numbers stop at the twentieth (policies/limits.yaml)."""
    credentials = gateway.credentials(OFFICER)
    headers = {"Authorization": f"Bearer {gateway.fetch_token(credentials)}"}
    statuses = [
        gateway.call.post(
            f"/v1/exchanges/{ADVICE}/ask",
            json={"purpose": "placement", "subject": {"resident_id": resident_id(number=number)}},
            headers=headers,
        ).status_code
        for number in range(100, 125)
    ]
    assert statuses[0] == 200
    assert statuses[-1] == 403
