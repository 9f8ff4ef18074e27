"""From a pseudonym to the child: for the team that owns the open case, by two officers, once."""

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.transports.rest import client_assertion
from gateway.adapters.clock import SystemClock
from gateway.domain.errors import HuxueError, NotPermitted
from gateway.domain.principal import Principal
from gateway.services.resolve import Wish
from tests.harness import COUNTY, TestGateway, running, token_form
from tests.people import csv_file, resident_id, student

PATH = "/v1/identity/resolutions"
CHILD = resident_id(date(2015, 3, 5), 2)
NAME = student(2)["姓名"]
OTHER = resident_id(date(2015, 3, 5), 4)
OUT = {"学生状态": "辍学", "状态日期": "2026-10-09"}
BACK = {"学生状态": "在校", "状态日期": "2026-11-15"}
LEAD, RETURN = "education/dropout_lead", "township/return_officer"
REASON = "需上门家访核实辍学原因"
DAILY = 20


class Officer:
    """One officer's system: a client of its own."""

    def __init__(self, gateway: TestGateway, role: str = LEAD, region: str = COUNTY) -> None:
        self.gateway, self.role, self.region = gateway, role, region
        self.credentials = gateway.credentials(role, region)
        self.client = self.credentials.client_id
        self._headers = {"Authorization": f"Bearer {gateway.fetch_token(self.credentials)}"}

    def get(self, path: str = "", **params: Any) -> httpx.Response:
        return self.gateway.call.get(PATH + path, params=params, headers=self._headers)

    def post(self, path: str = "", body: object = None) -> httpx.Response:
        return self.gateway.call.post(PATH + path, json=body, headers=self._headers)

    def ask(self, **body: Any) -> httpx.Response:
        whole = {"purpose": "dropout_control", "reason": REASON, **body}
        return self.post("", whole)

    def asked(self, **body: Any) -> str:
        answer = self.ask(**body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def leads(self) -> list[dict[str, Any]]:
        found = self.gateway.call.get("/v1/leads", headers=self._headers).json()["items"]
        return list(found)

    def pseudonym(self) -> str:
        return str(self.leads()[0]["pseudonym"])

    def revoke(self) -> None:
        self.gateway.revoke(self.client)


class Later(SystemClock):
    """A clock that can be put forward."""

    def __init__(self, today: date) -> None:
        self.by, self._today = timedelta(), today

    def now(self) -> datetime:
        return super().now() + self.by

    def today(self) -> date:
        return self._today


@pytest.fixture
def out(tmp_path: Path) -> Iterator[TestGateway]:
    """A gateway with two children, one of them registered as dropped out."""
    with running(tmp_path / "data") as found:
        answer = found.upload("student-register", csv_file([student(2, **OUT), student(4)]))
        assert answer.json()["rejected"] == 0, answer.text
        yield found


@pytest.fixture
def clock(out: TestGateway) -> Later:
    found = Later(date(2026, 11, 20))
    out.parts.context.resolve._clock = out.parts.context.resolve._lapse._clock = found
    return found


@pytest.fixture
def asking(out: TestGateway) -> Officer:
    return Officer(out)


@pytest.fixture
def second(out: TestGateway) -> Officer:
    return Officer(out)


def problem(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).rpartition("/")[2]


def state(officer: Officer, resolution: str) -> str:
    return str(officer.get(f"/{resolution}").json()["state"])


def subject_entries(gateway: TestGateway) -> list[str]:
    """What is in the evidence of resolutions with a child, oldest first."""
    with closing(gateway.database()) as connection:
        rows = connection.execute(
            "SELECT body FROM audit_entry WHERE subject_id IS NOT NULL ORDER BY seq"
        ).fetchall()
    bodies = [json.loads(row[0]) for row in rows]
    return [body["detail"].partition(" ")[0] for body in bodies if body["exchange"] == "identity"]


def alarms(gateway: TestGateway) -> list[tuple[str, str]]:
    with closing(gateway.database()) as connection:
        return connection.execute("SELECT kind, about FROM alarm ORDER BY kind").fetchall()


def close_the_case(gateway: TestGateway) -> None:
    answer = gateway.upload("student-register", csv_file([student(2, **BACK), student(4)]))
    assert answer.json()["rejected"] == 0, answer.text
    assert [lead["status"] for lead in gateway.leads()] == ["closed"]


def test_two_officers_one_look(out: TestGateway, asking: Officer, second: Officer) -> None:
    answer = asking.ask(pseudonym=asking.pseudonym())
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    pending = answer.json()
    assert pending["state"] == "pending"
    assert not {"name", "resident_id", "student_numbers"} & set(pending)
    path = f"/{pending['id']}"

    seen = second.get(path).json()
    assert (seen["reason"], seen["pseudonym"], seen["case"]) == (REASON, second.pseudonym(), pending["case"])
    approved = second.post(f"{path}/approve")
    assert approved.status_code == 200
    assert approved.json()["state"] == "approved"
    assert CHILD not in approved.text
    assert NAME not in approved.text

    shown = asking.post(f"{path}/show")
    assert shown.status_code == 200
    assert shown.headers["cache-control"] == "no-store"
    person = shown.json()
    assert set(person) == {
        "reference", "id", "state", "case", "name", "resident_id", "student_numbers", "contact"
    }  # fmt: skip
    assert (person["state"], person["name"], person["resident_id"]) == ("shown", NAME, CHILD)
    assert person["contact"] is None

    again = asking.post(f"{path}/show")
    assert (again.status_code, problem(again)) == (409, "conflict")
    assert CHILD not in asking.get(path).text + second.get(path).text + asking.get().text
    assert subject_entries(out)[:5] == ["requested", "read", "approved", "shown", "conflict"]
    shown_entry = next(entry for entry in out.audit() if entry["reference"] == person["reference"])
    assert shown_entry["fields"]["resident_id"] == "keep"
    assert "reason" not in shown_entry["fields"]
    assert len(shown_entry["subject"]) == 64


def test_by_case_and_by_the_township(out: TestGateway) -> None:
    officer, other = Officer(out, RETURN, "530423101"), Officer(out, RETURN, "530423101")
    (lead,) = officer.leads()
    resolution = officer.asked(case=lead["case"])
    assert officer.get(f"/{resolution}").json()["pseudonym"].startswith("tw1-")
    assert other.post(f"/{resolution}/approve").status_code == 200
    assert officer.post(f"/{resolution}/show").json()["resident_id"] == CHILD


def test_nobody_else_gets_in(out: TestGateway, asking: Officer) -> None:
    """Elsewhere, another role, another agency's pseudonym, a child without a case: all alike, and recorded."""
    own, case = asking.pseudonym(), asking.leads()[0]["case"]
    keys = out.parts.keys
    with closing(out.database()) as connection:
        subjects = [row[0] for row in connection.execute("SELECT id FROM subject")]
    without_case = next(name for name in keys.pseudonyms("education", subjects) if name != own)
    before = len(out.audit())
    answers = [
        asking.ask(pseudonym=own.replace("ed1-", "tw1-")),
        asking.ask(pseudonym=Officer(out, RETURN, "530423101").pseudonym()),
        asking.ask(pseudonym="ed1-" + "a" * 32),
        asking.ask(pseudonym=without_case),
        asking.ask(pseudonym=CHILD),
        asking.ask(case="case-" + "a" * 26),
        asking.ask(case=CHILD),
        Officer(out, LEAD, "530424").ask(pseudonym=own),
        Officer(out, LEAD, "530424").ask(case=case),
        Officer(out, RETURN, "530423102").ask(case=case),
        Officer(out, "education/registrar").ask(case=case),
        Officer(out, "civil_affairs/relief_officer").ask(case=case),
        Officer(out, "gateway/counter_clerk").ask(case=case),
        Officer(out, "gateway/auditor").ask(case=case),
        Officer(out, "gateway/operator").ask(case=case),
    ]
    bodies = [{**answer.json(), "correlation_id": ""} for answer in answers]
    assert all(body == bodies[0] for body in bodies)
    assert bodies[0]["status"] == 403
    refused = [entry for entry in out.audit()[before:] if entry["exchange"] == "identity"]
    assert len(refused) == len(answers)
    assert all(entry["subject"] is None and entry["detail"] == "not-permitted" for entry in refused)
    assert not any(CHILD in json.dumps(entry) for entry in refused)


def test_a_foreign_pseudonym_is_turned_away_before_any_look_up(
    out: TestGateway, asking: Officer, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[object] = []
    monkeypatch.setattr(out.parts.context.resolve._resolutions, "open_cases", looked.append)
    assert asking.ask(pseudonym="tw1-" + "a" * 32).status_code == 403
    assert asking.ask(pseudonym=CHILD).status_code == 403
    assert looked == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"reason": "x"}, "/reason"),
        ({"reason": "字" * 501}, "/reason"),
        ({"reason": "核实530423201503050029的去向"}, "/reason"),
        ({"case": "case-" + "a" * 26}, "/pseudonym"),
        ({"pseudonym": None}, "/pseudonym"),
        ({"pseudonym": 5}, "/pseudonym"),
        ({"emergency": "yes"}, "/emergency"),
    ],
)
def test_a_request_that_cannot_be_read(asking: Officer, body: dict[str, object], pointer: str) -> None:
    answer = asking.ask(**{"pseudonym": asking.pseudonym(), **body})
    assert (answer.status_code, problem(answer)) == (400, "malformed")
    assert [flaw["pointer"] for flaw in answer.json()["errors"]] == [pointer]


def test_purposes(asking: Officer) -> None:
    own = asking.pseudonym()
    assert problem(asking.ask(pseudonym=own, purpose="statistics")) == "purpose-not-granted"
    assert problem(asking.ask(pseudonym=own, purpose="gossip")) == "unknown-purpose"


def test_wrong_approvers(out: TestGateway, asking: Officer) -> None:
    resolution = asking.asked(pseudonym=asking.pseudonym())
    wrong = [
        asking,
        Officer(out, LEAD, "530424"),
        Officer(out, RETURN, "530423101"),
        Officer(out, "education/registrar"),
        Officer(out, "school/class_teacher"),
        Officer(out, "gateway/auditor"),
    ]
    for officer in wrong:
        for answer in (
            officer.post(f"/{resolution}/approve"),
            officer.post(f"/{resolution}/reject", {"reason": "不需要了解身份"}),
        ):
            assert (answer.status_code, problem(answer)) == (403, "not-permitted"), officer.role
    for officer in wrong[1:]:
        unknown, hidden = officer.get("/res-" + "0" * 26), officer.get(f"/{resolution}")
        assert unknown.status_code == hidden.status_code == 403
    assert state(asking, resolution) == "pending"
    revoked = Officer(out)
    revoked.revoke()
    assert revoked.post(f"/{resolution}/approve").status_code == 401


def officer_of(client: str, officer: str | None, role: str = LEAD) -> Principal:
    return Principal(client, role.partition("/")[0], role, COUNTY, officer=officer)


def test_one_officer_with_two_clients_is_one_officer(
    out: TestGateway, asking: Officer, second: Officer
) -> None:
    """Officers log in from another issue on; the use case tells the names apart already."""
    resolve, pseudonym = out.parts.context.resolve, asking.pseudonym()
    li = officer_of(asking.client, "li")

    async def story() -> tuple[list[str], bytes]:
        wish = Wish(li, "dropout_control", REASON, pseudonym)
        resolution = json.loads(await resolve.ask(wish))["id"]
        refused = []
        for who in (
            li,
            officer_of(second.client, "li"),
            officer_of(asking.client, "wang"),
            officer_of(asking.client, None),
            officer_of(second.client, None),
        ):
            try:
                await resolve.approve(who, resolution)
            except NotPermitted as error:
                refused.append(error.name)
        await resolve.approve(officer_of(second.client, "wang"), resolution)
        try:
            await resolve.show(officer_of(asking.client, "wang"), resolution)
        except HuxueError as error:
            refused.append(error.name)
        return refused, await resolve.show(li, resolution)

    refused, shown = asyncio.run(story())
    assert refused == ["not-permitted"] * 3 + ["officer-unnamed"] * 2 + ["not-permitted"]
    assert json.loads(shown)["resident_id"] == CHILD


class Unnamed(Officer):
    """A client that names nobody: whoever sits at it."""

    def __init__(self, gateway: TestGateway) -> None:
        super().__init__(gateway)
        url = f"{gateway.url}/oauth2/token"
        form = token_form(client_assertion(self.credentials, url, datetime.now(UTC)))
        token = gateway.call.post("/oauth2/token", data=form).json()["access_token"]
        self._headers = {"Authorization": f"Bearer {token}"}


def test_one_person_with_two_nameless_clients_is_no_two_officers(out: TestGateway) -> None:
    one, two = Unnamed(out), Unnamed(out)
    for emergency in (False, True):
        answer = one.ask(pseudonym=one.pseudonym(), emergency=emergency)
        assert (answer.status_code, problem(answer)) == (403, "officer-unnamed")
        assert "officer" in answer.json()["detail"]
        assert CHILD not in answer.text
    with closing(out.database()) as connection:
        assert connection.execute("SELECT count(*) FROM resolution").fetchone() == (0,)
    refusals = [(entry["decision"], entry["detail"]) for entry in out.audit() if entry["action"] == "resolve"]
    assert refusals == [("fail", "officer-unnamed")] * 2
    assert two.get().json()["items"] == []


def test_a_nameless_client_decides_nothing_and_sees_where_it_stands(
    out: TestGateway, asking: Officer, second: Officer
) -> None:
    nameless, resolution = Unnamed(out), asking.asked(pseudonym=asking.pseudonym())
    urgent = asking.asked(pseudonym=asking.pseudonym(), emergency=True)
    answers = [
        nameless.post(f"/{resolution}/approve"),
        nameless.post(f"/{resolution}/reject", {"reason": "不需要了解身份"}),
        nameless.post(f"/{resolution}/show"),
        nameless.post(f"/{urgent}/review", {"verdict": "justified", "comment": "情况属实"}),
        nameless.post("/res-" + "0" * 26 + "/approve"),
    ]
    assert {(each.status_code, problem(each)) for each in answers} == {(403, "officer-unnamed")}
    assert (state(nameless, resolution), state(nameless, urgent)) == ("pending", "review_due")
    assert second.post(f"/{resolution}/approve").status_code == 200


def test_a_requester_revoked_meanwhile_is_not_approved(asking: Officer, second: Officer) -> None:
    resolution = asking.asked(pseudonym=asking.pseudonym())
    asking.revoke()
    assert problem(second.post(f"/{resolution}/approve")) == "conflict"
    assert asking.post(f"/{resolution}/show").status_code == 401


def test_an_approval_does_not_outlive_its_approvers_standing(asking: Officer, second: Officer) -> None:
    resolution = asking.asked(pseudonym=asking.pseudonym())
    second.post(f"/{resolution}/approve")
    second.revoke()
    answer = asking.post(f"/{resolution}/show")
    assert (answer.status_code, problem(answer)) == (409, "conflict")


def test_nothing_is_shown_without_an_approval(asking: Officer, second: Officer) -> None:
    resolution = asking.asked(pseudonym=asking.pseudonym())
    assert problem(asking.post(f"/{resolution}/show")) == "conflict"
    assert problem(second.post(f"/{resolution}/show")) == "not-permitted"


def test_a_rejection_says_why_and_ends_it(out: TestGateway, asking: Officer, second: Officer) -> None:
    resolution = asking.asked(pseudonym=asking.pseudonym())
    assert problem(second.post(f"/{resolution}/reject", {"reason": "x"})) == "malformed"
    rejected = second.post(f"/{resolution}/reject", {"reason": "无需了解身份即可办理"})
    assert (rejected.json()["state"], rejected.json()["note"]) == ("rejected", "无需了解身份即可办理")
    assert asking.get(f"/{resolution}").json()["note"] == "无需了解身份即可办理"
    assert problem(second.post(f"/{resolution}/approve")) == "conflict"
    assert problem(asking.post(f"/{resolution}/show")) == "conflict"
    assert "rejected" in subject_entries(out)


def test_an_approval_can_be_taken_back(asking: Officer, second: Officer) -> None:
    resolution = asking.asked(pseudonym=asking.pseudonym())
    second.post(f"/{resolution}/approve")
    assert (
        second.post(f"/{resolution}/reject", {"reason": "情况有变，收回批准"}).json()["state"] == "rejected"
    )
    assert problem(asking.post(f"/{resolution}/show")) == "conflict"


def test_a_request_expires_after_a_day(
    out: TestGateway, clock: Later, asking: Officer, second: Officer
) -> None:
    resolution = asking.asked(pseudonym=asking.pseudonym())
    clock.by = timedelta(hours=23, minutes=59)
    assert state(asking, resolution) == "pending"
    clock.by = timedelta(hours=24, minutes=1)
    assert problem(second.post(f"/{resolution}/approve")) == "conflict"
    assert state(second, resolution) == "expired"
    assert "expired" in subject_entries(out)


def test_an_approval_expires_after_fifteen_minutes(clock: Later, asking: Officer, second: Officer) -> None:
    resolution = asking.asked(pseudonym=asking.pseudonym())
    second.post(f"/{resolution}/approve")
    clock.by = timedelta(minutes=15)
    answer = asking.post(f"/{resolution}/show")
    assert (answer.status_code, problem(answer)) == (409, "conflict")
    assert CHILD not in answer.text
    assert state(asking, resolution) == "expired"


def test_a_closed_case_resolves_nobody(out: TestGateway, asking: Officer, second: Officer) -> None:
    own, case = asking.pseudonym(), asking.leads()[0]["case"]
    approved, pending = asking.asked(case=case), asking.asked(case=case)
    second.post(f"/{approved}/approve")
    close_the_case(out)
    assert problem(asking.ask(pseudonym=own)) == "not-permitted"
    assert problem(asking.ask(case=case)) == "not-permitted"
    assert problem(second.post(f"/{pending}/approve")) == "not-permitted"
    assert problem(asking.post(f"/{approved}/show")) == "conflict"
    assert {each["id"] for each in second.get().json()["items"]} == {approved, pending}, "history stays"


def test_an_emergency_is_immediate_and_reviewed(out: TestGateway, asking: Officer, second: Officer) -> None:
    answer = asking.ask(pseudonym=asking.pseudonym(), emergency=True)
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    given = answer.json()
    assert (given["state"], given["resident_id"], given["name"]) == ("review_due", CHILD, NAME)
    assert given["review_due_at"] is not None
    path = f"/{given['id']}"
    assert problem(asking.post(f"{path}/show")) == "conflict", "once, in the answer"
    verdict = {"verdict": "justified", "comment": "情况属实，处置及时"}
    assert problem(asking.post(f"{path}/review", verdict)) == "not-permitted"
    assert problem(Officer(out, LEAD, "530424").post(f"{path}/review", verdict)) == "not-permitted"
    assert [each["id"] for each in second.get(state="review_due").json()["items"]] == [given["id"]]
    assert second.post(f"{path}/review", verdict).json()["state"] == "justified"
    assert problem(second.post(f"{path}/review", verdict)) == "conflict"
    assert alarms(out) == []
    assert subject_entries(out)[0] == "emergency"


def test_an_unjustified_emergency_alarms_at_once(out: TestGateway, asking: Officer, second: Officer) -> None:
    given = asking.ask(pseudonym=asking.pseudonym(), emergency=True).json()
    verdict = {"verdict": "unjustified", "comment": "并无紧急情况"}
    assert second.post(f"/{given['id']}/review", verdict).json()["state"] == "unjustified"
    assert alarms(out) == [("emergency-unjustified", asking.client)]


def test_an_unreviewed_emergency_is_escalated(
    out: TestGateway, clock: Later, asking: Officer, second: Officer
) -> None:
    first, other = (asking.ask(pseudonym=asking.pseudonym(), emergency=True).json()["id"] for _ in range(2))
    clock.by = timedelta(hours=23)
    assert asyncio.run(lapse(out)) == 0
    clock.by = timedelta(hours=25)
    assert state(second, first) == "escalated", "also when it is looked at"
    assert asyncio.run(lapse(out)) == 1, "and by the clock, the other one"
    assert asyncio.run(lapse(out)) == 0
    assert state(second, other) == "escalated"
    assert alarms(out) == [("emergency-unreviewed", asking.client)] * 2
    assert subject_entries(out).count("escalated") == 2
    late = {"verdict": "justified", "comment": "补办复核，情况属实"}
    assert second.post(f"/{first}/review", late).json()["state"] == "justified"


async def lapse(gateway: TestGateway) -> int:
    return await gateway.parts.context.resolve.lapse()


def test_of_two_at_once_exactly_one_wins(out: TestGateway, asking: Officer, second: Officer) -> None:
    third = Officer(out)
    resolution = asking.asked(pseudonym=asking.pseudonym())
    with ThreadPoolExecutor(8) as pool:
        approvals = list(
            pool.map(lambda who: who.post(f"/{resolution}/approve").status_code, [second, third] * 4)
        )
        shows = list(pool.map(lambda _: asking.post(f"/{resolution}/show"), range(8)))
    assert sorted(approvals) == [200, *[409] * 7]
    assert sorted(answer.status_code for answer in shows) == [200, *[409] * 7]
    assert sum(CHILD in answer.text for answer in shows) == 1
    assert subject_entries(out).count("shown") == 1


def test_a_days_requests_are_limited_and_told(out: TestGateway, asking: Officer, second: Officer) -> None:
    own = asking.pseudonym()
    for number in range(DAILY):
        asking.asked(pseudonym=own, emergency=number % 2 == 0)
    for emergency in (False, True):
        answer = asking.ask(pseudonym=own, emergency=emergency)
        assert (answer.status_code, problem(answer)) == (403, "quota-exceeded-enumeration")
        assert CHILD not in answer.text
    assert ("resolution-quota", asking.client) in alarms(out)
    second.asked(pseudonym=own)


def test_the_list_pages_newest_first_and_shows_nobody(
    out: TestGateway, asking: Officer, second: Officer
) -> None:
    asked = [asking.asked(pseudonym=asking.pseudonym()) for _ in range(5)]
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = second.get(limit=2, **({"cursor": cursor} if cursor else {}))
        assert CHILD not in page.text
        assert NAME not in page.text
        found += [each["id"] for each in page.json()["items"]]
        cursor = page.json()["next_cursor"]
        if cursor is None:
            break
    assert found == asked[::-1]
    assert second.get(state="approved").json()["items"] == []
    assert Officer(out, LEAD, "530424").get().json()["items"] == []
    assert Officer(out, RETURN, "530423101").get().json()["items"] == [], "another team's"
    assert second.get(state="nonsense").status_code == 400
    assert problem(Officer(out, "education/registrar").get()) == "not-permitted"


def test_an_identity_that_cannot_be_opened_is_a_typed_refusal(
    out: TestGateway, asking: Officer, second: Officer
) -> None:
    resolution = asking.asked(pseudonym=asking.pseudonym())
    second.post(f"/{resolution}/approve")
    with closing(out.database()) as connection, connection:
        connection.execute("UPDATE subject SET sealed = zeroblob(60)")
    answer = asking.post(f"/{resolution}/show")
    assert (answer.status_code, problem(answer)) == (409, "identity-unreadable")
    assert problem(asking.ask(pseudonym=asking.pseudonym(), emergency=True)) == "identity-unreadable"
    assert subject_entries(out)[-2:] == ["identity-unreadable"] * 2
    assert {kind for kind, _ in alarms(out)} == {"identity-unreadable"}
    assert state(asking, resolution) == "approved", "nothing was shown, nothing is used up"


def test_the_person_and_the_reasons_stay_in_the_vault(
    out: TestGateway, asking: Officer, second: Officer, capfd: pytest.CaptureFixture[str]
) -> None:
    note = "意见：同意本次家访"
    given = asking.ask(pseudonym=asking.pseudonym(), emergency=True).json()
    second.post(f"/{given['id']}/review", {"verdict": "justified", "comment": note})
    resolution = asking.asked(pseudonym=asking.pseudonym())
    second.post(f"/{resolution}/approve")
    assert asking.post(f"/{resolution}/show").json()["name"] == NAME
    with closing(out.database()) as connection:
        dump = everything(connection)
    logged = "".join(capfd.readouterr())
    for secret in (CHILD, NAME, REASON, note):
        assert secret.encode() not in dump
        assert secret not in logged
        assert secret not in json.dumps(out.audit(), ensure_ascii=False)


def everything(connection: sqlite3.Connection) -> bytes:
    """Every value of every table, as bytes."""
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    values = (
        value for table in tables for row in connection.execute(f"SELECT * FROM {table}") for value in row
    )
    return b"\n".join(value if isinstance(value, bytes) else str(value).encode() for value in values)


def test_a_child_two_counties_know_belongs_to_both_teams_alone(out: TestGateway, asking: Officer) -> None:
    """Each team by its own case; the same pseudonym, since it is one agency."""
    answer = out.upload(
        "student-register", csv_file([student(2, **{**OUT, "现住址行政区划": "530424101"})]), region="530424"
    )
    assert answer.json()["rejected"] == 0, answer.text
    there = Officer(out, LEAD, "530424")
    here_case, there_case = asking.leads()[0]["case"], there.leads()[0]["case"]
    assert here_case != there_case
    assert problem(there.ask(case=here_case)) == "not-permitted"
    assert there.ask(pseudonym=there.pseudonym()).json()["case"] == there_case
