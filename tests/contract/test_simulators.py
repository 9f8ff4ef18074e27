"""Each simulated agency works through a gateway, keeps what it may, and decides nothing without an answer."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from connectors.registry import SIMULATORS, connectors
from connectors.transports.rest import GatewayClient
from tests.fakes_gateway import CHILD, EMPLOYER, FakeGateway, problem
from tests.people import csv_file, sighting

COUNTY = Path(__file__).parents[1] / "data" / "county"
Calls = list[tuple[str, str, dict[str, Any] | None]]


@pytest.fixture
def fake() -> FakeGateway:
    return FakeGateway()


def app_of(fake: FakeGateway, agency: str, data: Path = COUNTY) -> Starlette:
    clients = {role: fake.client(agency, role) for role in connectors()[agency].roles}
    return SIMULATORS[agency](data, clients)


def talk(app: Starlette, calls: Calls) -> list[httpx.Response]:
    """The answers to the calls, made one after the other."""

    async def within() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://agency.test") as http:
            return [await http.request(method, path, json=body) for method, path, body in calls]

    return asyncio.run(within())


def post(app: Starlette, path: str, body: Any = None) -> httpx.Response:
    return talk(app, [("POST", path, body)])[0]


def get(app: Starlette, path: str) -> Any:
    return talk(app, [("GET", path, None)])[0].json()


@pytest.mark.parametrize("agency", list(SIMULATORS))
class TestEverySimulator:
    def test_health_names_the_agency(self, fake: FakeGateway, agency: str) -> None:
        assert get(app_of(fake, agency), "/health") == {"agency": agency, "status": "ok"}

    def test_client_of_every_role_is_needed_at_the_start(self, fake: FakeGateway, agency: str) -> None:
        for left_out in connectors()[agency].roles:
            roles = [role for role in connectors()[agency].roles if role != left_out]
            with pytest.raises(ValueError, match=left_out):
                SIMULATORS[agency](COUNTY, {role: fake.client(agency, role) for role in roles})

    def test_clients_are_closed_when_the_app_stops(self, fake: FakeGateway, agency: str) -> None:
        clients = {role: fake.client(agency, role) for role in connectors()[agency].roles}

        async def live() -> None:
            app = SIMULATORS[agency](COUNTY, clients)
            async with app.router.lifespan_context(app):
                await asyncio.gather(*(client.catalogue() for client in clients.values()))

        asyncio.run(live())
        for client in clients.values():
            with pytest.raises(RuntimeError, match="closed"):
                asyncio.run(client.catalogue())

    def test_nothing_is_asked_before_it_is_told_to(self, fake: FakeGateway, agency: str) -> None:
        app_of(fake, agency)
        assert fake.calls == []


@pytest.mark.parametrize(
    ("agency", "path", "dataset"),
    [
        ("education", "/register", "student-register"),
        ("education", "/attendance", "attendance"),
        ("civil_affairs", "/relief", "relief-register"),
        ("health", "/assessments", "disability-assessment"),
    ],
)
class TestPush:
    def test_file_arrives_unchanged_and_the_receipt_is_kept(
        self, fake: FakeGateway, agency: str, path: str, dataset: str
    ) -> None:
        app = app_of(fake, agency)
        pushed, kept = talk(app, [("POST", f"{path}/push", None), ("GET", f"{path}/receipts", None)])
        assert pushed.status_code == 200
        assert kept.json() == pushed.json()
        assert kept.json()["receipts"][0]["receipt"]["upload_id"] == "u-1"
        file = next(file for file in COUNTY.iterdir() if file.stem == dataset)
        assert [(sent["exchange"], sent["body"]) for sent in fake.uploads] == [(dataset, file.read_bytes())]

    def test_two_pushes_have_two_keys(self, fake: FakeGateway, agency: str, path: str, dataset: str) -> None:
        talk(app_of(fake, agency), [("POST", f"{path}/push", None)] * 2)
        assert len({sent["key"] for sent in fake.uploads}) == 2

    def test_refused_file_is_told_and_kept(
        self, fake: FakeGateway, agency: str, path: str, dataset: str
    ) -> None:
        fake.refuse_uploads = problem(422, "invalid-record")
        app = app_of(fake, agency)
        pushed = post(app, f"{path}/push")
        assert pushed.status_code == 502
        refused = {"status": 422, "problem": "invalid-record", "correlation_id": "c-0123456789"}
        assert get(app, f"{path}/receipts")["receipts"][0]["refused"] == refused

    def test_empty_folder_is_told(
        self, fake: FakeGateway, tmp_path: Path, agency: str, path: str, dataset: str
    ) -> None:
        assert post(app_of(fake, agency, tmp_path), f"{path}/push").status_code == 404


class TestEducation:
    def test_students_are_counted_and_not_named(self, fake: FakeGateway) -> None:
        counts = get(app_of(fake, "education"), "/students")
        assert counts["total"] == sum(counts["by_status"].values()) == 614
        assert counts["by_status"]["在校"] > 500

    def test_lead_is_pulled_once_and_acknowledged(self, fake: FakeGateway) -> None:
        fake.leads = {f"lead-{n}": {"id": f"lead-{n}", "status": "open"} for n in range(3)}
        calls: Calls = [
            ("POST", "/inbox/pull", None),
            ("POST", "/inbox/lead-1/acknowledge", None),
            ("POST", "/inbox/pull", None),
            ("GET", "/inbox", None),
            ("POST", "/inbox/lead-9/acknowledge", None),
        ]
        first, taken, second, inbox, unknown = talk(app_of(fake, "education"), calls)
        assert first.json() == {"pulled": 3, "new": 3}
        assert taken.json()["status"] == "acknowledged"
        assert second.json() == {"pulled": 2, "new": 0}
        assert [lead["status"] for lead in inbox.json()["leads"]] == ["open", "acknowledged", "open"]
        assert unknown.status_code == 404


@pytest.mark.parametrize(
    ("agency", "path", "by"),
    [
        ("education", "/aid/gaps", "direction"),
        ("education", "/advice", "advised_placement"),
        ("civil_affairs", "/aid", "direction"),
        ("health", "/outcomes", "placed"),
    ],
)
def test_a_list_is_pulled_counted_and_forgotten(fake: FakeGateway, agency: str, path: str, by: str) -> None:
    fake.items = [{"pseudonym": f"hr1-{n}", by: word} for n, word in enumerate(("one", "other", "one"))]
    app = app_of(fake, agency)
    pulled = post(app, f"{path}/pull").json()
    assert pulled == get(app, path)
    assert (pulled["total"], pulled[f"by_{by}"]) == (3, {"one": 2, "other": 1})
    fake.items = []
    assert post(app, f"{path}/pull").json()["total"] == 0


@pytest.mark.parametrize(
    ("path", "dataset", "line"),
    [
        ("/aid", "aid-payments", "学籍号,学期,金额,发放日期"),
        ("/focus", "focus-groups", "学籍号,类别,起始日期"),
    ],
)
def test_files_of_aid_and_focus_groups_arrive(
    fake: FakeGateway, tmp_path: Path, path: str, dataset: str, line: str
) -> None:
    (tmp_path / f"{dataset}.csv").write_text(f"{line}\n", encoding="utf-8")
    pushed = post(app_of(fake, "education", tmp_path), f"{path}/push")
    assert pushed.status_code == 200
    assert [sent["exchange"] for sent in fake.uploads] == [dataset]


class TestCivilAffairs:
    def test_needy_children_are_counted_per_township(self, fake: FakeGateway) -> None:
        towns = ["530423100", "530423101", "530423100"]
        fake.items = [{"pseudonym": f"hr1-{n}", "township": town} for n, town in enumerate(towns)]
        app = app_of(fake, "civil_affairs")
        pulled = post(app, "/needy/pull").json()
        assert pulled == get(app, "/needy")
        assert pulled["by_township"] == {"530423100": 2, "530423101": 1}
        assert (pulled["total"], pulled["as_of"], pulled["missing_sources"]) == (3, "2026-11-20", [])

    def test_child_no_longer_listed_is_forgotten(self, fake: FakeGateway) -> None:
        fake.items = [{"pseudonym": "hr1-1", "township": "530423100"}]
        app = app_of(fake, "civil_affairs")
        post(app, "/needy/pull")
        fake.items = []
        assert post(app, "/needy/pull").json()["total"] == 0

    def test_list_that_breaks_off_leaves_the_table_as_it_was(self, fake: FakeGateway) -> None:
        fake.items = [{"pseudonym": "hr1-1", "township": "530423100"}]
        app = app_of(fake, "civil_affairs")
        post(app, "/needy/pull")
        fake.stuck_cursor, fake.items = True, []
        assert post(app, "/needy/pull").status_code == 502
        assert get(app, "/needy")["total"] == 1


CHECK = {"resident_id": CHILD, "employer_uscc": EMPLOYER}
LICENCE = {"resident_id": CHILD, "application_no": "2026-0001"}


class TestHumanResources:
    @pytest.mark.parametrize(
        ("verdict", "decision"),
        [
            ("must_not_hire", "不得录用"),
            ("no_bar", "可以录用"),
            ("refer", "转人工核实"),
            ("perhaps", "暂缓录用"),
            (None, "暂缓录用"),
        ],
    )
    def test_verdict_decides_and_the_reference_is_kept(
        self, fake: FakeGateway, verdict: str | None, decision: str
    ) -> None:
        fake.answers["applicant-check"] = {"verdict": verdict}
        app = app_of(fake, "human_resources")
        checked = post(app, "/checks", CHECK).json()
        assert (checked["decision"], checked["reference"]) == (decision, "ref-1")
        assert get(app, "/checks") == {"checks": [checked]}

    def test_record_and_log_are_without_the_id_number(
        self, fake: FakeGateway, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        app = app_of(fake, "human_resources")
        calls: Calls = [
            ("POST", "/checks", CHECK),
            ("POST", "/checks", {**CHECK, "resident_id": f"{CHILD}1"}),
        ]
        answers = talk(app, [*calls, ("GET", "/checks", None)])
        assert [answer.status_code for answer in answers] == [200, 400, 200]
        assert CHILD not in "".join(answer.text for answer in answers)
        assert CHILD not in caplog.text

    def test_nobody_is_hired_without_an_answer(self, fake: FakeGateway) -> None:
        def silent(request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("refused", request=request)

        credentials = fake.register("human_resources", "recruitment_checker")
        client = GatewayClient("https://gateway.test", credentials, httpx.MockTransport(silent))
        inspector = fake.client("human_resources", "labour_inspector")
        clients = {"recruitment_checker": client, "labour_inspector": inspector}
        app = SIMULATORS["human_resources"](COUNTY, clients)
        assert post(app, "/checks", CHECK).status_code == 503
        assert get(app, "/checks")["checks"][0]["decision"] == "暂缓录用"

    def test_refusal_is_kept_with_its_reference(self, fake: FakeGateway) -> None:
        app = app_of(fake, "human_resources")
        answer = post(app, "/checks", {**CHECK, "resident_id": "1"})
        assert (answer.status_code, answer.json()["refused"]["problem"]) == (400, "invalid-resident-id")
        kept = get(app, "/checks")["checks"][0]
        assert (kept["decision"], kept["refused"]) == ("暂缓录用", answer.json()["refused"])

    def test_client_that_was_revoked_is_this_systems_trouble(self, fake: FakeGateway) -> None:
        app = app_of(fake, "human_resources")
        fake.keys.clear()
        assert post(app, "/checks", CHECK).status_code == 502

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"{",
            b"[]",
            b'"x"',
            b"\xff",
            b'{"resident_id": 1}',
            b'{"resident_id": " ", "employer_uscc": "x"}',
        ],
    )
    def test_request_that_cannot_be_used_asks_nothing(self, fake: FakeGateway, content: bytes) -> None:
        async def within() -> httpx.Response:
            transport = httpx.ASGITransport(app=app_of(fake, "human_resources"))
            async with httpx.AsyncClient(transport=transport, base_url="http://agency.test") as http:
                return await http.post("/checks", content=content)

        assert asyncio.run(within()).status_code == 400
        assert fake.calls == []

    @pytest.mark.parametrize(
        ("must_not", "decision"),
        [("yes", "不予登记失业"), ("no", "准予登记失业"), ("unknown", "转人工核实"), (None, "转人工核实")],
    )
    def test_nobody_registers_without_a_plain_no(
        self, fake: FakeGateway, must_not: Any, decision: str
    ) -> None:
        fake.answers["registration-check"] = {"must_not_register": must_not}
        told = post(app_of(fake, "human_resources"), "/registrations", {"resident_id": CHILD})
        assert told.json() == {"reference": "ref-1", "decision": decision}

    def test_what_inspectors_found_is_handed_over_as_it_is(self, fake: FakeGateway, tmp_path: Path) -> None:
        body = csv_file([sighting(), sighting(None)])
        (tmp_path / "sightings.csv").write_bytes(body)
        app = app_of(fake, "human_resources", tmp_path)
        pushed, kept = talk(app, [("POST", "/sightings/push", None), ("GET", "/sightings/receipts", None)])
        assert (pushed.status_code, kept.json()) == (200, pushed.json())
        assert [(sent["exchange"], sent["body"]) for sent in fake.uploads] == [("sightings", body)]


class TestMarketRegulation:
    def test_repeated_employers_come_first(self, fake: FakeGateway) -> None:
        rows = [("91A", False), ("91B", True), ("91C", None)]
        fake.items = [
            {"employer_uscc": code, "confirmed_hits": 1, "last_hit_month": "2026-11", "repeated": flag}
            for code, flag in rows
        ]
        app = app_of(fake, "market_regulation")
        pulled = post(app, "/hits/pull").json()
        assert pulled == get(app, "/hits")
        assert [each["employer_uscc"] for each in pulled["employers"]] == ["91B", "91A", "91C"]

    def test_list_that_breaks_off_leaves_the_table_as_it_was(self, fake: FakeGateway) -> None:
        fake.items = [{"employer_uscc": "91A"}]
        app = app_of(fake, "market_regulation")
        post(app, "/hits/pull")
        fake.stuck_cursor, fake.items = True, []
        assert post(app, "/hits/pull").status_code == 502
        assert len(get(app, "/hits")["employers"]) == 1

    @pytest.mark.parametrize(
        ("must_not", "decision"),
        [
            ("yes", "不予登记"),
            ("no", "准予登记"),
            ("unknown", "转人工核实"),
            (None, "转人工核实"),
            (True, "转人工核实"),
        ],
    )
    def test_answer_decides(self, fake: FakeGateway, must_not: Any, decision: str) -> None:
        fake.answers["licence-check"] = {"must_not_license": must_not}
        app = app_of(fake, "market_regulation")
        decided = post(app, "/licences", LICENCE).json()
        assert (decided["decision"], decided["reference"]) == (decision, "ref-1")
        assert fake.asked[0]["application_no"] == "2026-0001"
        assert get(app, "/licences") == {"licences": [decided]}
        assert CHILD not in str(decided)

    def test_refused_question_goes_to_a_person(self, fake: FakeGateway) -> None:
        app = app_of(fake, "market_regulation")
        assert post(app, "/licences", {**LICENCE, "resident_id": "1"}).status_code == 400
        assert get(app, "/licences")["licences"][0]["decision"] == "转人工核实"


class TestJustice:
    def test_everything_it_tries_is_refused(self, fake: FakeGateway) -> None:
        app = app_of(fake, "justice")
        tried = post(app, "/try", {"resident_id": CHILD})
        assert tried.status_code == 200
        attempts = tried.json()["attempts"]
        assert [attempt["exchange"] for attempt in attempts] == ["needy-children", "applicant-check"]
        assert {(attempt["status"], attempt["problem"]) for attempt in attempts} == {(403, "not-permitted")}
        assert get(app, "/attempts") == {"attempts": attempts}
        assert CHILD not in tried.text

    def test_outcomes_are_handed_in_as_they_are(self, fake: FakeGateway, tmp_path: Path) -> None:
        app = app_of(fake, "justice", tmp_path)
        assert post(app, "/outcomes/push").status_code == 404
        body = "来文移送编号,办结方式,结案日期\r\nrfl-00000000000000000000000001,口头训诫,2026-11-20\r\n".encode()
        (tmp_path / "case-outcome.csv").write_bytes(body)
        assert post(app, "/outcomes/push").status_code == 200
        assert [(sent["exchange"], sent["body"]) for sent in fake.uploads] == [("case-outcome", body)]
        assert len(get(app, "/outcomes/receipts")["receipts"]) == 1

    def test_answer_it_should_not_have_is_an_alarm(
        self, fake: FakeGateway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(FakeGateway, "_permits", lambda *_: True)
        tried = post(app_of(fake, "justice"), "/try")
        assert tried.status_code == 500
        assert [attempt["answered"] for attempt in tried.json()["attempts"]] == [True, True]
