"""What officers do with duties, and what they cannot: another agency's, another school's, another office's officer."""

from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.adapters.db.clients import SqliteClients
from tests.harness import COUNTY, TestGateway, problem, running
from tests.integration.test_duties import (
    INSPECTOR,
    LEAD,
    OTHER_SCHOOL,
    OUT,
    PURPOSES,
    RETURN,
    SCHOOL,
    TEACHER,
    TOWNSHIP,
    fill,
    get,
    register,
    see,
)
from tests.people import resident_id, student


class Officer:
    """An officer with a client of the own."""

    def __init__(
        self,
        gateway: TestGateway,
        name: str,
        role: str = INSPECTOR,
        region: str = COUNTY,
        school: str | None = None,
    ) -> None:
        self.gateway, self.name = gateway, name
        self.credentials = gateway.credentials(role, region, school)
        token = gateway.fetch_token(self.credentials, name)
        self.headers = {"Authorization": f"Bearer {token}"}
        self.purpose = PURPOSES.get(role, "dropout_control")

    def see(self) -> list[dict[str, Any]]:
        answer = self.gateway.call.get("/v1/duties", params={"purpose": self.purpose}, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])

    def post(self, path: str, **body: str) -> httpx.Response:
        query = {"purpose": self.purpose}
        return self.gateway.call.post(f"/v1/duties/{path}", params=query, json=body, headers=self.headers)


def test_the_owner_marks_it_done_once(gateway: TestGateway) -> None:
    fill(gateway)
    officer = Officer(gateway, "li-07")
    (duty,) = officer.see()
    answer = officer.post(f"{duty['id']}/done", what="inspected")
    assert answer.status_code == 200, answer.text
    assert (answer.json()["status"], answer.json()["done_on"]) == ("done", "2026-11-20")
    entry = gateway.audit()[-1]
    assert (entry["detail"], entry["officer"]) == (f"done inspected {duty['id']}", "li-07")
    assert problem(officer.post(f"{duty['id']}/done", what="inspected")) == (409, "conflict")
    assert gateway.audit()[-1]["detail"] == "conflict"
    assert problem(officer.post(f"{duty['id']}/done", what="张三")) == (400, "malformed")
    assert problem(officer.post(f"{duty['id']}/wait", **{"for": "education", "reason": "reply"})) == (
        409,
        "conflict",
    )


def test_nobody_else_marks_it_done(gateway: TestGateway) -> None:
    fill(gateway)
    visit = see(gateway, INSPECTOR)[0]["id"]
    contact = see(gateway, TEACHER, COUNTY, SCHOOL)[0]["id"]
    strangers = [
        (Officer(gateway, "ed-1", LEAD), visit),  # sees it, does not owe it
        (Officer(gateway, "ed-1", LEAD), contact),  # the school's, and not come up yet
        (Officer(gateway, "mk-1", "market_regulation/market_inspector"), visit),
        (Officer(gateway, "li-2", INSPECTOR, "530424"), visit),
        (Officer(gateway, "t-9", TEACHER, COUNTY, OTHER_SCHOOL), contact),
        (Officer(gateway, "rt-1", RETURN, TOWNSHIP), contact),
        (Officer(gateway, "ed-1", LEAD), "duty-" + "a" * 26),
    ]
    for stranger, duty in strangers:
        for deed, body in (
            ("done", {"what": "contacted"}),
            ("wait", {"for": "health", "reason": "reply"}),
            ("resume", {}),
            ("assign", {"officer": stranger.name}),
        ):
            before = len(gateway.audit())
            assert problem(stranger.post(f"{duty}/{deed}", **body)) == (403, "not-permitted")
            (entry,) = gateway.audit()[before:]
            assert entry["decision"] == "fail"
    assert {each["status"] for each in see(gateway, LEAD)} == {"open"}


def test_whom_it_went_up_to_may_do_it(tmp_path: Path) -> None:
    with running(tmp_path / "data") as gateway:
        register(gateway, student(2, **OUT))
    with running(tmp_path / "data", law_date=date(2026, 11, 27)) as gateway:
        officer = Officer(gateway, "rt-1", RETURN, TOWNSHIP)
        (duty,) = officer.see()
        assert duty["escalated_to"] == f"township@{TOWNSHIP}"
        assert officer.post(f"{duty['id']}/done", what="visited").json()["status"] == "done"


def test_while_it_waits_nothing_escalates_and_its_last_day_moves(tmp_path: Path) -> None:
    with running(tmp_path / "data") as gateway:
        fill(gateway)
        officer = Officer(gateway, "li-07")
        (duty,) = officer.see()
        assert problem(
            officer.post(f"{duty['id']}/wait", **{"for": "human_resources", "reason": "reply"})
        ) == (
            400,
            "malformed",
        )
        assert problem(officer.post(f"{duty['id']}/wait", **{"for": "nobody", "reason": "reply"})) == (
            400,
            "malformed",
        )
        assert problem(officer.post(f"{duty['id']}/resume")) == (409, "conflict")
        waiting = officer.post(f"{duty['id']}/wait", **{"for": "market_regulation", "reason": "document"})
        assert (waiting.json()["status"], waiting.json()["waiting_for"]) == ("waiting", "market_regulation")
    with running(tmp_path / "data", law_date=date(2026, 12, 4)) as gateway:
        (duty,) = see(gateway, INSPECTOR)
        assert (duty["status"], duty["escalated_to"], duty["reminded_on"]) == ("waiting", None, None)
        # from Friday 20 November to Friday 4 December: ten working days
        resumed = Officer(gateway, "li-07").post(f"{duty['id']}/resume").json()
        assert (resumed["status"], resumed["due_on"], resumed["waiting_for"]) == ("open", "2026-12-09", None)
    with running(tmp_path / "data", law_date=date(2026, 12, 10)) as gateway:
        (duty,) = see(gateway, INSPECTOR)
        assert (duty["status"], duty["escalated_to"], duty["reminded_on"]) == (
            "overdue",
            "human_resources@5304",
            "2026-12-08",
        )


def test_an_officer_who_leaves_hands_over_all_and_nothing_else(gateway: TestGateway) -> None:
    fill(gateway)
    leaving, staying = Officer(gateway, "li-07"), Officer(gateway, "li-08")
    (duty,) = leaving.see()
    assert problem(leaving.post(f"{duty['id']}/assign", officer="li-08")) == (400, "malformed")
    staying.see()
    assert leaving.post(f"{duty['id']}/assign", officer="li-07").json()["assignee"] == "li-07"
    answer = staying.post("handover", from_officer="li-07", to_officer="li-08")
    assert (answer.status_code, answer.json()["count"]) == (200, 1)
    assert staying.see()[0]["assignee"] == "li-08"
    entry = next(each for each in reversed(gateway.audit()) if each["detail"].startswith("handed-over"))
    assert (entry["detail"], entry["officer"], entry["count"]) == ("handed-over li-07 li-08", "li-08", 1)
    assert staying.post("handover", from_officer="li-07", to_officer="li-08").json()["count"] == 0
    assert see(gateway, LEAD, owner="human_resources")[0]["assignee"] is None


def test_duties_go_to_no_officer_of_another_office(gateway: TestGateway) -> None:
    fill(gateway)
    mine = Officer(gateway, "li-07")
    (duty,) = mine.see()
    assert mine.post(f"{duty['id']}/assign", officer="li-07").status_code == 200
    for name, role, region in (
        ("mk-1", "market_regulation/market_inspector", COUNTY),
        ("li-99", INSPECTOR, "530424"),
        ("ed-1", LEAD, COUNTY),
    ):
        taker = Officer(gateway, name, role, region)
        taker.see()
        assert problem(mine.post("handover", from_officer="li-07", to_officer=name)) == (400, "malformed")
        assert problem(mine.post(f"{duty['id']}/assign", officer=name)) == (400, "malformed")
        taken = taker.post("handover", from_officer="li-07", to_officer=name)
        assert (taken.status_code, taken.json()["count"]) == (200, 0), "of that office, nothing was his"
    assert mine.see()[0]["assignee"] == "li-07"
    nameless = gateway.call.post(
        "/v1/duties/handover",
        params={"purpose": "labour_inspection"},
        json={"from_officer": "li-07", "to_officer": "li-07"},
        headers=gateway.headers(INSPECTOR),
    )
    assert problem(nameless) == (403, "officer-unnamed")
    assert problem(mine.post("handover", from_officer="li 07", to_officer="张三")) == (400, "malformed")


def test_a_revoked_clients_duties_are_in_nobodys_hands_and_not_lost(gateway: TestGateway) -> None:
    fill(gateway)
    officer = Officer(gateway, "li-07")
    (duty,) = officer.see()
    assert officer.post(f"{duty['id']}/assign", officer="li-07").status_code == 200
    client = officer.credentials.client_id
    assert SqliteClients(gateway.parts.store).duties_of(client) == 1
    assert gateway.revoke(client)
    (left,) = see(gateway, INSPECTOR)
    assert (left["assignee"], left["status"]) == (None, "open")
    staying = Officer(gateway, "li-08")
    staying.see()
    assert problem(staying.post(f"{duty['id']}/assign", officer="li-07")) == (400, "malformed")


@pytest.mark.parametrize("field", ["case", "pseudonym", "facts", "township", "school"])
def test_a_market_inspector_gets_nothing_of_a_child_through_a_duty(gateway: TestGateway, field: str) -> None:
    fill(gateway)
    with (
        gateway.parts.store.writing() as connection
    ):  # a duty of theirs about a child, as referrals make them
        connection.execute("UPDATE duty SET owner = 'market_regulation' WHERE owner = 'human_resources'")
    inspector = Officer(gateway, "mk-1", "market_regulation/market_inspector")
    (duty,) = inspector.see()
    done = inspector.post(f"{duty['id']}/done", what="inspected")
    assert field not in duty
    assert field not in done.json()
    assert "case-" not in done.text
    assert "530423101" not in done.text
    assert get(gateway, "market_regulation/market_inspector", path="/overdue").json()["items"] == []


def test_a_guardian_reads_what_was_done(gateway: TestGateway) -> None:
    fill(gateway)
    officer = Officer(gateway, "rf-1", "civil_affairs/relief_officer")
    with gateway.parts.store.writing() as connection:
        connection.execute("UPDATE duty SET owner = 'civil_affairs' WHERE owner = 'human_resources'")
    (duty,) = officer.see()
    assert duty["pseudonym"].startswith("ca")
    assert officer.post(f"{duty['id']}/done", what="visited").status_code == 200
    answer = gateway.call.post(
        "/v1/disclosures",
        json={"purpose": "subject_access", "subject": {"resident_id": resident_id(date(2015, 3, 5), 6)}},
        headers=gateway.headers("gateway/counter_clerk"),
    )
    sentences = [each["sentence"] for each in answer.json()["items"]]
    assert any("登记办结了一项有关该儿童的职责" in each for each in sentences)
    assert "rf-1" not in answer.text


def test_what_an_act_ends_nobody_marks_as_done(gateway: TestGateway) -> None:
    """The plan is made, the report signed, the hand-over decided: saying so is not doing so."""
    register(gateway, student(2, **OUT))
    (case,) = {each["case"] for each in see(gateway, LEAD)}
    lead = gateway.headers(LEAD)
    step = {"step": "verify", "evidence": {"finding": "dropped_out", "found_on": "2026-11-19"}}
    assert gateway.call.post(f"/v1/cases/{case}/steps", json=step, headers=lead).status_code == 200
    officer = Officer(gateway, "rt-1", RETURN, TOWNSHIP)
    (plan,) = [each for each in officer.see() if each["duty"] == "make-plan"]
    refused = officer.post(f"{plan['id']}/done", what="decided")
    assert problem(refused) == (409, "conflict")
    assert refused.json()["detail"].startswith("“制定一人一策”在系统中办理后自动办结")
    assert {each["status"] for each in officer.see() if each["duty"] == "make-plan"} == {"open"}
    assert gateway.audit()[-2]["detail"] == "conflict"


def test_what_was_done_is_what_its_kind_takes(gateway: TestGateway) -> None:
    fill(gateway)
    officer = Officer(gateway, "li-07")
    (visit,) = officer.see()
    refused = officer.post(f"{visit['id']}/done", what="assessed")
    assert problem(refused) == (400, "malformed")
    assert "assessed" not in refused.text
    assert officer.post(f"{visit['id']}/done", what="inspected").status_code == 200


def test_an_owner_hides_no_overdue_duty_by_waiting(tmp_path: Path) -> None:
    wait = {"for": "civil_affairs", "reason": "reply"}
    with running(tmp_path / "data") as gateway:
        register(gateway, student(2, **OUT))
    with running(tmp_path / "data", law_date=date(2026, 11, 27)) as gateway:
        teacher = Officer(gateway, "t-1", TEACHER, COUNTY, SCHOOL)
        (duty,) = teacher.see()
        assert duty["escalated_to"] == f"township@{TOWNSHIP}"
        assert problem(teacher.post(f"{duty['id']}/wait", **wait)) == (409, "conflict")
        above = Officer(gateway, "rt-1", RETURN, TOWNSHIP)
        itself = above.post(f"{duty['id']}/wait", **{"for": "township", "reason": "reply"})
        assert problem(itself) == (400, "malformed")
        assert above.post(f"{duty['id']}/wait", **wait).json()["status"] == "waiting"


def test_no_duty_waits_for_ever(tmp_path: Path) -> None:
    """After `wait_days` (60) it is owed again by itself, its last day moved; then it is reminded of and goes up."""
    with running(tmp_path / "data") as gateway:
        fill(gateway)
        officer = Officer(gateway, "li-07")
        (duty,) = officer.see()
        waited = officer.post(f"{duty['id']}/wait", **{"for": "market_regulation", "reason": "document"})
        assert waited.status_code == 200
    with running(tmp_path / "data", law_date=date(2027, 1, 18)) as gateway:
        assert [each["status"] for each in see(gateway, INSPECTOR)] == ["waiting"]
    with running(tmp_path / "data", law_date=date(2027, 1, 19)) as gateway:
        (again,) = see(gateway, INSPECTOR)
        assert (again["status"], again["waiting_for"]) == ("open", None)
        # due on 25 November: three working days ahead when it began to wait, as many when it is owed again
        assert (duty["due_on"], again["due_on"]) == ("2026-11-25", "2027-01-22")


def test_who_comes_back_with_another_client_can_be_given_duties(gateway: TestGateway) -> None:
    """The client by which an officer was first seen is revoked: the next one counts, without a restart."""
    fill(gateway)
    first = Officer(gateway, "li-07")
    (duty,) = first.see()
    assert gateway.revoke(first.credentials.client_id)
    again = Officer(gateway, "li-07")
    again.see()
    assert again.post(f"{duty['id']}/assign", officer="li-07").json()["assignee"] == "li-07"


def test_all_waits_together_last_no_longer(tmp_path: Path) -> None:
    """Whoever takes a duty up again and lets it wait anew gains nothing by it."""
    wait = {"for": "market_regulation", "reason": "document"}
    with running(tmp_path / "data") as gateway:
        fill(gateway)
        officer = Officer(gateway, "li-07")
        (duty,) = officer.see()
        assert officer.post(f"{duty['id']}/wait", **wait).status_code == 200
    with running(tmp_path / "data", law_date=date(2027, 1, 18)) as gateway:  # 59 days
        officer = Officer(gateway, "li-07")
        assert officer.post(f"{duty['id']}/resume").status_code == 200
        assert officer.post(f"{duty['id']}/wait", **wait).status_code == 200
    with running(tmp_path / "data", law_date=date(2027, 1, 19)) as gateway:
        officer = Officer(gateway, "li-07")
        assert [each["status"] for each in officer.see()] == ["open"]
        assert problem(officer.post(f"{duty['id']}/wait", **wait)) == (409, "conflict")
    with running(tmp_path / "data", law_date=date(2027, 1, 25)) as gateway:
        assert see(gateway, INSPECTOR)[0]["escalated_to"] == "human_resources@5304"
