"""What a review found in the work on cases, each with the way it was found: who learns what, and what is still owed."""

from datetime import date
from pathlib import Path

import pytest

from tests.harness import COUNTY, TestGateway, problem, running
from tests.integration.test_duties import EMPLOYER, INSPECTOR, get, see
from tests.officers import LEAD, OUT, PERSUADE, PLAN, SCHOOL, TEACHER, TOWN, VERIFY, Officer, register
from tests.people import csv_file, resident_id, sighting, student

VILLAGE = "530423101201"
FOUND = {"finding": "in_school", "found_on": "2026-11-19"}


def test_a_teacher_learns_of_no_duty_that_is_owed_for_a_lead_about_work(gateway: TestGateway) -> None:
    register(gateway, student(6, 现住址行政区划=TOWN))
    assert gateway.ask(resident_id(date(2015, 3, 5), 6), employer_uscc=EMPLOYER).status_code == 200
    teacher = Officer(gateway, TEACHER, TOWN, SCHOOL)
    (listed,) = teacher.cases()
    case = teacher.case(listed["ref"])
    assert case["leads"] == []
    assert [each["duty"] for each in case["duties"]] == ["first-contact"], (
        "the own school's, and no labour visit"
    )
    assert {each["duty"] for each in Officer(gateway, LEAD).case(listed["ref"])["duties"]} == {
        "first-contact",
        "labour-visit",
    }


@pytest.mark.parametrize("again", [1, 2, 3])
def test_the_same_step_on_the_same_day_is_owed_each_time(gateway: TestGateway, again: int) -> None:
    register(gateway, student(2, **OUT))
    lead = Officer(gateway, LEAD)
    (ref,) = [each["ref"] for each in lead.cases()]
    for _ in range(again):
        lead.take(ref, "dismiss", **FOUND)
        assert _owed(lead, ref) == []
        lead.take(ref, "reopen", note="误办")
    assert _owed(lead, ref) == ["first-contact"]
    for _ in range(again):
        lead.take(ref, "return", returned_on="2026-11-20")
        assert _owed(lead, ref) == ["record-placement"]
        lead.take(ref, "relapse", relapsed_on="2026-11-20")
        assert _owed(lead, ref) == ["first-contact"]


def _owed(officer: Officer, ref: str) -> list[str]:
    return [each["duty"] for each in officer.case(ref)["duties"] if each["status"] == "open"]


@pytest.mark.parametrize("role", [INSPECTOR, "civil_affairs/relief_officer"])
def test_who_is_not_told_the_township_asks_for_none(gateway: TestGateway, role: str) -> None:
    register(gateway, student(6, 现住址行政区划=VILLAGE))
    assert gateway.ask(resident_id(date(2015, 3, 5), 6), employer_uscc=EMPLOYER).status_code == 200
    for path in ("", "/overdue"):
        assert get(gateway, role, path=path, region=COUNTY).status_code == 200
        for place in (TOWN, VILLAGE):
            assert problem(get(gateway, role, path=path, region=place)) == (403, "not-permitted")
    assert len(see(gateway, LEAD, region=VILLAGE)) == 2


def test_what_no_township_sees_the_county_owes(gateway: TestGateway) -> None:
    """A child of no register: nobody knows its school or its home."""
    assert gateway.ask(resident_id(date(2015, 3, 5), 6), employer_uscc=EMPLOYER).status_code == 200
    lead = Officer(gateway, LEAD)
    (contact,) = see(gateway, LEAD, duty="first-contact")
    assert contact["owner"] == "education"
    (listed,) = lead.cases()
    assert listed["owner"] == "education"
    path = f"/v1/duties/{contact['id']}/done"
    assert gateway.call.post(path, json={"what": "contacted"}, headers=lead.headers).status_code == 200


def test_a_register_with_short_or_long_school_codes_moves_its_cases(tmp_path: Path) -> None:
    """What the register takes as a school's code, the step it proves takes too."""
    for number, code in enumerate(("S123", "P1234567890123456789")):
        with running(tmp_path / str(number), law_date=date(2026, 10, 12)) as gateway:
            register(gateway, student(2, **OUT))
        with running(tmp_path / str(number)) as gateway:
            back = {"学生状态": "在校", "状态日期": "2026-11-19", "学校标识码": code}
            answer = gateway.upload("student-register", csv_file([student(2, **back)]))
            assert answer.json()["rejected"] == 0
            (case,) = Officer(gateway, LEAD).cases()
            assert (case["state"], case["school"]) == ("returned", code)


def test_a_teacher_rewrites_no_plan(gateway: TestGateway) -> None:
    """Who could not have made it (`persuade`) does not revise it either."""
    register(gateway, student(2, **OUT))
    lead, teacher = Officer(gateway, LEAD), Officer(gateway, TEACHER, TOWN, SCHOOL)
    (ref,) = [each["ref"] for each in lead.cases()]
    lead.take(ref, "verify", **VERIFY)
    lead.take(ref, "persuade", **PERSUADE)
    assert problem(teacher.post(f"/{ref}/plan", PLAN)) == (403, "not-permitted")
    assert lead.case(ref)["plan"]["responsible"] == PERSUADE["responsible"]
    assert teacher.post(f"/{ref}/comments", {"note": "已电话联系"}).status_code in (200, 201)
    assert lead.post(f"/{ref}/plan", PLAN).status_code in (200, 201)
    assert lead.case(ref)["plan"]["responsible"] == PLAN["responsible"]


def test_a_sealed_case_is_merged_with_no_open_one(gateway: TestGateway) -> None:
    register(gateway, student(2, **OUT), student(4, **OUT))
    lead = Officer(gateway, LEAD)
    one, other = (each["ref"] for each in lead.cases())
    name = _name(gateway, lead)
    with gateway.parts.store.writing() as connection:
        connection.execute("UPDATE case_file SET sealed = 1, owner = ? WHERE ref = ?", (name, one))
    for ref, into in ((one, other), (other, one)):
        assert problem(lead.step(ref, "merge", into=into)) == (409, "conflict")


def _name(gateway: TestGateway, officer: Officer) -> str:
    """What the policy compares a sealed case's owner with: the officer, as the last entry of the evidence names it."""
    officer.cases()
    return str(gateway.audit()[-1]["officer"])


def test_after_a_merger_no_plan_is_owed_that_nobody_can_make(gateway: TestGateway) -> None:
    register(gateway, student(2, **OUT), student(4, **OUT))
    lead = Officer(gateway, LEAD)
    one, other = (each["ref"] for each in lead.cases())
    lead.take(one, "verify", **VERIFY)
    for step, evidence in (("verify", VERIFY), ("persuade", PERSUADE)):
        lead.take(other, step, **evidence)
    lead.take(one, "merge", into=other)
    assert "make-plan" in _owed(lead, other)
    assert lead.post(f"/{other}/plan", PLAN).status_code == 200
    assert "make-plan" not in _owed(lead, other)


def test_a_teacher_sees_in_the_case_what_the_own_school_owes(gateway: TestGateway) -> None:
    register(gateway, student(2, **OUT))
    assert gateway.upload("sightings", csv_file([sighting(2)])).json()["accepted"] == 1
    teacher = Officer(gateway, TEACHER, TOWN, SCHOOL)
    (listed,) = teacher.cases()
    assert {each["owner"] for each in teacher.case(listed["ref"])["duties"]} == {"school"}
    assert len(teacher.case(listed["ref"])["duties"]) == len(see(gateway, TEACHER, TOWN, SCHOOL))
