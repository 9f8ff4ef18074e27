"""What another county hands in neither renames a child, nor answers for this county, nor takes its leads away."""

import json

import pytest

from tests.harness import TestGateway
from tests.people import csv_file, student

OTHER = "530402"


@pytest.fixture
def dropout(gateway: TestGateway) -> dict[str, str]:
    """A child this county's register shows as dropped out."""
    row = student(51, 学生状态="辍学", 状态日期="2026-09-01")
    assert gateway.upload("student-register", csv_file([row])).json()["accepted"] == 1
    return row


def _elsewhere(gateway: TestGateway, row: dict[str, str]) -> dict[str, object]:
    claim = {
        **row,
        "姓名": "冒名",
        "学生状态": "在校",
        "状态日期": "2026-11-19",
        "现住址行政区划": "530402100",
    }
    answer: dict[str, object] = gateway.upload("student-register", csv_file([claim]), region=OTHER).json()
    return answer


def test_the_name_stays(gateway: TestGateway, dropout: dict[str, str]) -> None:
    assert _elsewhere(gateway, dropout)["accepted"] == 1
    with gateway.database() as connection:
        ((subject, key, sealed),) = connection.execute("SELECT id, data_key, sealed FROM subject").fetchall()
    connection.close()
    assert json.loads(gateway.parts.keys.open_identity(subject, key, sealed))["name"] == dropout["姓名"]


def test_registers_that_disagree_are_unknown_and_close_nothing(
    gateway: TestGateway, dropout: dict[str, str]
) -> None:
    assert gateway.ask(dropout["身份证件号"]).json()["answer"]["out_of_school"] == "yes"
    _elsewhere(gateway, dropout)
    answer = gateway.ask(dropout["身份证件号"]).json()["answer"]
    assert answer["out_of_school"] == "unknown"
    gateway.upload("student-register", csv_file([student(52)]))
    rules = {lead["rule"]: (lead["status"], lead["region"]) for lead in gateway.leads()}
    assert rules["registered-dropout"] == ("open", dropout["现住址行政区划"])
    assert rules["applicant-under-16"] == ("open", dropout["现住址行政区划"])


def test_a_child_transferred_out_has_arrived_where_another_county_shows_it(gateway: TestGateway) -> None:
    row = student(53, 学生状态="转出", 状态日期="2026-09-01")
    gateway.upload("student-register", csv_file([row]))
    assert gateway.ask(row["身份证件号"]).json()["answer"]["out_of_school"] == "yes"
    _elsewhere(gateway, row)
    assert gateway.ask(row["身份证件号"]).json()["answer"]["out_of_school"] == "no"


def test_a_student_number_says_nothing_about_other_counties_children(
    gateway: TestGateway, dropout: dict[str, str]
) -> None:
    """Neither an oracle for who is known, nor a way to give another county's child a new id."""
    probe = student(54, 学籍号=dropout["学籍号"])
    receipt = gateway.upload("student-register", csv_file([probe]), region=OTHER).json()
    assert (receipt["accepted"], receipt["errors"]) == (1, [])
    nameless = student(55, 身份证件类型="其他", 身份证件号="", 学籍号="J606660413599671596")
    gateway.upload("student-register", csv_file([nameless]))
    taken = student(56, 学籍号="J606660413599671596")
    assert gateway.upload("student-register", csv_file([taken]), region=OTHER).json()["accepted"] == 1
    with gateway.database() as connection:
        subjects = connection.execute("SELECT count(*) FROM subject").fetchone()[0]
    connection.close()
    assert subjects == 4
