"""Focus groups: handed in by registrar and class teacher, read from every source, misconduct in no list."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from gateway.adapters.db.focus import SqliteFocusGroups
from gateway.domain.focus import OF_SCHOOL, Focus, only
from gateway.domain.model import SubjectId
from tests.harness import COUNTY, LAW_DATE, TestGateway, problem, running
from tests.people import assessment, csv_file, focus, relief, resident_id, student

SCHOOL = "2153001234"
TEACHER, LEAD = "school/class_teacher", "education/dropout_lead"


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[TestGateway]:
    with running(tmp_path / "data") as found:
        rows = [student(2, 家庭经济困难="是", 留守儿童="是"), student(3), student(4, 学校标识码="2153009999")]
        assert found.upload("student-register", csv_file(rows)).json()["accepted"] == 3
        yield found


def subject_of(gateway: TestGateway, number: int = 2) -> bytes:
    with gateway.database() as db:
        known = dict(db.execute("SELECT lookup, subject_id FROM identifier"))
    return bytes(known[gateway.parts.keys.lookup("resident_id", resident_id(number=number))])


def groups(gateway: TestGateway, number: int = 2, region: str = COUNTY) -> tuple[Focus, ...]:
    return SqliteFocusGroups(gateway.parts.store).of_child(
        SubjectId(subject_of(gateway, number)), region, LAW_DATE
    )


def test_each_group_is_told_from_its_own_source(gateway: TestGateway) -> None:
    gateway.upload("disability-assessment", csv_file([assessment()]))
    gateway.upload("relief-register", csv_file([relief()]))
    rows = [focus(), focus(类别="流动", 起始日期="2026-03-01"), focus(类别="不良行为", 起始日期="2026-10-01")]
    assert gateway.upload("focus-groups", csv_file(rows)).json()["accepted"] == 3
    assert [(each.group, each.source, each.since.isoformat()) for each in groups(gateway)] == [
        ("learning_difficulty", "focus-groups", "2026-09-02"),
        ("economic_hardship", "student-register", "2026-11-20"),
        ("left_behind", "student-register", "2026-11-20"),
        ("disability", "disability-assessment", "2026-10-11"),
        ("mobile", "focus-groups", "2026-03-01"),
        ("relief", "relief-register", "2026-09-15"),
        ("misconduct", "focus-groups", "2026-10-01"),
    ]


def test_misconduct_is_in_no_list_and_in_the_leads_file_alone(gateway: TestGateway) -> None:
    gateway.upload("focus-groups", csv_file([focus(类别="不良行为"), focus(3)]))
    listed = SqliteFocusGroups(gateway.parts.store).of_region(COUNTY, LAW_DATE)
    assert listed
    assert all(each.group != "misconduct" for found in listed.values() for each in found)
    everything = groups(gateway)
    assert only(everything, {"misconduct"}) == [
        {"group": "misconduct", "source": "focus-groups", "since": "2026-09-02"}
    ]
    assert {each["group"] for each in only(everything, OF_SCHOOL)} == {"economic_hardship", "left_behind"}


def test_of_one_child_another_county_tells_nothing(gateway: TestGateway) -> None:
    gateway.upload("focus-groups", csv_file([focus(类别="不良行为")]))
    assert groups(gateway, region="530424") == ()


def test_what_is_over_is_not_told(gateway: TestGateway) -> None:
    gateway.upload("focus-groups", csv_file([focus(终止日期="2026-11-01"), focus(3, 终止日期="2026-11-20")]))
    assert "learning_difficulty" not in {each.group for each in groups(gateway, 2)}
    assert [each.group for each in groups(gateway, 3)] == ["learning_difficulty"]


def test_a_class_teacher_writes_about_the_own_school_only(gateway: TestGateway) -> None:
    headers = {**gateway.headers(TEACHER, COUNTY, SCHOOL), "Content-Type": "text/csv"}
    url, purpose = "/v1/exchanges/focus-groups/uploads", {"purpose": "dropout_control"}
    receipt = gateway.call.post(
        url, params=purpose, content=csv_file([focus(2), focus(4)]), headers=headers
    ).json()
    assert (receipt["accepted"], [flaw["code"] for flaw in receipt["errors"]]) == (1, ["unknown_student"])
    without = {**gateway.headers(TEACHER, COUNTY), "Content-Type": "text/csv"}
    assert (
        problem(gateway.call.post(url, params=purpose, content=csv_file([focus(2)]), headers=without))[0]
        == 403
    )


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("类别", "残疾", "bad_code"),
        ("起始日期", "2027-01-01", "future_date"),
        ("终止日期", "2026-01-01", "out_of_range"),
    ],
)
def test_a_wrong_cell_comes_back(gateway: TestGateway, column: str, value: str, code: str) -> None:
    receipt = gateway.upload("focus-groups", csv_file([focus(**{column: value})])).json()
    assert [(flaw["column"], flaw["code"]) for flaw in receipt["errors"]] == [(column, code)]


def test_it_is_in_no_answer_of_any_list(gateway: TestGateway) -> None:
    gateway.upload("focus-groups", csv_file([focus(类别="不良行为")]))
    asked = {"purpose": "child_relief", "region": COUNTY}
    answer = gateway.call.get(
        "/v1/exchanges/needy-children/records",
        params=asked,
        headers=gateway.headers("civil_affairs/relief_officer"),
    )
    assert answer.json()["items"]
    for word in ("misconduct", "不良", "focus"):
        assert word not in answer.text


def test_the_day_of_the_source_is_a_date(gateway: TestGateway) -> None:
    assert {type(each.since) for each in groups(gateway)} == {date}
