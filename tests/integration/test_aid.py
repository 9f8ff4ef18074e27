"""Aid: payments handed in, gaps told both ways, duties that open once and end by the record that answers them."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.harness import COUNTY, TestGateway, problem, running
from tests.people import csv_file, payment, relief, resident_id, student

OFFICE, CIVIL = "education/aid_officer", "civil_affairs/relief_officer"
HARD, WELL = {"家庭经济困难": "是"}, {"家庭经济困难": "否"}
AUTUMN = "2026-2027-1"
AFTER = date(2026, 12, 10)
"""After the day by which autumn's aid is paid."""


def records(gateway: TestGateway, role: str = OFFICE, **query: Any) -> httpx.Response:
    asked = {"purpose": "aid_delivery", "region": COUNTY, "limit": 5000, **query}
    return gateway.call.get("/v1/exchanges/aid-gap/records", params=asked, headers=gateway.headers(role))


def items(gateway: TestGateway, role: str = OFFICE, **query: Any) -> list[dict[str, Any]]:
    answer = records(gateway, role, **query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def taken(gateway: TestGateway, dataset: str, rows: list[dict[str, str]]) -> None:
    receipt = gateway.upload(dataset, csv_file(rows)).json()
    assert receipt["accepted"] + receipt["unchanged"] == len(rows), receipt


def named(gateway: TestGateway, agency: str) -> dict[str, str]:
    """Pseudonym → the child's student number."""
    parts = gateway.parts
    with gateway.database() as db:
        known = dict(db.execute("SELECT lookup, subject_id FROM identifier"))
    found = {}
    for number in range(2, 100):
        subject = known.get(parts.keys.lookup("resident_id", resident_id(number=number)))
        if subject:
            found[parts.keys.pseudonym(agency, subject)] = student(number)["学籍号"]
    return found


def duties(gateway: TestGateway, kind: str) -> list[tuple[str, str, str, str | None]]:
    """(owner, due on, status, done by) of every duty of a kind."""
    with gateway.database() as db:
        return db.execute(
            "SELECT owner, due_on, status, done_by FROM duty WHERE kind = ? ORDER BY id", (kind,)
        ).fetchall()


def county(gateway: TestGateway) -> None:
    """Boarders and day pupils, poor, on relief and well off: ten of each, so that k is reached."""
    rows = [student(n, **HARD, 就读方式="住校") for n in range(2, 12)]
    rows += [student(n, **HARD) for n in range(12, 22)]
    rows += [student(n, **WELL) for n in range(22, 42)]
    taken(gateway, "student-register", rows)
    taken(gateway, "relief-register", [relief(n) for n in range(22, 32)])


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[TestGateway]:
    with running(tmp_path / "data") as found:
        yield found


def test_silence_makes_nobody_unpaid(gateway: TestGateway) -> None:
    county(gateway)
    body = records(gateway).json()
    assert (body["items"], body["missing_sources"]) == ([], ["aid-payments"])
    empty = gateway.call.get(
        "/v1/exchanges/needy-children/records",
        params={"purpose": "child_relief", "region": COUNTY},
        headers=gateway.headers(CIVIL),
    ).json()
    assert {each["aid_received"] for each in empty["items"]} == {None}
    assert empty["missing_sources"] == ["aid-payments"]


def test_without_a_relief_register_nobody_is_wrongly_paid(gateway: TestGateway) -> None:
    taken(gateway, "student-register", [student(2, **HARD), *(student(n, **WELL) for n in range(3, 10))])
    taken(gateway, "aid-payments", [payment(n) for n in range(3, 10)])
    body = records(gateway).json()
    assert [each["direction"] for each in body["items"]] == ["entitled_unpaid"]
    assert body["missing_sources"] == ["relief-register"]


def test_gaps_both_ways(gateway: TestGateway) -> None:
    county(gateway)
    paid = [payment(n, 金额="500") for n in range(2, 7)]  # five boarders in full
    paid += [payment(n, 金额="250") for n in range(12, 17)]  # five day pupils in full
    paid += [payment(n, 金额="250.00") for n in range(32, 37)]  # five whom nothing entitles
    taken(gateway, "aid-payments", paid)
    body = records(gateway).json()
    assert (body["missing_sources"], body["k"], body["k_reached"]) == ([], 5, True)
    who = named(gateway, "education")
    told = {who[each["pseudonym"]]: each for each in body["items"]}
    expected = {student(n)["学籍号"]: ("entitled_unpaid", "500.00") for n in range(7, 12)}
    expected |= {student(n)["学籍号"]: ("entitled_unpaid", "250.00") for n in range(17, 32)}
    expected |= {student(n)["学籍号"]: ("paid_not_entitled", "0.00") for n in range(32, 37)}
    assert {name: (each["direction"], each["entitled_yuan"]) for name, each in told.items()} == expected
    assert {each["stage"] for each in told.values()} == {"primary"}
    assert {each["township"] for each in told.values()} == {"530423101"}
    assert {each["paid_yuan"] for each in told.values() if each["direction"] == "paid_not_entitled"} == {
        "250.00"
    }
    assert all("basis" not in each for each in told.values())


def test_civil_affairs_hears_of_no_school_and_no_sum(gateway: TestGateway) -> None:
    county(gateway)
    taken(gateway, "aid-payments", [payment(n) for n in range(32, 37)])
    found = items(gateway, CIVIL)
    assert {tuple(each) for each in found} == {("pseudonym", "township", "direction", "basis")}
    who = named(gateway, "civil_affairs")
    grounds = {who[each["pseudonym"]]: each["basis"] for each in found}
    assert grounds[student(2)["学籍号"]] == ["hardship"]
    assert grounds[student(22)["学籍号"]] == ["relief"]
    assert grounds[student(32)["学籍号"]] == []
    assert not {each["pseudonym"] for each in found} & {each["pseudonym"] for each in items(gateway)}


def test_a_part_payment_is_told_as_such_and_a_later_one_closes_it(gateway: TestGateway) -> None:
    county(gateway)
    taken(gateway, "aid-payments", [payment(n, 金额="200") for n in range(2, 12)])
    who = named(gateway, "education")
    told = {who[each["pseudonym"]]: each["direction"] for each in items(gateway)}
    assert {told[student(n)["学籍号"]] for n in range(2, 12)} == {"underpaid"}
    taken(gateway, "aid-payments", [payment(n, 金额="300", 发放日期="2026-11-02") for n in range(2, 12)])
    assert not {student(n)["学籍号"] for n in range(2, 12)} & {
        who[each["pseudonym"]] for each in items(gateway)
    }


def test_a_file_without_schemes_is_one_of_living_allowances(gateway: TestGateway) -> None:
    county(gateway)
    rows = [{name: value for name, value in payment(n).items() if name != "资助类别"} for n in range(12, 17)]
    taken(gateway, "aid-payments", [*rows, {**rows[0], "发放日期": "2026-11-01"}])
    who = named(gateway, "education")
    told = {who[each["pseudonym"]] for each in items(gateway)}
    assert not {student(n)["学籍号"] for n in range(12, 17)} & told
    again = gateway.upload("aid-payments", csv_file([payment(12)])).json()
    assert (again["accepted"], again["unchanged"]) == (0, 1), "the same payment, its scheme written out"
    twice = gateway.upload("aid-payments", csv_file([rows[1], {**rows[1], "金额": "1"}])).json()
    assert [flaw["code"] for flaw in twice["errors"]] == ["duplicate_in_file"]


def test_other_aid_does_not_count(gateway: TestGateway) -> None:
    county(gateway)
    taken(gateway, "aid-payments", [payment(n, 资助类别="社会资助", 金额="900") for n in range(2, 42)])
    told = {each["direction"] for each in items(gateway)}
    assert told == {"entitled_unpaid"}


def test_a_gap_told_to_few_is_told_coarsely(gateway: TestGateway) -> None:
    """One odd sum in a township would single its child out: the sums go, for all of it."""
    county(gateway)
    taken(
        gateway, "aid-payments", [payment(2, 金额="123.45"), *(payment(n, 金额="500") for n in range(3, 7))]
    )
    body = records(gateway).json()
    assert "123.45" not in json.dumps(body)
    assert {each["paid_yuan"] for each in body["items"]} == {None}
    assert {"field": "paid_yuan", "to": None, "where": ["530423101"]} in body["generalised"]
    assert body["k_reached"]


def test_aid_received_is_answered_from_payments(gateway: TestGateway) -> None:
    county(gateway)
    taken(gateway, "aid-payments", [payment(n) for n in range(2, 7)])
    asked = {"purpose": "child_relief", "region": COUNTY, "limit": 500}
    body = gateway.call.get(
        "/v1/exchanges/needy-children/records", params=asked, headers=gateway.headers(CIVIL)
    ).json()
    who = named(gateway, "civil_affairs")
    got = {who[each["pseudonym"]]: each["aid_received"] for each in body["items"]}
    assert got == {student(n)["学籍号"]: n < 7 for n in range(2, 22)}
    assert body["missing_sources"] == []


@pytest.mark.parametrize("term", [AUTUMN, "2026年秋季", "2026-2027学年第一学期"])
def test_a_term_is_asked_for_as_it_is_written(gateway: TestGateway, term: str) -> None:
    county(gateway)
    taken(gateway, "aid-payments", [payment(n) for n in range(32, 37)])
    assert items(gateway, term=term) == items(gateway)
    assert {entry["detail"] for entry in gateway.audit() if entry["exchange"] == "aid-gap"} == {
        f"term:{AUTUMN}"
    }


@pytest.mark.parametrize(
    "term", ["2025-2026-2", "2026-2027-2", "2030-2031-1", "2026-1", "x" * 41, "' OR 1=1"]
)
def test_no_other_term_is_told_of(gateway: TestGateway, term: str) -> None:
    assert problem(records(gateway, term=term)) == (400, "malformed")
    body = {"purpose": "aid_delivery", "region": COUNTY, "term": term}
    answer = gateway.call.post("/v1/exchanges/aid-gap/export", json=body, headers=gateway.headers(OFFICE))
    assert problem(answer) == (400, "malformed")
    assert term not in answer.text


def test_a_list_without_terms_takes_none(gateway: TestGateway) -> None:
    asked = {"purpose": "child_relief", "region": COUNTY, "term": AUTUMN}
    answer = gateway.call.get(
        "/v1/exchanges/needy-children/records", params=asked, headers=gateway.headers(CIVIL)
    )
    assert problem(answer) == (400, "malformed")


@pytest.mark.parametrize("form", ["ndjson", "csv", "parquet", "xlsx"])
def test_a_file_holds_what_the_pages_hold(gateway: TestGateway, form: str) -> None:
    county(gateway)
    taken(gateway, "aid-payments", [payment(n) for n in range(32, 37)])
    headers = gateway.headers(OFFICE)
    body = {"purpose": "aid_delivery", "region": COUNTY, "format": form, "term": AUTUMN}
    job = gateway.call.post("/v1/exchanges/aid-gap/export", json=body, headers=headers)
    assert job.status_code == 202, job.text
    while (done := gateway.call.get(job.headers["location"], headers=headers)).status_code == 202:
        continue
    (file,) = done.json()["files"]
    assert file["rows"] == len(items(gateway))
    content = gateway.call.get(file["url"], headers=headers).content
    if form == "ndjson":
        assert [json.loads(line) for line in content.decode().splitlines()] == items(gateway)
    entry = next(each for each in gateway.audit() if each["detail"].startswith("job-"))
    assert entry["detail"].endswith(f" term:{AUTUMN}")


def test_pages_are_the_list(gateway: TestGateway) -> None:
    county(gateway)
    taken(gateway, "aid-payments", [payment(n) for n in range(32, 37)])
    found, cursor = [], None
    while True:
        body = records(gateway, limit=7, **({"cursor": cursor} if cursor else {})).json()
        found += body["items"]
        cursor = body["next_cursor"]
        if cursor is None:
            break
    assert found == items(gateway)


def test_a_township_with_few_is_not_found_by_asking_for_it(gateway: TestGateway) -> None:
    """The difference of two lists: a township told as the county gives the same children whichever way it is asked."""
    county(gateway)
    lonely = student(50, **HARD, 现住址行政区划="530423102")
    taken(gateway, "student-register", [lonely])
    taken(gateway, "aid-payments", [payment(n) for n in range(32, 37)])
    whole = items(gateway)
    one, other = items(gateway, region="530423101"), items(gateway, region="530423102")
    assert {each["township"] for each in whole} == {COUNTY}
    assert one == other == whole


def test_whoever_left_before_the_term_was_wrongly_paid_and_whoever_left_in_it_is_not_judged(
    gateway: TestGateway,
) -> None:
    county(gateway)
    gone = [student(n, **HARD, 学生状态="转出", 状态日期="2026-07-10") for n in range(50, 55)]
    left = [student(n, **HARD, 学生状态="转出", 状态日期="2026-10-10") for n in range(55, 60)]
    taken(gateway, "student-register", gone + left)
    taken(gateway, "aid-payments", [payment(n) for n in range(50, 60)])
    who = named(gateway, "education")
    told = {who[each["pseudonym"]]: each["direction"] for each in items(gateway)}
    assert {told.get(row["学籍号"]) for row in gone} == {"paid_not_entitled"}
    assert not {row["学籍号"] for row in left} & set(told)


def test_payments_about_strangers_and_other_counties_pupils_are_refused(gateway: TestGateway) -> None:
    county(gateway)
    receipt = gateway.upload("aid-payments", csv_file([payment(2), payment(98)])).json()
    assert (receipt["accepted"], [flaw["code"] for flaw in receipt["errors"]]) == (1, ["unknown_student"])
    other = gateway.upload("aid-payments", csv_file([payment(2)]), region="530424").json()
    assert [flaw["code"] for flaw in other["errors"]] == ["unknown_student"]


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("学期", "2026-1", "bad_code"),
        ("金额", "二百五", "bad_code"),
        ("金额", "0", "out_of_range"),
        ("金额", "250.005", "bad_code"),
        ("发放日期", "2027-01-01", "future_date"),
        ("资助类别", "奖学金", "bad_code"),
        ("金额", "", "missing_required"),
    ],
)
def test_a_wrong_cell_comes_back_with_what_to_do(
    gateway: TestGateway, column: str, value: str, code: str
) -> None:
    county(gateway)
    receipt = gateway.upload("aid-payments", csv_file([payment(2, **{column: value})])).json()
    (flaw,) = receipt["errors"]
    assert (receipt["accepted"], flaw["column"], flaw["code"]) == (0, column, code)
    assert flaw["message"]


def test_an_assessment_is_owed_once_a_needy_child_and_done_by_relief(gateway: TestGateway) -> None:
    taken(gateway, "student-register", [student(n, **HARD) for n in range(2, 6)])
    assert duties(gateway, "assess-relief") == [], "civil affairs has said nothing yet"
    taken(gateway, "relief-register", [relief(2)])
    assert duties(gateway, "assess-relief") == [("civil_affairs", "2026-12-20", "open", None)] * 3
    taken(gateway, "student-register", [student(n, **HARD, 年级="五年级") for n in range(2, 6)])
    assert len(duties(gateway, "assess-relief")) == 3, "not again"
    taken(gateway, "relief-register", [relief(3)])
    assert sorted(each[2] for each in duties(gateway, "assess-relief")) == ["done", "open", "open"]
    assert {each[3] for each in duties(gateway, "assess-relief")} == {None, "relief-register"}


def test_aid_is_owed_after_the_last_day_for_paying_and_done_by_the_payment(tmp_path: Path) -> None:
    with running(tmp_path / "data", law_date=date(2026, 11, 30)) as gateway:
        county(gateway)
        taken(gateway, "aid-payments", [payment(n, 金额="500") for n in range(2, 12)])
        assert duties(gateway, "pay-aid") == []
    with running(tmp_path / "data", law_date=AFTER) as gateway:
        gateway.parts.daily.run()
        open_ = duties(gateway, "pay-aid")
        assert open_ == [("education", "2026-12-31", "open", None)] * 20
        taken(gateway, "aid-payments", [payment(n, 金额="250", 发放日期="2026-12-08") for n in range(12, 17)])
        taken(gateway, "aid-payments", [payment(n, 金额="100", 发放日期="2026-12-08") for n in range(17, 19)])
        assert sorted(each[2] for each in duties(gateway, "pay-aid")) == ["done"] * 5 + ["open"] * 15
        gateway.parts.daily._done = None
        gateway.parts.daily.run()
        assert len(duties(gateway, "pay-aid")) == 20
        with gateway.database() as db:
            rows = db.execute(
                "SELECT facts, residence, school, lead_id FROM duty WHERE kind = 'pay-aid'"
            ).fetchall()
        assert set(rows) == {(f'{{"term":"{AUTUMN}"}}', "530423101", "2153001234", None)}


def ends(gateway: TestGateway, kind: str) -> list[tuple[str, str | None]]:
    """(status, why) of every duty of a kind."""
    with gateway.database() as db:
        found = db.execute("SELECT status, done_what FROM duty WHERE kind = ?", (kind,)).fetchall()
    return sorted(found, key=str)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"学生状态": "死亡", "状态日期": "2026-11-19"}, "deceased"),
        ({"学生状态": "毕业", "状态日期": "2026-11-19"}, "graduated"),
        (WELL, "no-longer-needy"),
    ],
)
def test_an_assessment_that_became_pointless_is_cancelled_and_owed_again_when_it_is_not(
    gateway: TestGateway, changes: dict[str, str], why: str
) -> None:
    flags = {"留守儿童": "否", "单亲家庭": "否"}
    taken(gateway, "student-register", [student(2, **HARD, **flags), student(4, **HARD, **flags)])
    taken(gateway, "relief-register", [relief(90)])
    assert ends(gateway, "assess-relief") == [("open", None)] * 2
    taken(
        gateway, "student-register", [student(2, **{**HARD, **flags, **changes}), student(4, **HARD, **flags)]
    )
    assert ends(gateway, "assess-relief") == [("cancelled", why), ("open", None)]
    taken(gateway, "student-register", [student(2, **HARD, **flags), student(4, **HARD, **flags)])
    assert ends(gateway, "assess-relief") == [("open", None)] * 2, "owed again, and no second one"


def test_whom_nothing_entitles_any_more_is_owed_no_aid(tmp_path: Path) -> None:
    with running(tmp_path / "data", law_date=AFTER) as gateway:
        county(gateway)
        taken(gateway, "aid-payments", [payment(n, 金额="500") for n in range(3, 12)])
        assert ends(gateway, "pay-aid").count(("open", None)) == 21
        taken(gateway, "student-register", [student(2, **WELL, 就读方式="住校")])
        assert ends(gateway, "pay-aid").count(("cancelled", "not-entitled")) == 1
        taken(gateway, "student-register", [student(2, **HARD, 就读方式="住校")])
        assert ends(gateway, "pay-aid").count(("open", None)) == 21


def test_an_earlier_years_aid_ends_by_a_late_payment_or_by_time(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data, law_date=AFTER) as gateway:
        taken(gateway, "student-register", [student(n, **HARD) for n in range(2, 8)])
        taken(gateway, "relief-register", [relief(90)])
        taken(gateway, "aid-payments", [payment(2, 金额="250")])
        assert ends(gateway, "pay-aid") == [("open", None)] * 5
    with running(data, law_date=date(2027, 10, 8)) as gateway:
        gateway.parts.daily.run()
        assert ends(gateway, "pay-aid").count(("open", None)) == 5
        taken(gateway, "aid-payments", [payment(3, 金额="250", 发放日期="2027-10-07")])
        assert ends(gateway, "pay-aid") == [("done", None)] + [("open", None)] * 4
        with gateway.parts.store.writing() as connection:
            connection.execute("UPDATE duty SET due_on = '2024-10-07' WHERE kind = 'pay-aid'")
    with running(data, law_date=date(2027, 10, 9)) as gateway:
        gateway.parts.daily.run()
        assert ends(gateway, "pay-aid") == [("done", None)] + [("lapsed", "long-over")] * 4
        gateway.parts.daily._done = None
        gateway.parts.daily.run()
        assert len(ends(gateway, "pay-aid")) == 5
        lapsed = [each["detail"] for each in gateway.audit() if "lapsed" in str(each["detail"])]
        assert lapsed == ["day:2027-10-09 escalated:1 lapsed:4"]


def test_no_payments_no_duty(tmp_path: Path) -> None:
    with running(tmp_path / "data", law_date=AFTER) as gateway:
        county(gateway)
        assert duties(gateway, "pay-aid") == []


def test_two_terms_are_told_equally_coarse(tmp_path: Path) -> None:
    """A child on both lists is told no finer by the one than by the other."""
    with running(tmp_path / "data", law_date=date(2027, 3, 10)) as gateway:
        day = {"状态日期": "2026-09-01"}
        rows = [student(n, **HARD, **day) for n in range(2, 12)]
        rows += [student(n, **HARD, **day, 现住址行政区划="530423102") for n in range(12, 22)]
        taken(gateway, "student-register", rows)
        taken(gateway, "relief-register", [relief(90)])
        # autumn: everybody but one of the second township was paid; spring: only a well-off child was.
        taken(gateway, "aid-payments", [payment(n, 学期=AUTUMN) for n in range(2, 21)])
        taken(gateway, "student-register", [*rows, student(40, **WELL)])
        taken(gateway, "aid-payments", [payment(40, 学期="2026-2027-2", 发放日期="2027-03-01")])
        autumn, spring = items(gateway, term=AUTUMN), items(gateway, term="2026-2027-2")
        assert len(autumn) < 5 < len(spring)
        assert {each["township"] for each in autumn} == {COUNTY}
        lonely = {each["pseudonym"] for each in autumn if each["direction"] == "entitled_unpaid"}
        told = {each["township"] for each in spring if each["pseudonym"] in lonely}
        assert told == {COUNTY}
