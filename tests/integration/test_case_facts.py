"""Cases move by what registers prove, and by nothing that they leave out."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from gateway.settings import POLICIES
from tests.harness import COUNTY, TestGateway, running
from tests.officers import ELSEWHERE, LEAD, OUT, SCHOOL, TEACHER, TOWN, VERIFY, Officer, register
from tests.people import attendance, csv_file, student

BEGIN, LATER = date(2026, 11, 20), date(2026, 11, 26)
BACK = {"学生状态": "在校", "状态日期": "2026-11-25"}


@contextmanager
def on(data: Path, day: date, **settings: Any) -> Iterator[TestGateway]:
    """The gateway on a later day, on the same data: it has lived through the days between."""
    with running(data, law_date=day, **settings) as gateway:
        gateway.parts.daily.run()
        yield gateway


def only(gateway: TestGateway, region: str = COUNTY) -> dict[str, Any]:
    """The one case of the county, whole."""
    officer = Officer(gateway, LEAD, region)
    (case,) = officer.cases()
    return officer.case(case["ref"])


def present(gateway: TestGateway, *months: str, **changes: str) -> None:
    rows = [attendance(2, 月份=month, 缺勤天数="0", 连续缺勤天数="0", **changes) for month in months]
    answer = gateway.upload("attendance", csv_file(rows))
    assert answer.json()["rejected"] == 0, answer.text


def steps(case: dict[str, Any]) -> list[str]:
    return [line["step"] for line in case["history"]]


def duties(case: dict[str, Any], status: str = "open") -> set[str]:
    return {duty["duty"] for duty in case["duties"] if duty["status"] == status}


def begun(data: Path, **settings: Any) -> None:
    with running(data, **settings) as gateway:
        register(gateway, student(2, **OUT), student(4))


def placed(gateway: TestGateway) -> dict[str, Any]:
    """The child is back by the register and placed by its teacher."""
    register(gateway, student(2, **BACK), student(4))
    teacher = Officer(gateway, TEACHER, TOWN, SCHOOL)
    return teacher.take(only(gateway)["ref"], "observe", placement="mainstream", placed_on="2026-11-26")


def test_a_register_that_shows_the_child_back_later_returns_it(tmp_path: Path) -> None:
    begun(tmp_path / "data")
    with on(tmp_path / "data", LATER) as gateway:
        register(gateway, student(2, **{**BACK, "状态日期": "2026-11-15"}))
        assert only(gateway)["state"] == "suspected", "a day before the case is no return"
        register(gateway, student(2, **BACK))
        case = only(gateway)
        assert (case["state"], steps(case)) == ("returned", ["open", "return"])
        line = case["history"][1]
        assert line["by"] == {"agency": "gateway", "role": "gateway/system", "officer": None}
        assert line["evidence"] == {"returned_on": "2026-11-25", "school": SCHOOL, "source": "register"}
        assert duties(case) == {"record-placement"}
        (entry,) = [
            each for each in gateway.audit() if each["exchange"] == "cases" and each["agency"] == "gateway"
        ]
        assert entry["detail"] == f"return {case['ref']}"
        register(gateway, student(2, **BACK), student(4))
        assert only(gateway)["history"] == case["history"], "the same facts again change nothing"


def test_what_an_officer_found_later_weighs_more_than_an_older_date_in_a_register(tmp_path: Path) -> None:
    begun(tmp_path / "data")
    with on(tmp_path / "data", date(2026, 11, 28)) as gateway:
        ref = only(gateway)["ref"]
        Officer(gateway, LEAD).take(ref, "verify", **{**VERIFY, "found_on": "2026-11-27"})
        register(gateway, student(2, **BACK))
        assert only(gateway)["state"] == "verified"


def test_files_confirm_the_days_of_observation_and_the_case_is_closed_on_them(tmp_path: Path) -> None:
    data = tmp_path / "data"
    begun(data)
    with on(data, LATER) as gateway:
        placed(gateway)
        present(gateway, "2026-11")
    with on(data, date(2026, 12, 25)) as gateway:
        case = only(gateway)
        assert case["observation"][0]["reached_on"] == "2026-12-25"
        assert case["observation"][0]["confirmed_on"] is None, (
            "no file of that month: silence confirms nothing"
        )
        assert duties(case) == {"confirm-attendance"}
    with on(data, date(2026, 12, 31)) as gateway:
        present(gateway, "2026-12")
        case = only(gateway)
        assert case["observation"][0]["attended_on"] == "2026-12-25"
        assert (duties(case), duties(case, "done")) == (
            set(),
            {"confirm-attendance", "record-placement", "first-contact"},
        )
    with on(data, date(2027, 3, 31)) as gateway:
        assert duties(only(gateway)) == {"confirm-attendance"}
        present(gateway, "2027-01", "2027-02")
        assert [day["confirmed_on"] is None for day in only(gateway)["observation"]] == [False, False, True]
        present(gateway, "2027-03")
        case = only(gateway)
        assert (case["state"], case["ended_on"], duties(case)) == ("closed", "2027-03-31", set())
        assert steps(case) == ["open", "return", "observe", "confirm", "confirm", "confirm", "close"]
        assert {lead["status"] for lead in case["leads"]} == {"closed"}


def test_absence_over_the_threshold_confirms_nothing_and_is_a_relapse(tmp_path: Path) -> None:
    data = tmp_path / "data"
    begun(data)
    with on(data, LATER) as gateway:
        placed(gateway)
        present(gateway, "2026-11")
    with on(data, date(2026, 12, 31)) as gateway:
        register(gateway, student(2, **BACK), student(4))
        rows = [attendance(2, 月份="2026-12", 缺勤天数="12", 连续缺勤天数="12")]
        assert gateway.upload("attendance", csv_file(rows)).json()["rejected"] == 0
        case = only(gateway)
        assert (case["state"], case["observation"]) == ("verified", [])
        assert case["history"][-1]["evidence"] == {"relapsed_on": "2026-12-31", "source": "register"}
        assert duties(case) == {"first-contact", "absence-report"}
        register(gateway, student(2, **BACK))
        assert only(gateway)["state"] == "verified", "the old date in the register brings nobody back"


def test_a_dropout_registered_again_is_a_relapse(tmp_path: Path) -> None:
    begun(tmp_path / "data")
    with on(tmp_path / "data", date(2026, 11, 30)) as gateway:
        placed(gateway)
        register(gateway, student(2, **{**OUT, "状态日期": "2026-11-29"}))
        assert steps(only(gateway))[-1] == "relapse"


def test_another_countys_register_moves_nobody(tmp_path: Path) -> None:
    begun(tmp_path / "data")
    with on(tmp_path / "data", LATER) as gateway:
        register(gateway, student(2, **{**BACK, "现住址行政区划": "530424101"}), region=ELSEWHERE)
        register(gateway, student(4))
        assert steps(only(gateway)) == ["open"]


def test_who_has_graduated_or_died_is_looked_for_no_more(tmp_path: Path) -> None:
    with running(tmp_path / "data") as gateway:
        register(gateway, student(2, **OUT), student(4, **OUT))
    with on(tmp_path / "data", LATER) as gateway:
        gone = [
            {"学生状态": "毕业", "状态日期": "2026-11-25"},
            {"学生状态": "死亡", "状态日期": "2026-11-24"},
        ]
        register(gateway, student(2, **gone[0]), student(4, **gone[1]))
        officer = Officer(gateway, LEAD)
        cases = [officer.case(case["ref"]) for case in officer.cases()]
        assert {case["state"] for case in cases} == {"graduated", "deceased"}
        assert all(duties(case) == set() and case["ended_on"] == "2026-11-26" for case in cases)


def test_a_deferral_that_is_over_opens_the_case_again(tmp_path: Path) -> None:
    data = tmp_path / "data"
    begun(data)
    with on(data, LATER) as gateway:
        Officer(gateway, LEAD).take(
            only(gateway)["ref"],
            "exempt",
            approval_number="教缓〔2026〕3号",
            kind="deferral",
            until="2026-12-01",
        )
    with on(data, date(2026, 12, 1)) as gateway:
        assert only(gateway)["state"] == "exempt", "its last day"
    with on(data, date(2026, 12, 3)) as gateway:
        case = only(gateway)
        assert (case["state"], case["since"], case["ended_on"]) == ("suspected", "2026-12-02", None)
        assert [(duty["duty"], duty["due_on"]) for duty in case["duties"] if duty["status"] == "open"] == [
            ("first-contact", "2026-12-07")
        ]


def test_a_county_observes_by_its_own_days(tmp_path: Path) -> None:
    policies = tmp_path / "policies"
    shutil.copytree(POLICIES, policies)
    (policies / "counties").mkdir()
    own = {"cases": {"observation": [10]}, "duties": {"first-contact": {"days": 1}}}
    (policies / "counties" / f"{COUNTY}.yaml").write_text(yaml.safe_dump(own), encoding="utf-8")
    begun(tmp_path / "data", policies=policies)
    with on(tmp_path / "data", LATER, policies=policies) as gateway:
        assert [duty["due_on"] for duty in only(gateway)["duties"]] == ["2026-11-23"]
        case = placed(gateway)
        assert [day["reached_on"] for day in case["observation"]] == ["2026-12-05"]


def test_a_child_that_moved_house_is_the_new_townships(tmp_path: Path) -> None:
    begun(tmp_path / "data")
    with on(tmp_path / "data", LATER) as gateway:
        register(gateway, student(2, **{**OUT, "现住址行政区划": "530423102"}))
        assert only(gateway)["township"] == "530423102"
        assert Officer(gateway, "township/return_officer", TOWN).cases() == []
