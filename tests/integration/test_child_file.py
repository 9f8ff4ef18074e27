"""One child, one file (一生一档): by source and date, each reader its share, and unknown is never no."""

from datetime import date
from typing import Any

import pytest

from tests.harness import COUNTY, TestGateway, problem
from tests.officers import (
    LEAD,
    OTHER_SCHOOL,
    OTHER_TOWN,
    OUT,
    RETURN,
    SCHOOL,
    TEACHER,
    TOWN,
    VERIFY,
    Officer,
    register,
)
from tests.people import (
    EMPLOYER,
    assessment,
    attendance,
    csv_file,
    focus,
    payment,
    relief,
    resident_id,
    sighting,
    student,
)

SOURCES = [
    "aid-payments",
    "attendance",
    "disability-assessment",
    "focus-groups",
    "relief-register",
    "sightings",
]
MISCONDUCT = {"group": "misconduct", "source": "focus-groups", "since": "2026-10-01"}


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
    register(gateway, student(2, **OUT, 家庭经济困难="是"), student(4))
    (case,) = lead.cases()
    return str(case["ref"])


def file_of(officer: Officer, ref: str) -> tuple[dict[str, Any], list[str]]:
    answer = officer.get(f"/{ref}/file")
    assert answer.status_code == 200, answer.text
    return answer.json()["answer"], answer.json()["missing_sources"]


def hand_in(gateway: TestGateway, dataset: str, *rows: dict[str, str]) -> None:
    answer = gateway.upload(dataset, csv_file(rows))
    assert (answer.json()["accepted"], answer.json()["rejected"]) == (len(rows), 0), answer.text


@pytest.fixture
def everything(gateway: TestGateway, ref: str) -> str:
    """The case, once every source has said something of the child."""
    hand_in(gateway, "attendance", attendance(2, 月份="2026-11", 缺勤天数="0", 连续缺勤天数="0"))
    hand_in(gateway, "disability-assessment", assessment())
    hand_in(gateway, "relief-register", relief())
    hand_in(gateway, "aid-payments", payment())
    hand_in(gateway, "sightings", sighting())
    flagged = focus(类别="不良行为", 起始日期="2026-10-01")
    hand_in(gateway, "focus-groups", focus(), focus(类别="流动", 起始日期="2026-03-01"), flagged)
    return ref


# --- by source and date ------------------------------------------------------------------------------------


def test_one_child_one_file_by_source_and_date(gateway: TestGateway, lead: Officer, ref: str) -> None:
    hand_in(gateway, "attendance", attendance(2, 月份="2026-11", 缺勤天数="0", 连续缺勤天数="0"))
    lead.take(ref, "verify", **VERIFY)
    file, missing = file_of(lead, ref)
    assert file["registers"][0]["status"] == "dropped_out"
    assert file["registers"][0]["school"] == SCHOOL
    assert file["attendance"][0]["month"] == "2026-11"
    assert [line["step"] for line in file["history"]] == ["open", "verify"]
    assert file["leads"][0]["facts"] == [{"fact": "registered-dropout", "since": "2026-10-09"}]
    assert missing == [
        "aid-payments",
        "disability-assessment",
        "focus-groups",
        "relief-register",
        "sightings",
    ]
    whole = lead.get(f"/{ref}/file").text
    assert resident_id(date(2015, 3, 5), 2) not in whole
    assert student(2)["姓名"] not in whole


def test_every_source_tells_with_its_date(lead: Officer, everything: str) -> None:
    file, missing = file_of(lead, everything)
    assert missing == []
    assert file["focus_groups"] == [
        {"group": "learning_difficulty", "source": "focus-groups", "since": "2026-09-02"},
        {"group": "economic_hardship", "source": "student-register", "since": "2026-11-20"},
        {"group": "mobile", "source": "focus-groups", "since": "2026-03-01"},
    ]
    assert file["disability"] == [
        {"group": "disability", "source": "disability-assessment", "since": "2026-10-11"}
    ]
    assert file["misconduct"] == [MISCONDUCT]
    assert file["relief"][0]["from_date"] == "2026-09-15"
    (paid,) = file["aid"]
    assert (paid["amount_yuan"], paid["paid_on"], paid["term"]) == ("250.00", "2026-10-20", "2026-2027-1")
    assert file["sightings"] == [
        {"inspected_on": "2026-11-18", "finding": "confirmed", "measure": "correction"}
    ]


# --- unknown is never no -----------------------------------------------------------------------------------


def test_what_nobody_handed_in_is_unknown_and_not_none(lead: Officer, town: Officer, ref: str) -> None:
    file, missing = file_of(lead, ref)
    silent = ("attendance", "relief", "aid", "sightings", "placement_advice", "disability", "misconduct")
    assert {name: file[name] for name in silent} == dict.fromkeys(silent)
    assert missing == SOURCES
    assert [each["group"] for each in file["focus_groups"]] == ["economic_hardship"], "what is known is told"
    by_town, missing = file_of(town, ref)
    assert [by_town[name] for name in ("relief", "aid", "sightings")] == [None, None, None]
    assert missing == SOURCES


def test_what_was_handed_in_without_the_child_is_none(
    gateway: TestGateway, lead: Officer, town: Officer, ref: str
) -> None:
    hand_in(gateway, "attendance", attendance(4))
    hand_in(gateway, "disability-assessment", assessment(4))
    hand_in(gateway, "relief-register", relief(4))
    hand_in(gateway, "aid-payments", payment(4))
    hand_in(gateway, "sightings", sighting(None))
    hand_in(gateway, "focus-groups", focus(4))
    file, missing = file_of(lead, ref)
    silent = ("attendance", "relief", "aid", "sightings", "placement_advice", "disability", "misconduct")
    assert {name: file[name] for name in silent} == {name: [] for name in silent}
    assert missing == []
    by_town, _ = file_of(town, ref)
    assert [by_town[name] for name in ("relief", "aid", "sightings")] == [False, False, False]


def test_another_schools_list_says_nothing_of_this_child(
    gateway: TestGateway, lead: Officer, teacher: Officer, ref: str
) -> None:
    register(gateway, student(6, 学校标识码=OTHER_SCHOOL))
    query, url = {"purpose": "dropout_control"}, "/v1/exchanges/focus-groups/uploads"
    other = Officer(gateway, TEACHER, COUNTY, OTHER_SCHOOL)

    def upload(by: Officer, number: int) -> dict[str, Any]:
        headers = {**by.headers, "Content-Type": "text/csv"}
        answer = gateway.call.post(url, params=query, content=csv_file([focus(number)]), headers=headers)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    assert upload(other, 6)["accepted"] == 1
    file, missing = file_of(lead, ref)
    assert (file["misconduct"], "focus-groups" in missing) == (None, True)
    assert upload(teacher, 6)["rejected"] == 1, "a file of which no row was taken says nothing either"
    assert file_of(lead, ref)[0]["misconduct"] is None
    assert upload(teacher, 4)["accepted"] == 1
    file, missing = file_of(lead, ref)
    assert (file["misconduct"], "focus-groups" in missing) == ([], False)


def test_another_townships_relief_office_says_nothing_of_this_child(
    gateway: TestGateway, lead: Officer, ref: str
) -> None:
    def upload(region: str) -> None:
        headers = {**gateway.headers("civil_affairs/register_keeper", region), "Content-Type": "text/csv"}
        answer = gateway.call.post(
            "/v1/exchanges/relief-register/uploads",
            params={"purpose": "relief_registration"},
            content=csv_file([relief(4, 行政区划=region)]),
            headers=headers,
        )
        assert (answer.status_code, answer.json()["rejected"]) == (200, 0), answer.text

    upload(OTHER_TOWN)
    assert file_of(lead, ref)[0]["relief"] is None
    upload(TOWN)
    assert file_of(lead, ref)[0]["relief"] == []


# --- each its share ----------------------------------------------------------------------------------------


def test_each_reader_of_a_file_gets_its_share(
    gateway: TestGateway, town: Officer, teacher: Officer, everything: str
) -> None:
    by_town, _ = file_of(town, everything)
    assert [by_town[name] for name in ("relief", "aid", "sightings")] == [True, True, True]
    assert not {"misconduct", "disability", "placement_advice"} & set(by_town)
    by_teacher, _ = file_of(teacher, everything)
    assert set(by_teacher) == {"case", "registers", "attendance", "focus_groups", "cases", "history"}
    for found in (by_town, by_teacher):
        groups = {each["group"] for each in found["focus_groups"]}
        assert groups == {"learning_difficulty", "economic_hardship", "mobile"}
    for stranger in (Officer(gateway, RETURN, OTHER_TOWN), Officer(gateway, TEACHER, TOWN, OTHER_SCHOOL)):
        answers = [stranger.get(f"/{wanted}/file") for wanted in (everything, "case-" + "a" * 26)]
        assert {problem(answer) for answer in answers} == {(403, "not-permitted")}
        assert len({answer.json()["detail"] for answer in answers}) == 1
    assert problem(Officer(gateway, "justice/legal_aid_officer").get(f"/{everything}/file")) == (
        403,
        "not-permitted",
    )


def test_no_word_of_what_a_reader_may_not_know(
    lead: Officer, town: Officer, teacher: Officer, everything: str
) -> None:
    texts = {who: who.get(f"/{everything}/file").text for who in (lead, town, teacher)}
    for text in texts.values():
        for word in (EMPLOYER, "示范加工厂", "一号车间", "hearing", "category", "听力"):
            assert word not in text, word
    for who in (town, teacher):
        for word in ("misconduct", "disability", "mainstream", "250.00", "relief_class"):
            assert word in texts[lead]
            assert word not in texts[who], word
    for word in ("sight", '"confirmed"', "aid", "relief"):
        assert word in texts[lead]
        assert word not in texts[teacher], word


def test_misconduct_changes_nothing_that_others_can_see(
    gateway: TestGateway, town: Officer, teacher: Officer, lead: Officer, ref: str
) -> None:
    """Neither a value nor what is missing: once the school has handed in its list, a row more is told to nobody."""
    hand_in(gateway, "focus-groups", focus(4))
    before = [file_of(who, ref) for who in (town, teacher)]
    hand_in(gateway, "focus-groups", focus(2, 类别="不良行为", 起始日期="2026-10-01"))
    assert file_of(lead, ref)[0]["misconduct"] == [MISCONDUCT]
    assert [file_of(who, ref) for who in (town, teacher)] == before


def test_a_teacher_is_told_of_no_source_behind_fields_that_are_not_granted(
    gateway: TestGateway, teacher: Officer, ref: str
) -> None:
    """When the county's inspection or assessors first hand in a file is none of a school's business."""
    assert file_of(teacher, ref)[1] == ["attendance", "focus-groups"]
    hand_in(gateway, "sightings", sighting())
    hand_in(gateway, "disability-assessment", assessment())
    assert file_of(teacher, ref)[1] == ["attendance", "focus-groups"]


def test_the_evidence_names_the_fields_that_were_told_and_no_value(
    gateway: TestGateway, lead: Officer, town: Officer, everything: str
) -> None:
    file_of(lead, everything)
    file_of(town, everything)
    by_lead, by_town = gateway.audit()[-2:]
    assert by_lead["fields"]["misconduct"] == "keep"
    assert by_lead["fields"].keys() - by_town["fields"].keys() == {
        "misconduct",
        "disability",
        "placement_advice",
    }
    for entry in (by_lead, by_town):
        assert "learning_difficulty" not in str(entry)
        assert EMPLOYER not in str(entry)
