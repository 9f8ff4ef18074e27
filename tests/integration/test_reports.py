"""Reports: made at their time from the facts, signed by whom they concern, held against what is known."""

import io
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest

from tests.harness import COUNTY, XLSX, TestGateway, problem, running
from tests.people import csv_file, student

SCHOOL, OTHER = "3153000101", "3153000102"
LEAD, TEACHER = "education/dropout_lead", "school/class_teacher"
LEFT = {"学生状态": "辍学", "状态日期": "2026-10-09"}


def rows() -> list[dict[str, str]]:
    here = {"学校标识码": SCHOOL}
    there = {"学校标识码": OTHER}
    return [student(2, **here, **LEFT), student(4, **here), student(6, **there), student(8, **there)]


def at(data: Path, day: date) -> Any:
    return running(data, law_date=day)


def lived(gateway: TestGateway) -> None:
    gateway.parts.daily.run()


def get(gateway: TestGateway, path: str, headers: dict[str, str], **query: Any) -> httpx.Response:
    return gateway.call.get(path, params=query, headers=headers)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reports") / "data"
    with at(folder, date(2026, 10, 12)) as gateway:
        answer = gateway.upload("student-register", csv_file(rows()))
        assert answer.json()["rejected"] == 0, answer.text
    with at(folder, date(2026, 10, 31)) as gateway:
        lived(gateway)
    return folder


@pytest.fixture(scope="module")
def gateway(data: Path) -> Iterator[TestGateway]:
    with at(data, date(2026, 11, 2)) as found:
        lived(found)
        yield found


def of_kind(gateway: TestGateway, kind: str, role: str = LEAD, **who: Any) -> list[dict[str, Any]]:
    answer = get(gateway, "/v1/reports/2026-10", gateway.headers(role, **who), kind=kind)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def test_each_school_has_a_report_of_the_month_with_the_facts(gateway: TestGateway) -> None:
    found = {each["school"]: each for each in of_kind(gateway, "school-monthly")}
    assert set(found) == {SCHOOL, OTHER}
    here = found[SCHOOL]
    assert (here["first"], here["last"], here["made_on"]) == ("2026-10-01", "2026-10-31", "2026-11-01")
    assert (here["status"], here["due_on"]) == ("due", "2026-11-04")
    assert {name: here["figures"][name] for name in ("students", "left", "opened", "suspected_now")} == {
        "students": 1,
        "left": 1,
        "opened": 1,
        "suspected_now": 1,
    }
    assert found[OTHER]["figures"]["left"] == 0
    assert "absent" not in here["figures"], "no attendance came in: nobody knows"
    assert here["missing"] == ["attendance"]
    assert here["disagreements"] == []


def test_a_report_is_made_once_however_often_the_day_is_lived(gateway: TestGateway) -> None:
    before = of_kind(gateway, "school-monthly")
    gateway.parts.daily._done = None
    lived(gateway)
    assert of_kind(gateway, "school-monthly") == before


def test_a_teacher_sees_the_own_schools_report_alone(gateway: TestGateway) -> None:
    assert [each["school"] for each in of_kind(gateway, "school-monthly", TEACHER, school=OTHER)] == [OTHER]
    assert of_kind(gateway, "lost-students", TEACHER, school=OTHER) == []


def test_the_list_of_lost_students_names_children_as_the_caller_knows_them(gateway: TestGateway) -> None:
    (report,) = of_kind(gateway, "lost-students")
    answer = get(gateway, f"/v1/reports/{report['id']}/children", gateway.headers(LEAD))
    (child,) = answer.json()["items"]
    lead = gateway.leads()[0]
    assert (child["case"], child["pseudonym"]) == (lead["case"], lead["pseudonym"])
    assert (child["home_school"], child["since"], child["because"]) == (SCHOOL, "2026-10-09", "dropped_out")
    assert "reports" in {each["exchange"] for each in gateway.audit() if each["count"] == 1}
    refused = get(gateway, f"/v1/reports/{report['id']}/children", gateway.headers(LEAD, "530424"))
    assert problem(refused) == (403, "not-permitted")


def test_each_form_of_reports_says_in_the_evidence_what_was_told(gateway: TestGateway) -> None:
    lead = gateway.headers(LEAD)
    for form in ("json", "xlsx"):
        before = len(gateway.audit())
        assert get(gateway, "/v1/reports/2026-10", lead, format=form).status_code == 200
        (entry,) = gateway.audit()[before:]
        assert {"figures", "status", "disagreements"} <= set(entry["fields"]), form


def test_the_list_of_lost_students_leaves_a_sealed_case_out(gateway: TestGateway) -> None:
    (report,) = of_kind(gateway, "lost-students")
    path, lead = f"/v1/reports/{report['id']}/children", gateway.headers(LEAD)
    assert len(get(gateway, path, lead).json()["items"]) == 1
    with gateway.parts.store.writing() as connection:
        connection.execute("UPDATE case_file SET sealed = 1")
    try:
        assert get(gateway, path, lead).json()["items"] == []
    finally:
        with gateway.parts.store.writing() as connection:
            connection.execute("UPDATE case_file SET sealed = 0")


def test_a_workbook_for_people(gateway: TestGateway) -> None:
    answer = get(gateway, "/v1/reports/2026-10", gateway.headers(LEAD), format="xlsx")
    assert answer.headers["content-type"] == XLSX
    table = list(openpyxl.load_workbook(io.BytesIO(answer.content)).active.values)  # type: ignore[union-attr]
    assert table[0][0] == "报告 Report"
    assert "学校月报" in {row[0] for row in table}


def sign(gateway: TestGateway, report: str, headers: dict[str, str], **body: Any) -> httpx.Response:
    return gateway.call.post(
        f"/v1/reports/{report}/sign", json={"purpose": "dropout_control", **body}, headers=headers
    )


def test_only_the_school_signs_its_report_and_only_once(gateway: TestGateway) -> None:
    report = of_kind(gateway, "school-monthly", TEACHER, school=OTHER)[0]["id"]
    for stranger in (
        gateway.headers(LEAD),
        gateway.headers(TEACHER, school=SCHOOL),
        gateway.headers(LEAD, "530424"),
    ):
        assert problem(sign(gateway, report, stranger)) == (403, "not-permitted")
    own = gateway.headers(TEACHER, school=OTHER)
    assert problem(sign(gateway, report, own, figures={"opened": -1})) == (400, "malformed")
    assert problem(sign(gateway, report, own, figures={"guesses": 1})) == (400, "malformed")
    assert gateway.audit()[-1]["decision"] == "fail"
    signed = sign(gateway, report, own)
    assert (signed.status_code, signed.json()["status"]) == (200, "signed")
    assert signed.json()["signed_on"] == "2026-11-02"
    assert problem(sign(gateway, report, own)) == (409, "conflict")
    connection = gateway.database()
    duty = connection.execute(
        "SELECT status FROM duty WHERE kind = 'school-report' AND school = ?", (OTHER,)
    ).fetchall()
    connection.close()
    assert duty == [("done",)]


def test_who_says_less_than_the_facts_is_named_and_looked_into(gateway: TestGateway) -> None:
    report = of_kind(gateway, "school-monthly", TEACHER, school=SCHOOL)[0]["id"]
    signed = sign(
        gateway, report, gateway.headers(TEACHER, school=SCHOOL), figures={"left": 0, "students": 1}
    )
    (wrong,) = signed.json()["disagreements"]
    assert (wrong["figure"], wrong["stated"], wrong["facts"], wrong["kind"]) == ("left", 0, 1, "understated")
    connection = gateway.database()
    found = connection.execute(
        "SELECT owner, school, status FROM duty WHERE kind = 'report-check'"
    ).fetchall()
    connection.close()
    assert found == [("education", SCHOOL, "open")]


def test_facts_that_arrive_later_are_held_against_a_signed_report(gateway: TestGateway) -> None:
    changed = [each | LEFT if each["学籍号"] == rows()[2]["学籍号"] else each for each in rows()]
    answer = gateway.upload("student-register", csv_file(changed))
    assert answer.json()["rejected"] == 0, answer.text
    (report,) = of_kind(gateway, "school-monthly", TEACHER, school=OTHER)
    found = {each["figure"]: each for each in report["disagreements"]}
    assert found["left"]["later"] is True
    assert (found["left"]["stated"], found["left"]["facts"]) == (0, 1)


def test_a_report_nobody_signs_is_overdue_and_its_duty_stands(data: Path, gateway: TestGateway) -> None:
    (report,) = of_kind(gateway, "township-monthly", "township/return_officer", region="530423101")[:1]
    assert report["status"] == "due"
    connection = gateway.database()
    found = connection.execute(
        "SELECT owner, residence, due_on, status FROM duty WHERE kind = 'township-report'"
    ).fetchall()
    connection.close()
    assert ("township", "530423101", "2026-11-04", "open") in found


def test_what_is_no_period_is_said_to_be_none(gateway: TestGateway) -> None:
    answer = get(gateway, "/v1/reports/2026-13", gateway.headers(LEAD))
    assert problem(answer) == (400, "malformed")


def test_other_agencies_have_no_reports(gateway: TestGateway) -> None:
    for role, purpose in (
        ("justice/legal_aid_officer", "legal_aid"),
        ("health/disability_assessor", "statistics"),
    ):
        answer = get(gateway, "/v1/reports", gateway.headers(role, COUNTY), purpose=purpose)
        assert answer.status_code == 403
