"""A hand-over meets what the receiving county already has: a case further on, a merged one, a sealed one, reports."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from gateway.adapters.db.report_figures import figures_of
from gateway.domain.reporting import Period
from tests.harness import COUNTY, TestGateway, problem, running
from tests.integration.test_handovers import OTHER, history, sent
from tests.integration.test_referrals import NOTIFY, PLAN, VERIFY, one, state_of, step_case
from tests.integration.test_referrals import Officer as Sender
from tests.officers import LEAD, OUT, Officer
from tests.people import csv_file, student

THERE = {"现住址行政区划": "530402100", "学校标识码": "2153004444"}
THIRD = "530403"
AUTUMN = Period("2026-2027-1", date(2026, 9, 1), date(2027, 2, 28))
BACK = ("return", {"returned_on": "2026-11-10"})
AGAIN = ("relapse", {"relapsed_on": "2026-11-18"})


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[TestGateway]:
    """Two counties know the same dropout; the first has a plan, an order, a return and a relapse behind it."""
    with running(tmp_path / "data", law_date=date(2026, 10, 12)) as found:
        found.upload("student-register", csv_file([student(2, **OUT)]))
        found.upload("student-register", csv_file([student(2, **{**OUT, **THERE})]), region=OTHER)
    with running(tmp_path / "data") as found:
        case = str(one(found, "SELECT ref FROM case_file WHERE region = ?", COUNTY))
        step_case(found, case, VERIFY, PLAN, NOTIFY, BACK, AGAIN)
        yield found


@pytest.fixture
def case(gateway: TestGateway) -> str:
    return str(one(gateway, "SELECT ref FROM case_file WHERE region = ?", COUNTY))


@pytest.fixture
def there(gateway: TestGateway) -> Officer:
    return Officer(gateway, LEAD, OTHER)


def accepted(gateway: TestGateway, case: str) -> str:
    handover = sent(Sender(gateway, LEAD), case)
    answer = Sender(gateway, LEAD, OTHER).post(f"/handovers/{handover}/accept")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["new_case"])


def own_case(there: Officer) -> str:
    (listed,) = there.cases()
    return str(listed["ref"])


def test_what_another_county_did_confirms_plans_and_delays_nothing_here(
    gateway: TestGateway, case: str, there: Officer
) -> None:
    mine = own_case(there)
    there.take(mine, "return", returned_on="2026-10-12")
    there.take(mine, "observe", placement="mainstream", placed_on="2026-10-13")
    there.take(mine, "confirm", day=30, attended_on="2026-11-12")
    before = there.case(mine)
    assert accepted(gateway, case) == mine
    after = there.case(mine)
    assert after["state"] == "observing"
    assert after["observation"] == before["observation"]
    assert after["observation"][0]["confirmed_on"] == "2026-11-20"
    assert (before["plan"], after["plan"]) == (None, None)
    assert [each["step"] for each in after["history"] if "handed_over_from" in each["evidence"]] == [
        "open",
        "verify",
        "persuade",
        "notify",
        "return",
        "relapse",
        None,
    ]
    assert "_aside" not in str(after)
    there.take(mine, "relapse", relapsed_on="2026-11-13")
    there.take(mine, "return", returned_on="2026-11-14")
    assert one(gateway, "SELECT observed_from FROM case_file WHERE ref = ?", mine) == "2026-11-14"


def test_a_case_that_goes_on_stands_on_what_came_along(
    gateway: TestGateway, case: str, there: Officer
) -> None:
    assert own_case(there) == accepted(gateway, case)
    told = there.case(own_case(there))
    assert told["state"] == "verified"
    assert told["plan"]["deadline"] == "2026-12-01"


@pytest.mark.usefixtures("there")
def test_each_county_reports_what_it_did_itself(gateway: TestGateway, case: str) -> None:
    new = accepted(gateway, case)
    with closing(gateway.database()) as connection:
        mine = figures_of(connection, "county", COUNTY, AUTUMN, 10)[COUNTY]
        theirs = figures_of(connection, "county", OTHER, AUTUMN, 10)[OTHER]
    assert {name: mine[name] for name in ("verified", "returned", "relapsed")} == {
        "verified": 1,
        "returned": 1,
        "relapsed": 1,
    }
    assert {name: theirs[name] for name in ("verified", "returned", "relapsed")} == {
        "verified": 0,
        "returned": 0,
        "relapsed": 0,
    }
    assert "verify" in [step for step, _ in history(gateway, new)]


def test_a_hand_over_meets_a_case_that_was_merged(gateway: TestGateway, case: str, there: Officer) -> None:
    gateway.upload("student-register", csv_file([student(4, **{**OUT, **THERE})]), region=OTHER)
    mine = str(
        one(
            gateway,
            "SELECT c.ref FROM case_file c JOIN case_file o USING (subject_id)"
            " WHERE c.region = ? AND o.region = ?",
            OTHER,
            COUNTY,
        )
    )
    (other,) = [each["ref"] for each in there.cases() if each["ref"] != mine]
    there.take(mine, "merge", into=other, note="同一儿童")
    assert accepted(gateway, case) == other
    assert state_of(gateway, case) == "moved"


def test_a_sealed_case_stays_sealed_where_it_arrives(gateway: TestGateway, case: str, there: Officer) -> None:
    mine = own_case(there)
    there.take(mine, "verify", finding="dropped_out", found_on="2026-11-19")
    handover = sent(Sender(gateway, LEAD), case)
    with gateway.parts.store.writing() as connection:
        connection.execute("UPDATE case_file SET sealed = 1, owner = 'of-mine' WHERE ref = ?", (case,))
    receiver = Sender(gateway, LEAD, OTHER)
    assert receiver.post(f"/handovers/{handover}/accept").status_code == 200
    kept = one(gateway, "SELECT sealed, owner, state FROM case_file WHERE ref = ?", mine)
    assert kept == (1, f"of-{receiver.client}", "verified")


@pytest.mark.usefixtures("there")
def test_who_owns_a_sealed_case_sees_its_leads_and_hand_overs_and_nobody_else(
    gateway: TestGateway, case: str
) -> None:
    owner, other = Sender(gateway, LEAD), Sender(gateway, LEAD)
    handover = sent(owner, case)
    with gateway.parts.store.writing() as connection:
        connection.execute(
            "UPDATE case_file SET sealed = 1, owner = ? WHERE ref = ?", (f"of-{owner.client}", case)
        )
    for officer, seen in ((owner, 1), (other, 0)):
        assert len(officer.get("/leads").json()["items"]) == seen
        assert len(officer.get("/handovers").json()["items"]) == seen
        assert officer.get(f"/handovers/{handover}").status_code == (200 if seen else 403)


def test_a_case_that_was_accepted_elsewhere_is_not_opened_again_here(
    gateway: TestGateway, case: str, there: Officer
) -> None:
    mine, lead = accepted(gateway, case), Officer(gateway, LEAD)
    assert problem(lead.step(case, "reopen", note="误办")) == (409, "conflict")
    there.take(mine, "dismiss", finding="in_school", found_on="2026-11-19")
    assert lead.take(case, "reopen", note="又出现")["state"] == "suspected"


def test_a_case_moved_by_hand_tells_nothing_of_the_other_county(
    gateway: TestGateway, case: str, there: Officer
) -> None:
    lead = Officer(gateway, LEAD)
    lead.take(case, "move", receiving_region=OTHER, confirmation="回函")
    assert own_case(there)
    assert lead.take(case, "reopen", note="误办")["state"] == "suspected"


def test_what_came_along_is_no_ground_here(gateway: TestGateway, case: str, there: Officer) -> None:
    """Neither a plan nor a notice served of another county's stands in what this one hands on."""
    mine = own_case(there)
    there.take(mine, "verify", finding="dropped_out", found_on="2026-11-19")
    assert accepted(gateway, case) == mine
    assert there.case(mine)["plan"] is None
    Sender(gateway, LEAD, THIRD)
    handover = sent(Sender(gateway, LEAD, OTHER), mine, THIRD)
    preview = Sender(gateway, LEAD, THIRD).get(f"/handovers/{handover}").json()
    assert (preview["has_plan"], preview["notices_served"]) == (False, [])


def test_of_three_counties_one_has_it_open(gateway: TestGateway, case: str, there: Officer) -> None:
    second = accepted(gateway, case)
    third = Sender(gateway, LEAD, THIRD)
    handover = sent(Sender(gateway, LEAD, OTHER), second, THIRD)
    assert third.post(f"/handovers/{handover}/accept").status_code == 200
    for region, ref in ((COUNTY, case), (OTHER, second)):
        refused = Officer(gateway, LEAD, region).step(ref, "reopen", note="误办")
        assert problem(refused) == (409, "conflict"), region


def test_neither_side_opens_again_what_the_other_has_open(
    gateway: TestGateway, case: str, there: Officer
) -> None:
    mine = accepted(gateway, case)
    there.take(mine, "dismiss", finding="in_school", found_on="2026-11-19")
    assert Officer(gateway, LEAD).take(case, "reopen", note="又出现")["state"] == "suspected"
    assert problem(there.step(mine, "reopen", note="误办")) == (409, "conflict")


def test_a_later_case_of_the_other_countys_own_is_not_told_of(
    gateway: TestGateway, case: str, there: Officer
) -> None:
    mine = accepted(gateway, case)
    there.take(mine, "dismiss", finding="in_school", found_on="2026-11-19")
    gateway.upload(
        "student-register",
        csv_file([student(2, **{**OUT, **THERE, "状态日期": "2026-11-20"})]),
        region=OTHER,
    )
    assert len(there.cases(state="suspected")) == 1
    assert Officer(gateway, LEAD).take(case, "reopen", note="又出现")["state"] == "suspected"


def test_a_sealed_history_is_for_its_own_officer_on_both_sides(
    gateway: TestGateway, case: str, there: Officer
) -> None:
    handover = sent(Sender(gateway, LEAD), case)
    with gateway.parts.store.writing() as connection:
        connection.execute("UPDATE case_file SET sealed = 1, owner = 'of-mine' WHERE ref = ?", (case,))
    one_of_them, colleague = Sender(gateway, LEAD, OTHER), Sender(gateway, LEAD, OTHER)
    assert one_of_them.post(f"/handovers/{handover}/accept").status_code == 200
    assert one_of_them.get(f"/handovers/{handover}").json()["package"]
    assert problem(colleague.get(f"/handovers/{handover}")) == (403, "not-permitted")
    assert colleague.get("/handovers").json()["items"] == []
    assert len(one_of_them.get("/handovers").json()["items"]) == 1
    new = str(one(gateway, "SELECT new_case FROM handover WHERE id = ?", handover))
    assert history(gateway, new)[-1][1]["sealed"] is True
