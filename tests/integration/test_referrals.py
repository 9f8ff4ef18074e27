"""A case referred to justice: a preview that names nobody, then the case for the officer who accepted, then an outcome."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.transports.rest import Credentials
from gateway.adapters.db.referrals import SqliteReferrals
from gateway.adapters.db.registers import SqliteRegisterTransaction
from gateway.domain.case import Actor
from gateway.domain.predicate import All, InRegion, Nothing
from gateway.domain.referral import ReferralQuery
from gateway.services.casework import SYSTEM, Casework, Move
from tests.harness import COUNTY, LAW_DATE, TestGateway, problem, running
from tests.integration.test_rotation import age, keys_command, turn, until
from tests.people import csv_file, resident_id, sighting, student

LEAD, RETURN = "education/dropout_lead", "township/return_officer"
AID, MEDIATION = "justice/legal_aid_officer", "justice/mediation_officer"
OUT = {"学生状态": "辍学", "状态日期": "2026-10-09"}
GUARDIAN = {"name": "赵监护", "phone": "13812345678", "relation": "父亲", "address": "示范村一组"}
ID_NUMBER = "530423201503050029"
NOTICES = [{"number": "限期〔2026〕7号", "served_on": "2026-11-02"}]
TOWNSHIP = "530423101"


class Officer:
    """One officer's system: a client of its own, whose token names the officer (or nobody)."""

    def __init__(
        self, gateway: TestGateway, role: str, region: str = COUNTY, officer: str | None = ""
    ) -> None:
        self.gateway, self.role = gateway, role
        self.credentials: Credentials = gateway.credentials(role, region)
        self.client = self.credentials.client_id
        named = f"of-{self.client}" if officer == "" else officer
        self._headers = {"Authorization": f"Bearer {gateway.fetch_token(self.credentials, named)}"}

    def get(self, path: str, **params: Any) -> httpx.Response:
        return self.gateway.call.get(f"/v1{path}", params=params, headers=self._headers)

    def post(self, path: str, body: object = None) -> httpx.Response:
        return self.gateway.call.post(f"/v1{path}", json=body, headers=self._headers)

    def send(self, case: str, **more: Any) -> httpx.Response:
        body = {
            "purpose": "dropout_control",
            "case": case,
            "to": "justice",
            "measure": "legal_aid",
            "guardian": GUARDIAN,
            **more,
        }
        return self.post("/exchanges/case-referral/referrals", body)

    def sent(self, case: str, **more: Any) -> str:
        answer = self.send(case, **more)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def act(self, referral: str, verb: str, **body: Any) -> httpx.Response:
        return self.post(f"/referrals/{referral}/{verb}", body or None)

    def outcome(self, rows: list[dict[str, str]]) -> httpx.Response:
        return self.gateway.call.post(
            "/v1/exchanges/case-outcome/uploads",
            params={"purpose": "legal_aid"},
            content=csv_file(rows),
            headers={**self._headers, "Content-Type": "text/csv"},
        )


def step_case(gateway: TestGateway, case: str, *steps: tuple[str, dict[str, object]]) -> None:
    """Takes the case there as its team would; through the store, not over HTTP."""
    work, keys, today = Casework(gateway.parts.rulebook), gateway.parts.keys, gateway.parts.clock.today()
    with gateway.parts.store.writing() as connection:
        transaction = SqliteRegisterTransaction(connection, keys, today, gateway.parts.store)
        for step, evidence in steps:
            found = transaction.cases.get(case)
            assert found is not None
            who = Actor("test", "test", "education", LEAD)
            work.move(transaction, found, Move(step, evidence, who, today, gateway.parts.clock.now()))


VERIFY = ("verify", {"finding": "dropped_out", "found_on": "2026-10-12"})
PLAN = ("persuade", {"responsible": "王某", "deadline": "2026-12-01", "measure": "home_visit"})
DEFER = ("exempt", {"approval_number": "缓学1号", "kind": "deferral"})
NOTIFY = ("notify", {"notice": "限期〔2026〕7号", "served_on": "2026-11-02"})


NEXT_DAY = LAW_DATE + timedelta(days=1)


def live(gateway: TestGateway, day: date, times: int = 1) -> None:
    """The county's tasks of a day."""
    with gateway.parts.daily._days.living(COUNTY, day) as transaction:
        assert transaction is not None, "nobody has lived that day yet"
        for task in gateway.parts.daily.tasks:
            for _ in range(times):
                task.run(transaction, COUNTY, day, gateway.parts.clock.now())


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[TestGateway]:
    """A gateway with three dropouts; the case of the first has its order to return served."""
    with running(tmp_path / "data") as found:
        rows = [student(number, **OUT) for number in (2, 4, 6)]
        answer = found.upload("student-register", csv_file(rows))
        assert answer.json()["rejected"] == 0, answer.text
        yield found


def cases_of(gateway: TestGateway) -> list[str]:
    return sorted({str(lead["case"]) for lead in gateway.leads()})


@pytest.fixture
def case(gateway: TestGateway) -> str:
    found = cases_of(gateway)[0]
    step_case(gateway, found, VERIFY, PLAN, NOTIFY)
    return found


@pytest.fixture
def lead(gateway: TestGateway) -> Officer:
    return Officer(gateway, LEAD)


@pytest.fixture
def aid(gateway: TestGateway) -> Officer:
    return Officer(gateway, AID)


def one(gateway: TestGateway, sql: str, *values: object) -> Any:
    with closing(gateway.database()) as connection:
        row = connection.execute(sql, values).fetchone()
    return row[0] if row and len(row) == 1 else row


def state_of(gateway: TestGateway, case: str) -> str:
    return str(one(gateway, "SELECT state FROM case_file WHERE ref = ?", case))


def duty_of(gateway: TestGateway, kind: str) -> Any:
    return one(gateway, "SELECT status, owner, region, case_ref, due_on FROM duty WHERE kind = ?", kind)


# --- the way it is meant to go -----------------------------------------------------------------------------------


def test_the_whole_way_preview_acceptance_and_outcome(
    gateway: TestGateway, case: str, lead: Officer, aid: Officer
) -> None:
    sent = lead.sent(case, note="请尽快", measure="mediation")
    assert duty_of(gateway, "referral-decision") == ("open", "justice", COUNTY, None, "2026-11-27")
    preview = aid.get(f"/referrals/{sent}")
    assert preview.status_code == 200, preview.text
    shown = preview.json()
    assert shown["status"] == "pending"
    assert (shown["stage"], shown["notices_served"], shown["measure"]) == (
        "notified",
        ["2026-11-02"],
        "mediation",
    )
    assert shown["region"] == COUNTY
    assert state_of(gateway, case) == "notified"

    accepted = aid.act(sent, "accept")
    assert accepted.status_code == 200, accepted.text
    full = accepted.json()
    assert (full["guardian"], full["notices"], full["note"]) == (GUARDIAN, NOTICES, "请尽快")
    assert full["pseudonym"].startswith("ju")
    assert "case" not in full
    assert TOWNSHIP not in accepted.text
    assert state_of(gateway, case) == "referred"
    assert duty_of(gateway, "referral-decision")[0] == "done"

    row = {"移送编号": sent, "办理结果": "调解成功", "日期": "2026-11-20", "备注": "家长同意送复学"}
    receipt = aid.outcome([row])
    assert receipt.status_code == 200, receipt.text
    assert (receipt.json()["accepted"], receipt.json()["rejected"]) == (1, 0)
    assert state_of(gateway, case) == "persuading"
    assert lead.get(f"/referrals/{sent}").json()["outcome"] == "mediated"
    again = aid.outcome([row]).json()
    assert (again["accepted"], again["unchanged"], again["rejected"]) == (0, 1, 0)
    steps = [
        each[0]
        for each in gateway.database().execute(
            "SELECT json_extract(body, '$.event') FROM case_entry WHERE case_ref = ? AND kind = 'referral'",
            (case,),
        )
    ]
    assert steps == ["sent", "accepted", "closed"]


SECRETS = ("pseudonym", "case", "guardian", "notices", "note", "comments", "reason", "school", "residence")


def test_before_acceptance_nothing_names_anybody(
    gateway: TestGateway, case: str, lead: Officer, aid: Officer
) -> None:
    """Every way in which justice can look: the one, the list, the refusals, the duty."""
    sent = lead.sent(case, note="赵监护在示范村一组")
    assert lead.act(sent, "comment", text="示范小学已确认").status_code == 200
    mediator = Officer(gateway, MEDIATION)
    texts = [
        each.text
        for officer in (aid, mediator)
        for each in (
            officer.get(f"/referrals/{sent}"),
            officer.get("/referrals", purpose="legal_aid"),
            officer.get("/referrals", purpose="legal_aid", status="pending", direction="received"),
            officer.act(sent, "comment", text="哪里人？"),
        )
    ]
    assert sum(sent in text for text in texts) == 6
    hidden = [case, "赵监护", "13812345678", "示范", TOWNSHIP, "2153001234", resident_id(number=2), "7号"]
    for text in texts:
        assert not [word for word in hidden if word in text], text
    for answer in (
        aid.get(f"/referrals/{sent}").json(),
        aid.get("/referrals", purpose="legal_aid").json()["items"][0],
    ):
        assert not set(SECRETS) & answer.keys()
    pseudonyms = [each["pseudonym"] for each in gateway.leads()]
    assert not [name for name in pseudonyms for text in texts if name in text]


def test_after_acceptance_only_the_officer_who_accepted_sees_the_case(
    gateway: TestGateway, case: str, lead: Officer, aid: Officer
) -> None:
    sent = lead.sent(case)
    assert aid.act(sent, "accept").status_code == 200
    assert aid.get(f"/referrals/{sent}").json()["guardian"] == GUARDIAN
    colleague = Officer(gateway, AID)
    assert "guardian" not in colleague.get(f"/referrals/{sent}").json()
    assert problem(colleague.act(sent, "take-over")) == (409, "conflict")
    gateway.revoke(aid.client)
    taken = colleague.act(sent, "take-over")
    assert taken.status_code == 200, taken.text
    assert taken.json()["guardian"] == GUARDIAN
    assert gateway.audit()[-1]["detail"] == f"taken_over {sent}"
    third = Officer(gateway, MEDIATION)
    assert problem(third.act(sent, "take-over")) == (409, "conflict")
    assert problem(third.act(sent, "comment", text="我来")) == (403, "not-permitted")


def test_the_notices_come_from_the_history_or_are_typed(
    gateway: TestGateway, lead: Officer, aid: Officer
) -> None:
    first, second, _ = cases_of(gateway)
    step_case(gateway, first, VERIFY, PLAN, NOTIFY)
    step_case(gateway, second, VERIFY, PLAN, NOTIFY)
    typed = [{"number": "镇〔2026〕9号", "served_on": "2026-11-03"}]
    ids = {lead.sent(first): NOTICES, lead.sent(second, notices=typed): typed}
    for sent, notices in ids.items():
        assert aid.act(sent, "accept").json()["notices"] == notices


def test_a_rejection_leaves_the_case_and_gives_its_sender_a_duty(
    gateway: TestGateway, case: str, lead: Officer, aid: Officer
) -> None:
    sent = lead.sent(case)
    answer = aid.act(sent, "reject", reason="应先由乡镇催告", ground="incomplete")
    assert answer.status_code == 200, answer.text
    assert (answer.json()["status"], answer.json()["ground"]) == ("rejected", "incomplete")
    assert "reason" not in answer.json()
    assert lead.get(f"/referrals/{sent}").json()["reason"] == "应先由乡镇催告"
    assert state_of(gateway, case) == "notified"
    assert duty_of(gateway, "referral-follow-up")[:4] == ("open", "education", COUNTY, case)
    assert duty_of(gateway, "referral-decision")[0] == "done"
    again = lead.sent(case)  # what was wrong is put right, and it is sent anew
    assert again != sent


def test_revoking_ends_the_duty_and_the_referral(
    gateway: TestGateway, case: str, lead: Officer, aid: Officer
) -> None:
    sent = lead.sent(case)
    assert lead.act(sent, "revoke", reason="孩子已回校").status_code == 200
    assert lead.act(sent, "revoke", reason="孩子已回校").status_code == 200
    assert duty_of(gateway, "referral-decision")[0] == "cancelled"
    assert problem(aid.act(sent, "accept")) == (409, "conflict")
    assert state_of(gateway, case) == "notified"
    assert "孩子" not in aid.get(f"/referrals/{sent}").text


def test_the_same_again_changes_nothing(gateway: TestGateway, case: str, lead: Officer, aid: Officer) -> None:
    sent = lead.sent(case)
    assert lead.sent(case) == sent
    assert problem(lead.send(case, measure="court")) == (409, "conflict")
    first, second = aid.act(sent, "accept").json(), aid.act(sent, "accept").json()
    assert {**first, "reference": ""} == {**second, "reference": ""}
    entries = one(gateway, "SELECT count(*) FROM case_entry WHERE case_ref = ? AND step = 'refer'", case)
    assert entries == 1


def test_comments_go_both_ways_after_acceptance(case: str, lead: Officer, aid: Officer) -> None:
    sent = lead.sent(case)
    aid.act(sent, "accept")
    assert aid.act(sent, "comment", text="已指派律师").status_code == 200
    assert lead.act(sent, "comment", text="谢谢").status_code == 200
    for side in (lead, aid):
        assert [each["text"] for each in side.get(f"/referrals/{sent}").json()["comments"]] == [
            "已指派律师",
            "谢谢",
        ]


# --- nobody there, nobody named, not ready ------------------------------------------------------------------------


def test_a_referral_that_nobody_could_read_is_refused(gateway: TestGateway, case: str, lead: Officer) -> None:
    answer = lead.send(case)
    assert problem(answer) == (409, "conflict")
    assert "没有可接收" in answer.json()["detail"]
    elsewhere = Officer(gateway, AID, "530402")
    assert problem(lead.send(case)) == (409, "conflict")
    assert one(gateway, "SELECT count(*) FROM referral") == 0
    own = Officer(gateway, MEDIATION)
    sent = lead.sent(case)
    assert problem(elsewhere.get(f"/referrals/{sent}")) == (403, "not-permitted")
    gateway.revoke(own.client)
    assert lead.sent(case) == sent


def test_a_case_without_an_order_served_is_not_referred(
    gateway: TestGateway, lead: Officer, aid: Officer
) -> None:
    found = cases_of(gateway)[1]
    assert problem(lead.send(found, notices=NOTICES)) == (409, "conflict")


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"guardian": None}, "/guardian/name"),
        ({"guardian": {"name": "赵监护", "phone": "无"}}, "/guardian/phone"),
        ({"guardian": {**GUARDIAN, "id": "x"}}, "/guardian"),
        ({"measure": "prison"}, "/measure"),
        ({"case": "case-1"}, "/case"),
        ({"notices": [{"number": "1", "served_on": "2026-11-21"}]}, "/notices/0/served_on"),
        ({"notices": [{"number": "1"}]}, "/notices/0"),
        ({"note": "字" * 501}, "/note"),
        ({"note": f"孩子证件号{ID_NUMBER}"}, "/note"),
        ({"guardian": {**GUARDIAN, "address": f"{ID_NUMBER}"}}, "/guardian/address"),
        ({"guardian": {**GUARDIAN, "phone": ID_NUMBER}}, "/guardian/phone"),
        ({"notices": [{"number": f"限期{ID_NUMBER}号", "served_on": "2026-11-02"}]}, "/notices/0"),
        ({"employer_uscc": "91350100M000100Y43"}, "/employer_uscc"),
    ],
)
def test_what_is_wrong_is_named_and_never_echoed(
    case: str, lead: Officer, aid: Officer, more: dict[str, Any], pointer: str
) -> None:
    answer = lead.send(**{"case": case, **more})
    assert problem(answer) == (400, "malformed")
    assert pointer in [each["pointer"] for each in answer.json()["errors"]]
    assert "赵监护" not in answer.text
    assert ID_NUMBER not in answer.text


def test_no_id_number_travels_in_an_officers_own_words(
    gateway: TestGateway, case: str, lead: Officer, aid: Officer
) -> None:
    sent, told = lead.sent(case), f"孩子{ID_NUMBER}已随父母外出"
    refused = [aid.act(sent, "reject", reason=told, ground="other"), lead.act(sent, "revoke", reason=told)]
    assert aid.act(sent, "accept").status_code == 200
    refused += [aid.act(sent, "comment", text=told), lead.act(sent, "comment", text=told)]
    assert [problem(each) for each in refused] == [(400, "malformed")] * 4
    assert [each.json()["errors"][0]["code"] for each in refused] == ["personal_data"] * 4
    assert not any(ID_NUMBER in each.text for each in refused)
    assert one(gateway, "SELECT count(*) FROM referral_comment") == 0


def test_only_named_officers_refer_and_decide(
    gateway: TestGateway, case: str, lead: Officer, aid: Officer
) -> None:
    nameless = Officer(gateway, AID, officer=None)
    sent = lead.sent(case)
    for verb, body in (("accept", {}), ("reject", {"reason": "不符"}), ("take-over", {})):
        assert problem(nameless.act(sent, verb, **body)) == (403, "officer-unnamed")
    assert lead.get(f"/referrals/{sent}").json()["status"] == "pending"


# --- attackers ------------------------------------------------------------------------------------------------------


def test_what_is_not_ones_own_looks_like_nothing_at_all(
    gateway: TestGateway, case: str, lead: Officer, aid: Officer
) -> None:
    sent = lead.sent(case)
    strangers = [
        Officer(gateway, AID, "530402"),
        Officer(gateway, AID, "5304"),
        Officer(gateway, LEAD, "530402"),
        Officer(gateway, RETURN, "530423102"),
        Officer(gateway, "market_regulation/market_inspector"),
        Officer(gateway, "civil_affairs/relief_officer"),
    ]
    nothing = "rfl-" + "0" * 26
    for stranger in strangers:
        for verb, body in (
            ("accept", {}),
            ("reject", {"reason": "不是我的"}),
            ("revoke", {"reason": "不是我的"}),
            ("comment", {"text": "谁"}),
            ("take-over", {}),
            ("close", {"outcome": "other"}),
        ):
            mine, none = stranger.act(sent, verb, **body), stranger.act(nothing, verb, **body)
            assert _shape(mine) == _shape(none)
            assert mine.status_code == 403
        assert _shape(stranger.get(f"/referrals/{sent}")) == _shape(stranger.get(f"/referrals/{nothing}"))
    assert lead.get(f"/referrals/{sent}").json()["status"] == "pending"


def _shape(answer: httpx.Response) -> dict[str, object]:
    return {name: value for name, value in answer.json().items() if name != "correlation_id"}


def test_a_township_refers_its_own_cases_only(gateway: TestGateway, case: str, aid: Officer) -> None:
    own, other = Officer(gateway, RETURN, TOWNSHIP), Officer(gateway, RETURN, "530423102")
    assert _shape(other.send(case)) == _shape(other.send("case-" + "a" * 26))
    sent = own.sent(case)
    assert aid.get(f"/referrals/{sent}").json()["region"] == COUNTY
    assert TOWNSHIP not in aid.get(f"/referrals/{sent}").text
    assert Officer(gateway, LEAD).get(f"/referrals/{sent}").status_code == 200
    assert other.get("/referrals", purpose="dropout_control").json()["items"] == []


def test_each_side_does_its_own_part_only(case: str, lead: Officer, aid: Officer) -> None:
    sent = lead.sent(case)
    for officer, verb, body in (
        (lead, "accept", {}),
        (lead, "reject", {"reason": "自己退回"}),
        (lead, "take-over", {}),
        (aid, "revoke", {"reason": "代为撤回"}),
        (aid, "close", {"outcome": "mediated"}),
    ):
        assert problem(officer.act(sent, verb, **body)) == (403, "not-permitted")


def test_of_accepting_and_revoking_at_once_one_wins(
    gateway: TestGateway, case: str, lead: Officer, aid: Officer
) -> None:
    other, sent = Officer(gateway, MEDIATION), lead.sent(case)
    with ThreadPoolExecutor(3) as pool:
        tries = [
            pool.submit(aid.act, sent, "accept"),
            pool.submit(other.act, sent, "accept"),
            pool.submit(lead.act, sent, "revoke", reason="孩子已回校"),
        ]
        statuses = [each.result().status_code for each in tries]
    assert sorted(statuses) == [200, 409, 409]
    state = "notified" if statuses[2] == 200 else "referred"
    assert state_of(gateway, case) == state


def test_an_outcome_of_a_foreign_referral_is_like_one_of_none(
    gateway: TestGateway, case: str, lead: Officer, aid: Officer
) -> None:
    pending = lead.sent(case)
    other = Officer(gateway, AID, "530402")
    rows = [
        {"移送编号": each, "办理结果": "训诫", "日期": "2026-11-20", "备注": ""}
        for each in (pending, "rfl-" + "0" * 26, "x")
    ]
    told = aid.outcome(rows).json()["errors"]
    assert {each["code"] for each in told} == {"unknown_referral"}
    assert len({json.dumps({**each, "row": 0}) for each in told}) == 1
    aid.act(pending, "accept")
    assert {each["code"] for each in other.outcome(rows).json()["errors"]} == {"unknown_referral"}
    assert state_of(gateway, case) == "referred"
    wrong = aid.outcome([{**rows[0], "日期": "2026-11-19"}, {**rows[1], "日期": "2026-11-21"}]).json()[
        "errors"
    ]
    assert [each["code"] for each in wrong] == ["before_acceptance", "future_date"]
    assert aid.outcome(rows[:1]).json()["accepted"] == 1
    differs = aid.outcome([{**rows[0], "办理结果": "不予受理"}]).json()["errors"]
    assert [each["code"] for each in differs] == ["outcome_differs"]


def test_an_outcome_is_taken_once_after_the_case_has_ended_too(
    gateway: TestGateway, case: str, lead: Officer, aid: Officer
) -> None:
    """The court decided before the child's deferral ended the case; justice hands it in afterwards."""
    sent = lead.sent(case)
    aid.act(sent, "accept")
    step_case(gateway, case, DEFER)
    live(gateway, NEXT_DAY)
    assert aid.get(f"/referrals/{sent}").json()["status"] == "closed"
    row = {"移送编号": sent, "办理结果": "训诫", "日期": "2026-11-20", "备注": ""}
    assert aid.outcome([{**row, "日期": "2026-11-19"}]).json()["errors"][0]["code"] == "before_acceptance"
    assert aid.outcome([row]).json()["accepted"] == 1
    assert state_of(gateway, case) == "exempt"
    assert one(gateway, "SELECT state, outcome, outcome_on FROM referral WHERE id = ?", sent) == (
        "closed",
        "admonished",
        "2026-11-20",
    )
    again = aid.outcome([{**row, "办理结果": "不予受理"}]).json()["errors"]
    assert [each["code"] for each in again] == ["outcome_differs"]


def test_a_late_outcome_moves_no_case_that_waits_on_another_referral(
    gateway: TestGateway, case: str, lead: Officer, aid: Officer
) -> None:
    first = lead.sent(case)
    aid.act(first, "accept")
    step_case(gateway, case, DEFER)
    live(gateway, NEXT_DAY)
    step_case(gateway, case, ("reopen", {"note": "缓学取消"}), VERIFY, PLAN, NOTIFY)
    second = lead.sent(case)
    assert aid.act(second, "accept").status_code == 200
    row = {"移送编号": first, "办理结果": "训诫", "日期": "2026-11-20", "备注": ""}
    assert aid.outcome([row]).json()["accepted"] == 1
    assert state_of(gateway, case) == "referred"
    assert aid.outcome([{**row, "移送编号": second}]).json()["accepted"] == 1
    assert state_of(gateway, case) == "persuading"


# --- time, employers, evidence --------------------------------------------------------------------------------------


def test_past_its_last_day_it_is_overdue_and_can_still_be_accepted(
    gateway: TestGateway, case: str, lead: Officer, aid: Officer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = lead.sent(case)
    clock = gateway.parts.clock
    monkeypatch.setattr(clock, "today", lambda: LAW_DATE + timedelta(days=8))
    assert aid.get(f"/referrals/{sent}").json()["status"] == "overdue"
    found = aid.get("/referrals", purpose="legal_aid", status="overdue").json()["items"]
    assert [each["id"] for each in found] == [sent]
    assert aid.get("/referrals", purpose="legal_aid", status="pending").json()["items"] == []
    assert aid.act(sent, "accept").json()["status"] == "accepted"


def test_when_the_case_ends_its_receiver_is_notified_and_a_pending_one_is_taken_back(
    gateway: TestGateway, lead: Officer, aid: Officer
) -> None:
    first, second, _ = cases_of(gateway)
    for each in (first, second):
        step_case(gateway, each, VERIFY, PLAN, NOTIFY)
    accepted, pending = lead.sent(first), lead.sent(second)
    aid.act(accepted, "accept")
    step_case(gateway, first, DEFER)
    step_case(gateway, second, DEFER)
    live(gateway, NEXT_DAY, times=2)  # twice on the same day changes nothing more
    items = aid.get("/referrals", purpose="legal_aid").json()["items"]
    told = [each for each in items if each["kind"] == "notification"]
    assert [(each["concerns"], each["status"], each["stage"]) for each in told] == [
        (accepted, "informed", "ended")
    ]
    assert {each["id"]: each["status"] for each in items if each["kind"] == "referral"} == {
        accepted: "closed",
        pending: "revoked",
    }
    assert "缓学" not in json.dumps(items, ensure_ascii=False)
    assert SYSTEM.client in {
        each["client"] for each in gateway.audit() if each["exchange"] == "case-referral"
    }


EMPLOYER = "91350100M000100Y43"


def test_an_employer_is_referred_without_any_child(gateway: TestGateway) -> None:
    inspector = Officer(gateway, "human_resources/labour_inspector")
    market = Officer(gateway, "market_regulation/market_inspector")
    body = {
        "purpose": "labour_inspection",
        "to": "market_regulation",
        "measure": "revoke_licence",
        "employer_uscc": EMPLOYER,
        "month": "2026-11",
        "measure_taken": "ordered_to_correct",
    }
    path = "/exchanges/case-referral/referrals"
    assert problem(inspector.post(path, body)) == (403, "not-permitted")  # no hit of that employer
    assert gateway.ask(resident_id(number=2), employer_uscc=EMPLOYER).status_code == 200
    assert problem(inspector.post(path, body)) == (403, "not-permitted")  # an ask confirms nothing
    found = gateway.upload("sightings", csv_file([sighting(2, 统一社会信用代码=EMPLOYER)]))
    assert found.json()["accepted"] == 1, found.text
    answer = inspector.post(path, body)
    assert answer.status_code == 201, answer.text
    sent = answer.json()["id"]
    for more in (
        {"case": cases_of(gateway)[0]},
        {"note": "孩子叫某某"},
        {"employer_uscc": resident_id(number=2)},
        {"employer_uscc": EMPLOYER.lower()},
        {"employer_uscc": f" {EMPLOYER}"},
    ):
        assert problem(inspector.post(path, {**body, **more})) == (400, "malformed")
    shown = market.get(f"/referrals/{sent}").json()
    assert (shown["employer_uscc"], shown["month"]) == (EMPLOYER, "2026-11")
    assert not {"pseudonym", "case", "note", "comments"} & shown.keys()
    assert market.act(sent, "accept").json()["status"] == "accepted"
    assert problem(market.act(sent, "comment", text="是谁家的孩子")) == (403, "not-permitted")
    assert problem(market.act(sent, "close", outcome="hanged")) == (400, "malformed")
    assert market.act(sent, "close", outcome="fined").json()["status"] == "closed"
    assert inspector.get(f"/referrals/{sent}").json()["outcome"] == "fined"
    entry = next(each for each in gateway.audit() if each["detail"] == f"sent {sent}")
    assert "pseudonym" not in entry["fields"]


def test_every_move_and_refusal_is_in_the_evidence_with_what_was_told(
    gateway: TestGateway, case: str, lead: Officer, aid: Officer
) -> None:
    sent = lead.sent(case)
    aid.get(f"/referrals/{sent}")
    aid.act(sent, "accept")
    problem(lead.act(sent, "revoke", reason="太晚了"))
    found = [
        (each["exchange"], each["decision"], each["detail"].split(" ")[0])
        for each in gateway.audit()
        if each["exchange"] in ("case-referral", "referred-case")
    ]
    assert found == [
        ("case-referral", "permit", "sent"),
        ("case-referral", "permit", "read"),
        ("referred-case", "permit", "accepted"),
        ("case-referral", "fail", "conflict"),
    ]
    accepted = next(each for each in gateway.audit() if each["exchange"] == "referred-case")
    assert accepted["fields"]["guardian"] == "keep"
    assert accepted["fields"]["pseudonym"] == "pseudonym"
    rows = one(gateway, "SELECT words, body FROM referral")
    assert "赵监护".encode() not in rows[0]
    assert "赵监护" not in rows[1]


def test_the_guardian_reads_of_it_in_words(
    gateway: TestGateway, case: str, lead: Officer, aid: Officer
) -> None:
    aid.act(lead.sent(case), "accept")
    sentences: list[str] = []
    for number in (2, 4, 6):
        answer = gateway.call.post(
            "/v1/disclosures",
            json={"purpose": "subject_access", "subject": {"resident_id": resident_id(number=number)}},
            headers=gateway.headers("gateway/counter_clerk"),
        )
        sentences += [each["sentence"] for each in answer.json()["items"]]
    assert any("接收了该儿童个案的移送，得到：" in each and "监护人联系方式" in each for each in sentences)
    assert any("将该儿童的个案移送其他部门" in each for each in sentences)


def test_sealed_words_outlive_the_key_they_were_sealed_under(
    gateway: TestGateway, case: str, lead: Officer, aid: Officer
) -> None:
    sent = lead.sent(case, note="请尽快")
    aid.act(sent, "accept")
    assert lead.act(sent, "comment", text="谢谢").status_code == 200
    Officer(gateway, LEAD, "530402")
    handover = lead.post("/handovers", {"case": case, "to_region": "530402"}).json()["id"]
    told = aid.get(f"/referrals/{sent}").json()
    digest = lead.get(f"/handovers/{handover}").json()["package_sha256"]
    turn(gateway.data, "files")
    age(gateway.data, ("files",))
    assert keys_command(gateway.data, "tidy").stdout.strip() == "dropped files"
    until(lambda: len(gateway.parts.keys.roots.of("files")) == 1)
    assert {**aid.get(f"/referrals/{sent}").json(), "reference": ""} == {**told, "reference": ""}
    assert told["comments"][0]["text"] == "谢谢"
    assert lead.get(f"/handovers/{handover}").json()["package_sha256"] == digest


def test_the_receivers_list_holds_what_the_policys_rows_allow(
    gateway: TestGateway, case: str, lead: Officer, aid: Officer
) -> None:
    lead.sent(case)
    assert aid.get("/referrals", purpose="legal_aid").status_code == 200
    found = SqliteReferrals(gateway.parts.store, gateway.parts.keys)
    routes = {"justice"}
    for rows, many in (
        (All(), 1),
        (InRegion("region", COUNTY), 1),
        (InRegion("region", "530424"), 0),
        (Nothing(), 0),
    ):
        query = ReferralQuery(rows, LAW_DATE, routes=routes, county=COUNTY)
        assert len(found.find(query)) == many, rows
