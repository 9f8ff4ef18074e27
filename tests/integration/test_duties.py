"""Who owes what: each agency its own, the bureau everybody's; what is overdue goes up, and comes back in one count."""

import asyncio
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.db.duty_list import SqliteDuties
from gateway.domain.predicate import All
from tests.harness import COUNTY, LAW_DATE, TestGateway, problem, running
from tests.people import csv_file, resident_id, student

OUT = {"学生状态": "辍学", "状态日期": "2026-10-09"}
SCHOOL, OTHER_SCHOOL = "2153001234", "2153005678"
TOWNSHIP, OTHER_TOWNSHIP = "530423101", "530423102"
EMPLOYER = "91530423MA6K2JJF8X"
PURPOSES = {
    "human_resources/labour_inspector": "labour_inspection",
    "market_regulation/market_inspector": "labour_inspection",
    "civil_affairs/relief_officer": "child_relief",
    "justice/legal_aid_officer": "legal_aid",
    "justice/mediation_officer": "legal_aid",
}
LEAD, RETURN, TEACHER = "education/dropout_lead", "township/return_officer", "school/class_teacher"
INSPECTOR = "human_resources/labour_inspector"
CONTACT = "first-contact"


def register(gateway: TestGateway, *rows: dict[str, str], region: str = COUNTY) -> None:
    answer = gateway.upload("student-register", csv_file(rows), region=region)
    assert answer.status_code == 200, answer.text
    assert answer.json()["rejected"] == 0, answer.text


def get(
    gateway: TestGateway,
    role: str,
    place: str = COUNTY,
    school: str | None = None,
    path: str = "",
    **query: Any,
) -> Any:
    query.setdefault("purpose", PURPOSES.get(role, "dropout_control"))
    return gateway.call.get(f"/v1/duties{path}", params=query, headers=gateway.headers(role, place, school))


def see(gateway: TestGateway, role: str, place: str = COUNTY, school: str | None = None, **query: Any) -> Any:
    answer = get(gateway, role, place, school, **query)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def fill(gateway: TestGateway) -> None:
    """Two dropouts of two townships and schools, and a child at an employer's."""
    register(
        gateway,
        student(2, **OUT),
        student(4, **OUT, 现住址行政区划=OTHER_TOWNSHIP, 学校标识码=OTHER_SCHOOL),
        student(6),
    )
    assert gateway.ask(resident_id(date(2015, 3, 5), 6), employer_uscc=EMPLOYER).status_code == 200


def test_each_sees_its_own_and_the_bureau_sees_all(gateway: TestGateway) -> None:
    fill(gateway)
    all_of_it = see(gateway, LEAD)
    assert sorted((each["owner"], each["duty"]) for each in all_of_it) == [
        ("human_resources", "labour-visit"),
        ("school", "first-contact"),
        ("school", "first-contact"),
        ("school", "first-contact"),
    ]
    assert all(each["status"] == "open" and each["region"] == COUNTY for each in all_of_it)
    (visit,) = see(gateway, INSPECTOR)
    assert visit["employer"] == EMPLOYER
    assert visit.keys().isdisjoint({"case", "pseudonym", "facts", "township", "school"})
    (own,) = see(gateway, TEACHER, COUNTY, OTHER_SCHOOL)
    assert "facts" not in own
    assert own["case"].startswith("case-")
    assert see(gateway, RETURN, TOWNSHIP) == []
    for role in PURPOSES:
        if role != INSPECTOR:
            assert see(gateway, role) == []


def test_the_bureau_learns_no_facts_of_another_agencys_duty(gateway: TestGateway) -> None:
    fill(gateway)
    (visit,) = see(gateway, LEAD, owner="human_resources")
    assert (visit["facts"], visit["employer"], visit["assignee"]) == ({}, None, None)
    assert visit["case"].startswith("case-")


@pytest.mark.parametrize(
    ("day", "to"),
    [
        (LAW_DATE + timedelta(days=5), None),  # the last day, a Wednesday
        (LAW_DATE + timedelta(days=6), f"township@{TOWNSHIP}"),
        (LAW_DATE + timedelta(days=12), f"township@{TOWNSHIP}"),
        (LAW_DATE + timedelta(days=13), f"education@{COUNTY}"),  # five working days later
        (LAW_DATE + timedelta(days=20), "education@5304"),
        (LAW_DATE + timedelta(days=27), "education@53"),
        (LAW_DATE + timedelta(days=60), "education@53"),
    ],
)
def test_what_is_not_done_goes_up_level_by_level(tmp_path: Path, day: date, to: str | None) -> None:
    with running(tmp_path / "data") as gateway:
        register(gateway, student(2, **OUT))
        assert see(gateway, LEAD, overdue=True) == []
    with running(tmp_path / "data", law_date=day) as gateway:
        (duty,) = see(gateway, LEAD, duty=CONTACT)
        assert duty["due_on"] == "2026-11-25"
        assert duty["reminded_on"] == "2026-11-24"
        assert duty["escalated_to"] == to
        assert duty["status"] == ("overdue" if to else "open")
        late = see(gateway, LEAD, duty=CONTACT, overdue=True)
        assert len(late) == len(see(gateway, LEAD, duty=CONTACT, status="overdue")) == bool(to)
        assert len(see(gateway, RETURN, TOWNSHIP, duty=CONTACT)) == bool(to)
        assert see(gateway, RETURN, OTHER_TOWNSHIP) == []


def test_what_is_overdue_is_counted_by_owner_region_and_duty(tmp_path: Path) -> None:
    with running(tmp_path / "data") as gateway:
        fill(gateway)
    with running(tmp_path / "data", law_date=date(2026, 11, 27)) as gateway:
        items = get(gateway, LEAD, path="/overdue", region=COUNTY).json()["items"]
        assert [(each["owner"], each["region"], each["duty"], each["count"]) for each in items] == [
            ("human_resources", TOWNSHIP, "labour-visit", 1),
            ("school", TOWNSHIP, "first-contact", 2),
            ("school", OTHER_TOWNSHIP, "first-contact", 1),
        ]
        assert {each["since"] for each in items} == {"2026-11-25"}
        (above,) = get(gateway, INSPECTOR, "5304", path="/overdue").json()["items"]
        assert (above["region"], above["count"]) == (COUNTY, 1)
        (own,) = get(gateway, INSPECTOR, path="/overdue").json()["items"]
        assert own["region"] == COUNTY, "labour inspection is not told in which township the child lives"
        assert one_statement(gateway) == 3


def one_statement(gateway: TestGateway) -> int:
    """How many groups the count has; the store is asked once for all of them."""
    statements: list[str] = []
    reader = gateway.parts.store.reader
    reader.set_trace_callback(statements.append)
    found = asyncio.run(SqliteDuties(gateway.parts.store).overdue(All(), COUNTY, date(2026, 11, 27), 9))
    reader.set_trace_callback(None)
    assert len(statements) == 1
    assert "GROUP BY" in statements[0]
    return len(found)


def test_pages_follow_one_another_by_last_day(gateway: TestGateway) -> None:
    register(gateway, *(student(number, **OUT) for number in range(2, 9)))
    seen, cursor = [], None
    while True:
        query = {"cursor": cursor} if cursor else {}
        answer = get(gateway, LEAD, limit=3, **query)
        seen += [each["id"] for each in answer.json()["items"]]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 7
    assert problem(get(gateway, LEAD, cursor="x")) == (400, "malformed")


def test_a_lead_that_the_register_closes_takes_its_duty_with_it(tmp_path: Path) -> None:
    with running(tmp_path / "data") as gateway:
        register(gateway, student(2, **OUT))
        register(gateway, student(2, 学生状态="在校", 状态日期="2026-11-15"))
        (duty,) = see(gateway, LEAD)
        assert (duty["status"], duty["done_on"]) == ("done", LAW_DATE.isoformat())
        register(gateway, student(2, 学生状态="辍学", 状态日期="2026-11-18"))
        assert sorted(each["status"] for each in see(gateway, LEAD)) == ["done", "open"]
        register(gateway, student(2, 学生状态="辍学", 状态日期="2026-11-18"))
        assert len(see(gateway, LEAD)) == 2


@pytest.mark.parametrize(
    ("role", "place", "school", "query", "refusal"),
    [
        (INSPECTOR, COUNTY, None, {"purpose": "dropout_control"}, "purpose-not-granted"),
        ("human_resources/recruitment_checker", COUNTY, None, {}, "not-permitted"),
        (TEACHER, COUNTY, SCHOOL, {"region": "530424"}, "region-out-of-reach"),
        ("gateway/auditor", COUNTY, None, {}, "not-permitted"),
        (RETURN, TOWNSHIP, None, {"region": COUNTY}, "region-out-of-reach"),
    ],
)
def test_who_owes_nothing_is_refused(
    gateway: TestGateway, role: str, place: str, school: str | None, query: dict[str, str], refusal: str
) -> None:
    for path in ("", "/overdue"):
        assert problem(get(gateway, role, place, school, path=path, **query)) == (403, refusal)
    assert gateway.audit()[-1]["decision"] == "refuse"


def test_a_lead_explains_itself_as_far_as_the_caller_may_know(gateway: TestGateway) -> None:
    moved = {"学生状态": "转出", "状态日期": "2026-10-01"}
    register(gateway, student(2, **moved))
    (lead,) = gateway.leads()

    def explain(role: str, school: str | None = None, lead_id: str = lead["id"]) -> Any:
        headers = gateway.headers(role, COUNTY, school)
        return gateway.call.get(f"/v1/leads/{lead_id}/explain", headers=headers)

    answer = explain(LEAD).json()
    assert answer["facts"] == [{"fact": "transfer-not-arrived", "since": "2026-10-01"}]
    told = answer["explanation"]
    assert told["thresholds"] == {"transfer_days": 30}
    assert told["version"] == gateway.parts.rulebook.rules["transfer-not-arrived"].version
    assert "30天" in told["when_zh"]
    assert "30 days" in told["when_en"]
    assert "facts" not in explain(TEACHER, SCHOOL).json()
    assert gateway.audit()[-1]["detail"] == "explained"
    assert problem(explain(TEACHER, OTHER_SCHOOL)) == (403, "not-permitted")
    assert problem(explain(LEAD, None, "lead-" + "a" * 26)) == (403, "not-permitted")
    assert problem(explain("human_resources/recruitment_checker")) == (403, "not-permitted")
