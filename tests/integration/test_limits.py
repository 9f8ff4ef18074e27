"""How much a caller may ask: rates with Retry-After, and the enumeration guard, as callers meet them."""

import json
import shutil
import sqlite3
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.transports.rest import client_assertion
from connectors.transports.tokens import token_form
from gateway.adapters.db.transient import Transient
from gateway.settings import POLICIES
from schemas.identifiers import resident_id_check
from tests.harness import LAW_DATE, TestGateway, running
from tests.people import csv_file, student

ROLE = "human_resources/recruitment_checker"
ASK = "/v1/exchanges/applicant-check/ask"


def policies(folder: Path, limits: str) -> Path:
    """The county's policies with other limits."""
    made = folder / "policies"
    shutil.copytree(POLICIES, made, ignore=shutil.ignore_patterns("__pycache__"))
    (made / "limits.yaml").write_text(limits, encoding="utf-8")
    return made


def limits(
    rates: str = "{client: 60000, officer: 240}",
    tokens: str = "{client: 600, failures: 60}",
    children: str = "{person: 300, client: 1000, neighbours_from: 20, cohort: 60}",
    resolutions: str = "{officer: 20, client: 60}",
) -> str:
    return (
        f"rates: {{default: {rates}}}\ntokens: {tokens}\nchildren: {{default: {children}}}\n"
        f"resolutions: {{default: {resolutions}}}\n"
    )


def resident(area: int, born: date, number: int) -> str:
    first = f"{area:06d}{born:%Y%m%d}{number:03d}"
    return first + resident_id_check(first)


def spread(count: int) -> list[str]:
    """Children of whom no two are born in one month of one area."""
    areas = (530423, 530402, 530424, 522401, 530425)
    return [
        resident(areas[n % 5], date(2012 + n // 5 // 12, n // 5 % 12 + 1, 3), 1 + n) for n in range(count)
    ]


class Caller:
    """A client, or one of its officers."""

    def __init__(self, gateway: TestGateway, credentials: Any = None, officer: str | None = None) -> None:
        self.gateway = gateway
        self.credentials = credentials or gateway.credentials(ROLE)
        url = f"{gateway.url}/oauth2/token"
        assertion = client_assertion(self.credentials, url, datetime.now(UTC), officer)
        answer = gateway.call.post("/oauth2/token", data=token_form(assertion))
        self.headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def officer(self, name: str) -> "Caller":
        return Caller(self.gateway, self.credentials, name)

    def ask(self, resident_id: str) -> httpx.Response:
        body = {"purpose": "child_labour_check", "subject": {"resident_id": resident_id}}
        return self.gateway.call.post(ASK, json=body, headers=self.headers)

    def passed(self, ids: list[str]) -> int:
        """How many of the ids are answered before the first that is refused."""
        for number, resident_id in enumerate(ids):
            answer = self.ask(resident_id)
            if answer.status_code != 200:
                assert kind(answer) == "quota-exceeded-enumeration"
                return number
        return len(ids)


def kind(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).rpartition("/")[2]


def alarms(gateway: TestGateway) -> list[tuple[Any, ...]]:
    with gateway.database() as store:
        found = store.execute("SELECT kind, region, about, facts, raised FROM alarm ORDER BY id").fetchall()
    store.close()
    return found


class TestEnumeration:
    def test_the_301st_child_of_a_day_is_refused_and_nothing_is_learnt(self, gateway: TestGateway) -> None:
        caller, ids = Caller(gateway), spread(303)
        assert caller.passed(ids) == 300
        before = len(gateway.leads())
        refused = [caller.ask(resident_id) for resident_id in ids[300:]]
        assert {answer.status_code for answer in refused} == {403}
        assert len(gateway.leads()) == before == 300
        assert caller.passed(ids[:300]) == 300  # those known already are free
        entries = [entry for entry in gateway.audit() if entry["decision"] == "refuse"]
        assert {entry["detail"] for entry in entries} == {"quota-exceeded-enumeration/person"}
        assert len(entries) == 4
        ((alarm, region, about, facts, raised),) = alarms(gateway)
        assert (alarm, region, about, raised) == ("enumeration", "530423", caller.credentials.client_id, 4)
        assert json.loads(facts)["limit"] == "person"
        subjects = gateway.database().execute("SELECT COUNT(*) FROM subject").fetchone()
        assert subjects == (300,)

    def test_an_ordinary_class_gets_through(self, gateway: TestGateway) -> None:
        months = [date(2013, 9, 1) + timedelta(days=7 * week) for week in range(52)]
        assert Caller(gateway).passed([resident(530423, born, 7) for born in months]) == 52

    def test_the_20th_neighbour_is_refused(self, gateway: TestGateway) -> None:
        run = [resident(530423, date(2013, 4, 5), number) for number in range(1, 30)]
        assert Caller(gateway).passed(run) == 19

    def test_others_between_neighbours_change_nothing(self, gateway: TestGateway) -> None:
        caller, others, found = Caller(gateway), spread(40), 0
        for number, other in enumerate(others):
            assert caller.ask(other).status_code == 200
            assert caller.ask(resident(530423, date(1980, 1, 1), number)).status_code == 200
            assert caller.ask("530423201304050000").status_code == 400
            found += caller.ask(resident(530423, date(2013, 4, 5), 500 - 7 * number)).status_code == 200
        assert found == 19

    def test_spreading_neighbours_over_officers_changes_nothing(self, gateway: TestGateway) -> None:
        client = Caller(gateway)
        officers = [client.officer(f"hr-{number}") for number in range(5)]
        run = [resident(530423, date(2013, 4, 5), number) for number in range(1, 31)]
        answers = [officers[number % 5].ask(each).status_code for number, each in enumerate(run)]
        assert answers == [200] * 19 + [403] * 11
        assert {about.partition("/")[2] for _, _, about, _, _ in alarms(gateway)} == {
            f"hr-{n}" for n in range(5)
        }

    def test_consecutive_birth_dates_are_a_run_too(self, gateway: TestGateway) -> None:
        run = [resident(530423, date(2013, 4, 1 + n % 30), 1 + n // 30) for n in range(90)]
        assert Caller(gateway).passed(run) == 60

    def test_ids_that_nobody_has_count_as_much(self, tmp_path: Path) -> None:
        strict = policies(tmp_path, limits(children="{person: 3, client: 9, neighbours_from: 9, cohort: 9}"))
        with running(tmp_path / "data", policies=strict) as gateway:
            gateway.upload_sample()
            nobody = [resident(659001, date(2012, month, 1), 999) for month in range(1, 6)]
            assert Caller(gateway).passed(nobody) == 3

    def test_officers_have_their_own_count_and_the_client_a_total(self, tmp_path: Path) -> None:
        strict = policies(tmp_path, limits(children="{person: 3, client: 5, neighbours_from: 9, cohort: 9}"))
        with running(tmp_path / "data", policies=strict) as gateway:
            client, ids = Caller(gateway), spread(9)
            first, second = client.officer("a"), client.officer("b")
            assert first.passed(ids[:4]) == 3
            assert second.passed(ids[:3]) == 3  # the client knows them already
            assert second.passed(ids[3:]) == 0
            assert client.passed(ids[3:]) == 2  # the client's total is reached
            assert client.officer("c").passed(ids[3:]) == 2
            details = [entry["detail"].rpartition("/")[2] for entry in gateway.audit() if entry["detail"]]
            assert details == ["person", "person", "client", "client"]
            other = Caller(gateway)
            assert other.passed(ids) == 3

    def test_both_exchanges_count_by_their_own_clients(self, gateway: TestGateway) -> None:
        caller = Caller(gateway, gateway.credentials("market_regulation/licence_registrar"))
        run = [resident(530423, date(2013, 4, 5), number) for number in range(1, 30)]
        answers = [
            gateway.call.post(
                "/v1/exchanges/licence-check/ask",
                json={"purpose": "licence_check", "subject": {"resident_id": each}},
                headers=caller.headers,
            ).status_code
            for each in run
        ]
        assert answers == [200] * 19 + [403] * 10

    def test_a_day_is_kept_without_ids_and_forgotten_when_over(self, gateway: TestGateway) -> None:
        caller, run = Caller(gateway), [resident(530423, date(2013, 4, 5), n) for n in range(1, 25)]
        caller.passed(run)
        transient, now = Transient(gateway.parts.store), datetime.now(UTC)
        transient.forget(now, LAW_DATE)
        rows = guard_rows(gateway)
        assert rows
        assert not any(part in repr(rows) for part in ("530423", "2013", caller.credentials.client_id))
        transient.forget(now, LAW_DATE + timedelta(days=1))
        assert guard_rows(gateway) == []

    def test_a_refusal_says_nothing_of_the_limit_or_the_child(self, gateway: TestGateway) -> None:
        caller = Caller(gateway)
        run = [resident(530423, date(2013, 4, 5), n) for n in range(1, 21)]
        caller.passed(run)
        answer = caller.ask(run[19])
        assert run[19] not in answer.text
        told = {name: value for name, value in answer.json().items() if name in ("title", "detail")}
        assert not any(word in str(told) for word in ("neighbours", "cohort", "19", "20", "300"))


def guard_rows(gateway: TestGateway) -> list[Any]:
    store: sqlite3.Connection = gateway.database()
    rows = store.execute("SELECT key FROM guard_seen UNION ALL SELECT key FROM guard_count").fetchall()
    store.close()
    return rows


class TestRates:
    def test_a_client_waits_and_one_refusal_is_in_the_evidence(self, tmp_path: Path) -> None:
        strict = policies(tmp_path, limits(rates="{client: 5, officer: 5}"))
        with running(tmp_path / "data", policies=strict) as gateway:
            caller = Caller(gateway)
            answers = [gateway.call.get("/v1/catalogue", headers=caller.headers) for _ in range(9)]
            assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 4
            assert kind(answers[-1]) == "rate-limited"
            assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
            assert caller.ask(spread(1)[0]).status_code == 429  # the fast lane too
            details = [entry["detail"] for entry in gateway.audit()]
            assert details == ["rate-limited"]
            assert Caller(gateway).ask(spread(1)[0]).status_code == 200

    def test_an_officer_waits_while_another_works(self, tmp_path: Path) -> None:
        strict = policies(tmp_path, limits(rates="{client: 600, officer: 3}"))
        with running(tmp_path / "data", policies=strict) as gateway:
            client, child = Caller(gateway), spread(1)[0]
            first, second = client.officer("a"), client.officer("b")
            assert [first.ask(child).status_code for _ in range(5)] == [200] * 3 + [429] * 2
            assert second.ask(child).status_code == 200
            assert [client.ask(child).status_code for _ in range(5)] == [200] * 5

    def test_a_client_gets_so_many_tokens_a_minute(self, tmp_path: Path) -> None:
        strict = policies(tmp_path, limits(tokens="{client: 3, failures: 60}"))
        with running(tmp_path / "data", policies=strict) as gateway:
            credentials, url = gateway.credentials(ROLE), f"{gateway.url}/oauth2/token"
            answers = []
            for _ in range(5):
                assertion = client_assertion(credentials, url, datetime.now(UTC))
                answers.append(gateway.call.post("/oauth2/token", data=token_form(assertion)))
            assert [answer.status_code for answer in answers] == [200] * 3 + [429] * 2
            assert "access_token" not in answers[-1].text
            assert [entry["client"] for entry in gateway.audit()] == [credentials.client_id]
            Caller(gateway)

    def test_an_address_that_fails_too_often_is_not_heard(self, tmp_path: Path) -> None:
        strict = policies(tmp_path, limits(tokens="{client: 9, failures: 4}"))
        with running(tmp_path / "data", policies=strict) as gateway:
            form = token_form("a.b.c")
            answers = [gateway.call.post("/oauth2/token", data=form).status_code for _ in range(7)]
            assert answers == [400] * 4 + [429] * 3
            assert gateway.call.get("/health/live").status_code == 200


@pytest.mark.parametrize("forwarded", ["10.9.9.9", "10.9.9.9, 10.8.8.8", "nonsense", ""])
def test_an_address_cannot_be_made_up_by_a_caller_who_is_no_proxy(tmp_path: Path, forwarded: str) -> None:
    strict = policies(tmp_path, limits(tokens="{client: 9, failures: 2}"))
    with running(tmp_path / "data", policies=strict) as gateway:
        form, headers = token_form("a.b.c"), {"X-Forwarded-For": forwarded}
        answers = [gateway.call.post("/oauth2/token", data=form, headers=headers) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [400, 400, 429, 429]


def test_behind_a_trusted_proxy_the_callers_address_counts(tmp_path: Path) -> None:
    strict = policies(tmp_path, limits(tokens="{client: 9, failures: 2}"))
    with running(tmp_path / "data", policies=strict, trusted_proxies="127.0.0.1") as gateway:

        def fail(address: str) -> int:
            headers = {"X-Forwarded-For": address}
            return gateway.call.post("/oauth2/token", data=token_form("a.b.c"), headers=headers).status_code

        assert [fail("10.1.1.1") for _ in range(3)] == [400, 400, 429]
        assert fail("10.2.2.2") == 400
        assert fail("9.9.9.9, 10.1.1.1") == 429  # only the proxy's own word, at the end, counts


# --- who looked, and identities ----------------------------------------------------------------------------


def looks(gateway: TestGateway, ids: list[str]) -> list[httpx.Response]:
    headers = Caller(gateway, gateway.credentials("gateway/counter_clerk")).headers
    return [
        gateway.call.post(
            "/v1/disclosures",
            json={"purpose": "subject_access", "subject": {"resident_id": each}},
            headers=headers,
        )
        for each in ids
    ]


def bare(answer: httpx.Response) -> Any:
    """An answer without what is another one every time."""
    return {
        name: value for name, value in answer.json().items() if name not in ("reference", "correlation_id")
    }


def test_the_counter_looks_up_so_many_children_a_day_known_or_not(gateway: TestGateway) -> None:
    known = resident(530423, date(2015, 3, 5), 2)
    gateway.upload("student-register", csv_file([student(2)]))
    strangers = spread(60)
    answers = looks(gateway, [*strangers, known, resident(522401, date(2016, 7, 7), 5), strangers[0]])
    assert [answer.status_code for answer in answers] == [200] * 60 + [403, 403, 200]
    of_known, of_nobody = answers[60:62]
    assert kind(of_known) == "quota-exceeded-enumeration"
    assert bare(of_known) == bare(of_nobody)
    assert of_known.headers.keys() == of_nobody.headers.keys()
    refusals = [entry for entry in gateway.audit() if entry["decision"] == "refuse"]
    assert [{**each, "reference": "", "at": ""} for each in refusals[:1]] == [
        {**each, "reference": "", "at": ""} for each in refusals[1:]
    ]
    assert refusals[0]["detail"] == "quota-exceeded-enumeration/person"
    ((alarm, _, _, facts, raised),) = alarms(gateway)
    assert (alarm, json.loads(facts)["exchange"], raised) == ("enumeration", "disclosures", 2)


def test_neighbours_at_the_counter_are_refused_before_anybody_is_found(gateway: TestGateway) -> None:
    run = [resident(530423, date(2015, 3, 5), number) for number in range(1, 25)]
    gateway.upload("student-register", csv_file([student(22)]))
    assert [each.status_code for each in looks(gateway, run)] == [200] * 19 + [403] * 5


def drop_outs(gateway: TestGateway, count: int) -> list[str]:
    rows = [student(2 * each, 学生状态="辍学", 状态日期="2026-10-09") for each in range(1, count + 1)]
    assert gateway.upload("student-register", csv_file(rows)).json()["rejected"] == 0
    return [lead["case"] for lead in gateway.leads()]


def resolve(gateway: TestGateway, caller: Caller, case: str, emergency: bool = False) -> httpx.Response:
    wish = {
        "case": case,
        "purpose": "dropout_control",
        "reason": "需上门家访核实身份",
        "emergency": emergency,
    }
    return gateway.call.post("/v1/identity/resolutions", json=wish, headers=caller.headers)


def test_identities_count_as_children(tmp_path: Path) -> None:
    strict = policies(tmp_path, limits(children="{person: 2, client: 9, neighbours_from: 9, cohort: 9}"))
    with running(tmp_path / "data", policies=strict) as gateway:
        cases = drop_outs(gateway, 4)
        caller = Caller(gateway, gateway.credentials("education/dropout_lead"), "li")
        answers = [
            resolve(gateway, caller, case, emergency) for case in cases[:3] for emergency in (False, True)
        ]
        assert [each.status_code for each in answers] == [201] * 4 + [403] * 2
        assert {kind(each) for each in answers[4:]} == {"quota-exceeded-enumeration"}
        assert resolve(gateway, caller, cases[0]).status_code == 201
        assert {alarm[0] for alarm in alarms(gateway)} == {"enumeration"}
        refused = [entry for entry in gateway.audit() if entry["decision"] == "refuse"]
        assert all(entry["subject"] for entry in refused), "kept with the child"
        rows = gateway.database().execute("SELECT count(*) FROM resolution").fetchone()
        assert rows == (5,)


def test_how_many_resolutions_a_day_is_the_countys_to_say(tmp_path: Path) -> None:
    strict = policies(tmp_path, limits(resolutions="{officer: 2, client: 60}"))
    with running(tmp_path / "data", policies=strict) as gateway:
        (case,) = drop_outs(gateway, 1)
        caller = Caller(gateway, gateway.credentials("education/dropout_lead"), "li")
        assert [resolve(gateway, caller, case).status_code for _ in range(3)] == [201, 201, 403]
        assert {alarm[0] for alarm in alarms(gateway)} == {"resolution-quota"}
