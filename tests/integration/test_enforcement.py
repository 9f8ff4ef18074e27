"""The enforcement share: inspectors bring what they found, employers are listed, no child comes out of it."""

import json
from datetime import date
from typing import Any

import httpx
import pytest

from tests.harness import COUNTY, XLSX, TestGateway, problem
from tests.people import EMPLOYER, csv_file, resident_id, sighting, student

OTHER_COUNTY = "530424"
OTHER = "91350100M000100Y43"
INSPECTOR = "human_resources/labour_inspector"
MARKET = "market_regulation/market_inspector"
CHILD = resident_id(number=2)
ADULT = resident_id(date(2001, 3, 5), 2)


def bring(gateway: TestGateway, *rows: dict[str, str], region: str = COUNTY) -> dict[str, Any]:
    """The receipt of these rows."""
    answer = gateway.upload("sightings", csv_file(rows), region=region)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def look(
    gateway: TestGateway, role: str = MARKET, region: str = COUNTY, reach: str = COUNTY, **query: Any
) -> httpx.Response:
    return gateway.call.get(
        "/v1/exchanges/employer-hits/records",
        params={"purpose": "labour_inspection", "region": region, **query},
        headers=gateway.headers(role, reach),
    )


def employers(gateway: TestGateway, **more: Any) -> list[dict[str, Any]]:
    answer = look(gateway, **more)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def duties(gateway: TestGateway, kind: str) -> list[tuple[str, str, str, dict[str, Any]]]:
    """(owner, region, status, facts) of each, as they stand."""
    connection = gateway.database()
    rows = connection.execute(
        "SELECT owner, region, status, facts FROM duty WHERE kind = ? ORDER BY opened_at, id", (kind,)
    ).fetchall()
    connection.close()
    return [(owner, region, status, json.loads(facts)) for owner, region, status, facts in rows]


def count(gateway: TestGateway, table: str) -> int:
    connection = gateway.database()
    (found,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    connection.close()
    return int(found)


def sighted(gateway: TestGateway) -> list[dict[str, Any]]:
    return [lead for lead in gateway.leads() if lead["rule"] == "sighted-at-work"]


# --- as the inspector's user would -------------------------------------------------------------------------


def test_a_confirmed_child_is_a_lead_a_visit_done_and_a_hit(gateway: TestGateway) -> None:
    gateway.upload("student-register", csv_file([student()]))
    assert gateway.ask(CHILD, employer_uscc=EMPLOYER).json()["answer"]["verdict"] == "must_not_hire"
    assert [(owner, status) for owner, _, status, _ in duties(gateway, "labour-visit")] == [
        ("human_resources", "open")
    ]
    receipt = bring(gateway, sighting(检查日期="2026-11-20"))
    assert (receipt["rows"], receipt["accepted"], receipt["errors"]) == (1, 1, [])
    (lead,) = sighted(gateway)
    assert lead["facts"] == [{"fact": "sighted-at-work", "on": "2026-11-20"}]
    assert lead["region"] == "530423101"
    assert [status for _, _, status, _ in duties(gateway, "labour-visit")] == ["done"]
    assert {owner for owner, *_ in duties(gateway, "first-contact")} == {"school"}
    assert employers(gateway) == [
        {"employer_uscc": EMPLOYER, "confirmed_hits": 1, "last_hit_month": "2026-11", "repeated": False}
    ]
    assert employers(gateway, role=INSPECTOR) == employers(gateway)


def test_a_visit_without_a_child_is_kept_and_done(gateway: TestGateway) -> None:
    gateway.ask(CHILD, employer_uscc=EMPLOYER)
    receipt = bring(gateway, sighting(None, 检查日期="2026-11-20"))
    assert (receipt["accepted"], receipt["errors"], receipt["warnings"]) == (1, [], [])
    assert (count(gateway, "inspection"), count(gateway, "sighting")) == (1, 0)
    assert [status for _, _, status, _ in duties(gateway, "labour-visit")] == ["done"]
    assert employers(gateway) == []
    assert sighted(gateway) == []


def test_what_is_still_looked_into_ends_no_visit(gateway: TestGateway) -> None:
    gateway.ask(CHILD, employer_uscc=EMPLOYER)
    bring(gateway, sighting(检查日期="2026-11-20", 检查结果="待查"))
    assert [status for _, _, status, _ in duties(gateway, "labour-visit")] == ["open"]
    assert (sighted(gateway), employers(gateway)) == ([], [])


@pytest.mark.parametrize("changed", [{"检查日期": "2026-10-08"}, {"统一社会信用代码": OTHER}])
def test_an_older_visit_or_anothers_is_not_the_one_that_is_owed(
    gateway: TestGateway, changed: dict[str, str]
) -> None:
    gateway.ask(CHILD, employer_uscc=EMPLOYER)
    bring(gateway, sighting(None, **{"检查日期": "2026-11-20", **changed}))
    assert [status for _, _, status, _ in duties(gateway, "labour-visit")] == ["open"]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_template_can_be_filled_in(gateway: TestGateway, form: str) -> None:
    url = "/v1/exchanges/sightings/template"
    answer = gateway.call.get(url, params={"format": form}, headers=gateway.headers(INSPECTOR))
    media = XLSX if form == "xlsx" else "text/csv"
    receipt = gateway.upload("sightings", answer.content, media).json()
    assert (receipt["rows"], receipt["skipped"], receipt["errors"]) == (0, 1, [])


def test_the_same_file_twice_changes_nothing(gateway: TestGateway) -> None:
    rows = [sighting(), sighting(None, 地点="二号车间"), sighting(None, 地点="")]
    assert bring(gateway, *rows)["accepted"] == 3
    before = (sighted(gateway), employers(gateway), count(gateway, "duty"), count(gateway, "lead_event"))
    again = bring(gateway, *rows)
    assert (again["accepted"], again["unchanged"]) == (0, 3)
    assert before == (
        sighted(gateway),
        employers(gateway),
        count(gateway, "duty"),
        count(gateway, "lead_event"),
    )


def test_a_corrected_row_takes_the_place_of_the_old_one(gateway: TestGateway) -> None:
    bring(gateway, sighting())
    (lead,) = sighted(gateway)
    assert bring(gateway, sighting(处理措施="送返监护人", 地点="宿舍"))["accepted"] == 1
    assert employers(gateway)[0]["confirmed_hits"] == 1
    assert bring(gateway, sighting(检查结果="未发现使用童工"))["accepted"] == 1
    assert employers(gateway) == []
    (closed,) = sighted(gateway)
    assert (closed["id"], closed["status"]) == (lead["id"], "closed")
    bring(gateway, sighting(检查日期="2026-11-19"))
    (again,) = sighted(gateway)
    assert (again["id"], again["status"]) == (lead["id"], "open")


def test_one_of_two_sightings_withdrawn_leaves_the_lead_open(gateway: TestGateway) -> None:
    bring(gateway, sighting(), sighting(统一社会信用代码=OTHER))
    bring(gateway, sighting(检查结果="未发现使用童工"))
    assert [lead["status"] for lead in sighted(gateway)] == ["open"]
    assert [each["employer_uscc"] for each in employers(gateway)] == [OTHER]


def test_a_confirmed_hit_without_a_name_counts_and_says_so(gateway: TestGateway) -> None:
    receipt = bring(gateway, sighting(None, 检查结果="确认使用童工"))
    assert [warning["code"] for warning in receipt["warnings"]] == ["child_not_named"]
    assert employers(gateway)[0]["confirmed_hits"] == 1
    assert sighted(gateway) == []


def test_a_recruitment_check_alone_is_no_hit(gateway: TestGateway) -> None:
    gateway.ask(CHILD, employer_uscc=EMPLOYER)
    gateway.ask(resident_id(number=4), employer_uscc=EMPLOYER)
    assert employers(gateway) == []


def test_nothing_handed_in_is_a_missing_source_and_not_a_clean_county(gateway: TestGateway) -> None:
    assert look(gateway).json()["missing_sources"] == ["sightings"]
    bring(gateway, sighting(None))
    assert look(gateway).json()["missing_sources"] == []
    assert look(gateway).json()["as_of"].startswith("2026-11-20")


# --- repeated employers --------------------------------------------------------------------------------------


def test_an_employer_over_the_threshold_is_flagged_and_market_regulation_owes_one_duty(
    gateway: TestGateway,
) -> None:
    bring(gateway, sighting(检查日期="2026-02-03"))
    assert duties(gateway, "repeated-employer") == []
    bring(gateway, sighting(4, 检查日期="2026-11-12"))
    assert [each["repeated"] for each in employers(gateway)] == [True]
    owed = ("market_regulation", COUNTY, "open", {"employer_uscc": EMPLOYER, "crossed": "2026-11"})
    assert duties(gateway, "repeated-employer") == [owed]
    bring(gateway, sighting(6, 检查日期="2026-11-18"))
    bring(
        gateway, sighting(8, 检查日期="2026-03-03")
    )  # told late: the crossing was earlier, and is the same one
    assert duties(gateway, "repeated-employer") == [owed]
    assert employers(gateway)[0]["confirmed_hits"] == 4


def test_hits_too_far_apart_or_of_long_ago_are_not_repeated(gateway: TestGateway) -> None:
    bring(gateway, sighting(2, 检查日期="2025-01-03"), sighting(4, 检查日期="2026-11-12"))
    bring(gateway, *(sighting(n, 统一社会信用代码=OTHER, 检查日期="2024-05-06") for n in (2, 4)))
    assert [each["repeated"] for each in employers(gateway)] == [False, False]
    assert duties(gateway, "repeated-employer") == []


# --- licences and registrations ------------------------------------------------------------------------------


def ask(gateway: TestGateway, exchange: str, role: str, purpose: str, id_number: str) -> httpx.Response:
    return gateway.call.post(
        f"/v1/exchanges/{exchange}/ask",
        json={"purpose": purpose, "subject": {"resident_id": id_number}},
        headers=gateway.headers(role),
    )


def test_a_child_who_asks_for_a_licence_is_a_duty_of_market_regulation(gateway: TestGateway) -> None:
    for _ in range(2):
        answer = ask(gateway, "licence-check", "market_regulation/licence_registrar", "licence_check", CHILD)
        assert answer.json()["answer"] == {"must_not_license": "yes"}
    assert duties(gateway, "licence-refusal") == [("market_regulation", COUNTY, "open", {})]
    assert [lead["rule"] for lead in gateway.leads()] == ["licence-under-16"]


def test_a_child_must_not_register_as_unemployed(gateway: TestGateway) -> None:
    checker = "human_resources/recruitment_checker"
    child = ask(gateway, "registration-check", checker, "child_labour_check", CHILD).json()
    assert child["answer"] == {"must_not_register": "yes"}
    assert child["missing_sources"] == []
    assert child["reference"].startswith("ref-")
    assert [lead["rule"] for lead in gateway.leads()] == ["registration-under-16"]
    entries = len(gateway.audit())
    adult = ask(gateway, "registration-check", checker, "child_labour_check", ADULT).json()
    assert adult["answer"] == {"must_not_register": "no"}
    assert len(gateway.audit()) == entries + 1
    assert count(gateway, "subject") == 1


@pytest.mark.parametrize(
    ("role", "purpose", "name"),
    [
        (INSPECTOR, "child_labour_check", "not-permitted"),
        ("market_regulation/licence_registrar", "licence_check", "not-permitted"),
        ("human_resources/recruitment_checker", "statistics", "purpose-not-granted"),
    ],
)
def test_nobody_else_asks_about_registrations(
    gateway: TestGateway, role: str, purpose: str, name: str
) -> None:
    assert problem(ask(gateway, "registration-check", role, purpose, CHILD)) == (403, name)
    assert gateway.leads() == []


# --- as an attacker ------------------------------------------------------------------------------------------


def test_a_market_inspector_sees_the_own_county_only(gateway: TestGateway) -> None:
    bring(gateway, sighting())
    bring(gateway, sighting(4, 行政区划="530424100"), region=OTHER_COUNTY)
    assert problem(look(gateway, region=OTHER_COUNTY)) == (403, "region-out-of-reach")
    assert problem(look(gateway, region="5304")) == (403, "region-out-of-reach")
    assert employers(gateway)[0]["confirmed_hits"] == 1
    assert employers(gateway)[0]["repeated"] is False
    both = employers(gateway, region="5304", reach="5304")
    assert both[0]["confirmed_hits"] == 2
    assert both[0]["repeated"] is True
    refusals = [each for each in gateway.audit() if each["decision"] == "refuse"]
    assert [each["asked_region"] for each in refusals] == [OTHER_COUNTY, "5304"]


def test_nothing_on_the_list_leads_to_a_child(gateway: TestGateway) -> None:
    gateway.upload("student-register", csv_file([student()]))
    bring(gateway, sighting(用人单位名称="张三之店"))
    answer = look(gateway)
    assert set(answer.json()["items"][0]) == {"employer_uscc", "confirmed_hits", "last_hit_month", "repeated"}
    for trace in (CHILD, "张三", "一号车间", "2026-11-18", "ma1-", "mr1-"):
        assert trace not in answer.text
    (entry,) = [each for each in gateway.audit() if each["exchange"] == "employer-hits"]
    assert "subject" not in json.dumps(entry["fields"])


@pytest.mark.parametrize("since", ["2026-11-18", "2026-13", "20261118", "2026", "", "2026-11 "])
def test_since_is_a_month(gateway: TestGateway, since: str) -> None:
    """Days subtracted from each other would tell the day of a hit."""
    bring(gateway, sighting())
    assert problem(look(gateway, since=since)) == (400, "malformed")


def test_since_counts_from_the_months_first_day(gateway: TestGateway) -> None:
    bring(gateway, sighting(检查日期="2026-10-31"), sighting(4, 检查日期="2026-11-01"))
    bring(gateway, sighting(6, 统一社会信用代码=OTHER, 检查日期="2026-09-30"))
    november = employers(gateway, since="2026-11")
    assert [(each["employer_uscc"], each["confirmed_hits"]) for each in november] == [(EMPLOYER, 1)]
    assert november[0]["repeated"] is True  # whatever is asked for
    assert [each["confirmed_hits"] for each in employers(gateway, since="2026-10")] == [2]
    assert employers(gateway, since="2026-12") == []


def test_lists_of_children_are_not_given_since(gateway: TestGateway) -> None:
    answer = gateway.call.get(
        "/v1/exchanges/needy-children/records",
        params={"purpose": "child_relief", "region": COUNTY, "since": "2026-11"},
        headers=gateway.headers("civil_affairs/relief_officer"),
    )
    assert problem(answer) == (400, "malformed")


def test_pages_follow_each_other_and_serve_one_client(gateway: TestGateway) -> None:
    codes = sorted((EMPLOYER, OTHER, "91110000600037341L"))
    bring(gateway, *(sighting(2 * number, 统一社会信用代码=code) for number, code in enumerate(codes, 1)))
    seen, cursor = [], None
    while True:
        page = look(gateway, limit=1, **({"cursor": cursor} if cursor else {})).json()
        seen += [each["employer_uscc"] for each in page["items"]]
        first, cursor = cursor or page["next_cursor"], page["next_cursor"]
        if cursor is None:
            break
        assert cursor.startswith("pg1-")
        assert EMPLOYER not in cursor
    assert seen == codes
    assert problem(look(gateway, role=INSPECTOR, cursor=first)) == (400, "malformed")
    assert problem(look(gateway, cursor="pg1-" + "A" * 60)) == (400, "malformed")
    assert look(gateway, cursor=EMPLOYER).status_code == 400


def test_an_id_number_is_no_employer(gateway: TestGateway) -> None:
    wrong = CHILD[:-1] + "3"
    receipt = bring(
        gateway,
        sighting(统一社会信用代码=CHILD),
        sighting(4, 统一社会信用代码=wrong),
        sighting(6, 统一社会信用代码="abc"),
    )
    assert [error["code"] for error in receipt["errors"]] == ["bad_code"] * 3
    assert CHILD not in json.dumps(receipt)
    assert count(gateway, "inspection") == 0
    assert count(gateway, "subject") == 0


def test_an_employers_code_with_a_wrong_last_character_is_taken_with_a_warning(gateway: TestGateway) -> None:
    receipt = bring(gateway, sighting(统一社会信用代码=EMPLOYER[:-1] + "X"))
    assert (receipt["accepted"], [each["code"] for each in receipt["warnings"]]) == (1, ["uscc_checksum"])


@pytest.mark.parametrize(
    ("heading", "text"), [("用人单位名称", f"店主{CHILD}"), ("地点", "电话 138 0000 1234"), ("地点", CHILD)]
)
def test_numbers_of_people_do_not_stand_in_words_about_places(
    gateway: TestGateway, heading: str, text: str
) -> None:
    receipt = bring(gateway, sighting(**{heading: text}))
    assert [(each["code"], each["column"]) for each in receipt["errors"]] == [("personal_data", heading)]
    assert text not in json.dumps(receipt, ensure_ascii=False)


def test_who_was_sixteen_on_the_day_is_not_kept(gateway: TestGateway) -> None:
    sixteen = resident_id(date(2010, 11, 18), 2)
    receipt = bring(gateway, sighting(身份证号=sixteen), sighting(身份证号=ADULT))
    assert [each["code"] for each in receipt["errors"]] == ["not_under_16"] * 2
    assert count(gateway, "subject") == 0
    day_before = bring(gateway, sighting(身份证号=sixteen, 检查日期="2026-11-17"))
    assert day_before["accepted"] == 1


def test_an_inspector_writes_about_the_own_county_only(gateway: TestGateway) -> None:
    """Neither a place elsewhere, nor a row that would undo another county's."""
    bring(gateway, sighting())
    receipt = bring(gateway, sighting(4), sighting(检查结果="未发现使用童工"), region=OTHER_COUNTY)
    assert [each["code"] for each in receipt["errors"]] == ["outside_reach"] * 2
    assert (count(gateway, "inspection"), count(gateway, "subject")) == (1, 1)
    here = bring(gateway, sighting(检查结果="未发现使用童工", 行政区划="530424100"), region=OTHER_COUNTY)
    assert here["accepted"] == 1
    assert employers(gateway)[0]["confirmed_hits"] == 1
    assert [lead["status"] for lead in sighted(gateway)] == ["open"]
    township = bring(gateway, sighting(6, 行政区划="530423100"), region="530423101")
    assert [each["code"] for each in township["errors"]] == ["outside_reach"]


def test_another_county_ends_no_visit_here(gateway: TestGateway) -> None:
    gateway.ask(CHILD, employer_uscc=EMPLOYER)
    bring(gateway, sighting(None, 检查日期="2026-11-20", 行政区划="530424100"), region=OTHER_COUNTY)
    assert [status for _, _, status, _ in duties(gateway, "labour-visit")] == ["open"]


def test_a_day_of_the_future_is_refused(gateway: TestGateway) -> None:
    receipt = bring(gateway, sighting(检查日期="2026-11-21"))
    assert [each["code"] for each in receipt["errors"]] == ["future_date"]


def test_the_same_child_twice_in_a_file_with_other_words_is_told(gateway: TestGateway) -> None:
    receipt = bring(
        gateway,
        sighting(),
        sighting(处理措施="罚款"),
        sighting(),
        sighting(None, 地点=""),
        sighting(None, 地点="", 处理措施="罚款"),
    )
    assert [(each["row"], each["code"]) for each in receipt["errors"]] == [
        (3, "duplicate_in_file"),
        (6, "duplicate_in_file"),
    ]
    assert (receipt["accepted"], receipt["unchanged"], receipt["rejected"]) == (2, 1, 2)


def test_a_formula_does_not_leave_in_a_file(gateway: TestGateway) -> None:
    """Back in the errors file it is text; the list itself has no words of anybody's."""
    receipt = bring(gateway, sighting(用人单位名称="=HYPERLINK(A1)"), sighting(4, 检查结果="?"))
    assert receipt["accepted"] == 1
    bad = bring(gateway, sighting(6, 用人单位名称="=1+1", 检查结果="?"))
    errors = gateway.call.get(bad["errors_file"], headers=gateway.headers(INSPECTOR)).content.decode(
        "utf-8-sig"
    )
    assert not any(cell.startswith("=") for line in errors.splitlines() for cell in line.split(","))
    assert "HYPERLINK" not in look(gateway).text


def test_an_export_says_what_the_pages_say(gateway: TestGateway) -> None:
    bring(gateway, sighting(), sighting(4, 统一社会信用代码=OTHER))
    headers = gateway.headers(MARKET)
    wish = {"purpose": "labour_inspection", "region": COUNTY, "format": "ndjson"}
    job = gateway.call.post("/v1/exchanges/employer-hits/export", json=wish, headers=headers)
    while (manifest := gateway.call.get(job.headers["location"], headers=headers)).status_code == 202:
        continue
    assert manifest.status_code == 200, manifest.text
    body = gateway.call.get(manifest.json()["files"][0]["url"], headers=headers).text
    assert [json.loads(line) for line in body.splitlines()] == employers(gateway)
    refused = gateway.call.post(
        "/v1/exchanges/employer-hits/export", json={**wish, "region": OTHER_COUNTY}, headers=headers
    )
    assert problem(refused) == (403, "region-out-of-reach")


def test_the_guardian_is_told_of_a_sighting(gateway: TestGateway) -> None:
    bring(gateway, sighting())
    answer = gateway.call.post(
        "/v1/disclosures",
        json={"purpose": "subject_access", "subject": {"resident_id": CHILD}},
        headers=gateway.headers("gateway/counter_clerk"),
    )
    assert answer.status_code == 200, answer.text
    assert [each["exchange"] for each in answer.json()["items"]] == ["sightings"]
