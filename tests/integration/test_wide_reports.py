"""The reports of a prefecture and a province: made once, after all their counties lived the day; chased like any other."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.db import report_facts
from gateway.domain.landing import RegisterTransaction
from tests.harness import COUNTY, TestGateway, running
from tests.integration.test_day_evidence import entries, hand_in
from tests.integration.test_days import Office, office
from tests.people import csv_file, student

OTHER, ABROAD = "530424", "530102"
LEAD = "education/dropout_lead"
TERM_BEGINS, MADE = date(2026, 9, 1), date(2027, 3, 1)
LEFT = {"学生状态": "辍学", "状态日期": "2026-10-09"}


def county(where: Office, region: str, number: int, **changes: str) -> None:
    rows = [student(each, 现住址行政区划=f"{region}101", **changes) for each in range(number, number + 4, 2)]
    hand_in(where, "student-register", rows, region)


def wide(where: Office, unit: str) -> list[Any]:
    return where.query(
        "SELECT kind, period, made_on, json_extract(figures, '$.students'), json_extract(figures, '$.left')"
        f" FROM report WHERE unit = '{unit}' ORDER BY made_on"
    )


def three(where: Office) -> None:
    county(where, COUNTY, 2)
    county(where, OTHER, 12)
    county(where, ABROAD, 22)


def test_a_unit_lives_a_day_after_all_of_its_counties() -> None:
    class Seen:
        def __init__(self) -> None:
            self.seen = list[tuple[date, str]]()

        def run(self, transaction: RegisterTransaction, region: str, day: date, _now: object) -> None:
            assert transaction.today == day
            self.seen.append((day, region))

    with office(TERM_BEGINS) as where:
        three(where)
        task = Seen()
        where.parts.daily.tasks = where.parts.daily._wider = (task,)
        where.at(TERM_BEGINS + timedelta(days=3)).parts.daily.run()
        in_order = [ABROAD, COUNTY, OTHER, "5301", "5304", "53"]
        days = [TERM_BEGINS + timedelta(days=ahead) for ahead in range(1, 4)]
        assert task.seen == [(day, region) for day in days for region in in_order]
        where.parts.daily.run()
        assert len(task.seen) == 18


def test_while_a_county_is_behind_what_is_wider_waits() -> None:
    with office(TERM_BEGINS) as where:
        three(where)
        day, days = TERM_BEGINS + timedelta(days=1), where.parts.daily._days
        with days.living(COUNTY, day) as mine:
            assert mine is not None
        with days.living("5304", day) as early:
            assert early is None, f"{OTHER} has not lived it"
        with days.living(OTHER, day) as last:
            assert last is not None
        with days.living("5304", day + timedelta(days=1)) as skipping:
            assert skipping is None, "no day is left out"
        with days.living("5304", day) as unit:
            assert unit is not None
        with days.living("5304", day) as again:
            assert again is None


def test_the_citys_and_the_provinces_reports_are_the_sum_of_their_counties() -> None:
    with office(TERM_BEGINS) as where:
        three(where)
        where.at(date(2026, 10, 12))
        county(where, OTHER, 12, **LEFT)
        where.at(MADE).parts.daily.run()
        assert wide(where, "5304") == [("city-term", "2026-2027-1", "2027-03-01", 2, 2)]
        assert wide(where, "5301") == [("city-term", "2026-2027-1", "2027-03-01", 2, 0)]
        assert wide(where, "53") == [("province-yearly", "2026", "2027-01-01", 4, 2)]
        (missing,) = where.query("SELECT missing FROM report WHERE unit = '5304'")
        assert COUNTY not in missing[0]
        assert OTHER not in missing[0]
        assert '"530402"' in missing[0], "a county that nothing is known of is named"
        before = len(entries(where)), where.query("SELECT count(*) FROM report")
        where.parts.daily.run()
        assert (len(entries(where)), where.query("SELECT count(*) FROM report")) == before


def test_a_citys_report_that_nobody_hands_in_is_chased() -> None:
    with office(TERM_BEGINS) as where:
        three(where)
        where.at(date(2027, 5, 1)).parts.daily.run()
        due, reminded, to, region = where.query(
            "SELECT due_on, reminded_on, escalated_to, region FROM duty WHERE kind = 'city-report'"
            " AND residence = '5304'"
        )[0]
        assert (to, region) == ("education@53", "5304")
        assert MADE.isoformat() < reminded < due < "2027-05-01"
        told = {
            (each["law_date"], each["exchange"], each["detail"].partition(" ")[2])
            for each in entries(where)
            if each["asked_region"] == "5304"
        }
        assert (MADE.isoformat(), "reports", "made:1") in told
        assert (MADE.isoformat(), "duties", "opened:1") in told
        assert (reminded, "duties", "reminded:1") in told
        province = where.query("SELECT reminded_on, escalated_to FROM duty WHERE kind = 'province-report'")
        assert province[0][0] is not None
        assert province[0][1] is None, "nobody stands above a province"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestGateway]:
    folder: Path = tmp_path_factory.mktemp("wide") / "data"
    with running(folder, law_date=TERM_BEGINS) as found:
        for region, number in ((COUNTY, 2), (OTHER, 4)):
            row = student(number, 现住址行政区划=f"{region}101")
            assert found.upload("student-register", csv_file([row]), region=region).json()["rejected"] == 0
    with running(folder, law_date=date(2027, 4, 20)) as found:
        yield found


def city_report(gateway: TestGateway, role_at: str = "5304") -> list[dict[str, Any]]:
    answer = gateway.call.get(
        "/v1/reports", params={"kind": "city-term"}, headers=gateway.headers(LEAD, role_at)
    )
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def test_the_city_sees_that_its_report_is_overdue_and_the_county_does_not(gateway: TestGateway) -> None:
    (report,) = city_report(gateway)
    assert (report["region"], report["status"], report["figures"]["students"]) == ("5304", "overdue", 2)
    assert city_report(gateway, COUNTY) == []
    for region in ("5304", "53"):
        headers = gateway.headers(LEAD, region)
        items = gateway.call.get("/v1/duties/overdue", headers=headers).json()["items"]
        (late,) = [each for each in items if each["duty"] == "city-report"]
        assert (late["owner"], late["region"], late["count"]) == ("education", "5304", 1)


def test_what_the_city_says_is_held_against_what_its_counties_know_and_the_province_looks_into_it(
    gateway: TestGateway,
) -> None:
    (report,) = city_report(gateway)
    signed = gateway.call.post(
        f"/v1/reports/{report['id']}/sign",
        json={"purpose": "dropout_control", "figures": {"students": 9}},
        headers=gateway.headers(LEAD, "5304"),
    )
    (wrong,) = signed.json()["disagreements"]
    assert (wrong["figure"], wrong["finding_zh"], wrong["region"]) == ("students", "虚报", "5304")
    assert "玉溪" in wrong["place"]
    with gateway.database() as db:
        checks = db.execute("SELECT region, residence FROM duty WHERE kind = 'report-check'").fetchall()
    db.close()
    assert checks == [("53", "53")], "nobody looks into the own report"
    late = student(4, 现住址行政区划=f"{OTHER}101", 学生状态="辍学", 状态日期="2026-12-09")
    assert gateway.upload("student-register", csv_file([late]), region=OTHER).json()["rejected"] == 0
    found = {each["figure"]: each for each in city_report(gateway)[0]["disagreements"]}
    assert (found["left"]["later"], found["left"]["facts"], found["left"]["finding"]) == (
        True,
        1,
        "concealed",
    )


def test_what_reports_are_held_against_is_counted_once_for_all_readers(
    gateway: TestGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted, real = list[str](), report_facts.figures_of

    def count(*given: Any, **more: Any) -> Any:
        counted.append(given[2])
        return real(*given, **more)

    monkeypatch.setattr(report_facts, "figures_of", count)
    row = student(2, 现住址行政区划=f"{COUNTY}101", 年级="五年级")
    assert gateway.upload("student-register", csv_file([row])).json()["rejected"] == 0
    first = city_report(gateway)
    assert sorted(counted) == [COUNTY, OTHER], "a file came in: both are counted again"
    assert [city_report(gateway) for _ in range(3)] == [first] * 3
    assert len(counted) == 2, "once for each county, whoever reads and however often"
