"""The client side of the gateway's API against a fake gateway in the same process."""

import asyncio
import logging
from datetime import timedelta
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey

from connectors.transports.rest import (
    Credentials,
    GatewayClient,
    GatewayFault,
    GatewayRefusal,
    GatewayUnreachable,
)
from tests.fakes_gateway import BASE, CHILD, EMPLOYER, FakeGateway, Sleeps, call, problem

ASK = ("applicant-check", "child_labour_check")
NEEDY = ("needy-children", "child_relief", "530423")


@pytest.fixture
def fake() -> FakeGateway:
    return FakeGateway()


@pytest.fixture
def sleeps() -> Sleeps:
    return Sleeps()


async def gather(items: Any) -> list[Any]:
    return [item async for item in items]


def checker(fake: FakeGateway) -> GatewayClient:
    return fake.client("human_resources", "recruitment_checker")


def document(**changes: Any) -> dict[str, Any]:
    key = ECKey.generate_key("P-256", {"kid": "k-1"}).as_dict(private=True)
    whole = {"client_id": "c-1", "agency": "health", "role": "disability_assessor", "region": "530423"}
    return {**whole, "school": None, "alg": "ES256", "key": key, **changes}


class TestTokens:
    def test_token_is_fetched_once_and_kept(self, fake: FakeGateway) -> None:
        async def thrice(client: GatewayClient) -> None:
            for _ in range(3):
                await client.catalogue()

        call(checker(fake), thrice)
        assert fake.count("/oauth2/token") == 1

    def test_calls_at_once_wait_for_one_token(self, fake: FakeGateway) -> None:
        call(checker(fake), lambda client: asyncio.gather(*(client.catalogue() for _ in range(5))))
        assert fake.count("/oauth2/token") == 1

    @pytest.mark.parametrize(("seconds", "tokens"), [(269, 1), (270, 2), (400, 2)])
    def test_token_is_renewed_half_a_minute_before_its_end(
        self, fake: FakeGateway, seconds: int, tokens: int
    ) -> None:
        async def twice(client: GatewayClient) -> None:
            await client.catalogue()
            fake.clock.now += timedelta(seconds=seconds)
            await client.catalogue()

        call(checker(fake), twice)
        assert fake.count("/oauth2/token") == tokens

    def test_token_is_fetched_again_once_after_a_401(self, fake: FakeGateway) -> None:
        async def around_a_restart(client: GatewayClient) -> Any:
            await client.catalogue()
            fake.tokens.clear()
            return await client.catalogue()

        assert call(checker(fake), around_a_restart)["agency"] == "human_resources"
        assert (fake.count("/oauth2/token"), fake.count("/v1/catalogue")) == (2, 3)

    def test_second_401_is_the_callers(self, fake: FakeGateway) -> None:
        async def refused_twice(client: GatewayClient) -> None:
            fake.tokens = Forgetful()
            await client.catalogue()

        with pytest.raises(GatewayRefusal) as caught:
            call(checker(fake), refused_twice)
        assert (caught.value.status, caught.value.name) == (401, "unauthenticated")
        assert (fake.count("/oauth2/token"), fake.count("/v1/catalogue")) == (2, 2)

    def test_client_that_was_revoked_gets_no_token(self, fake: FakeGateway) -> None:
        client = checker(fake)
        fake.keys.clear()
        with pytest.raises(GatewayRefusal) as caught:
            call(client, lambda client: client.catalogue())
        assert (caught.value.status, caught.value.name) == (401, "invalid_client")

    def test_token_answer_that_is_none_is_a_fault(self) -> None:
        transport = httpx.MockTransport(lambda _: httpx.Response(200, json={"access_token": "t"}))
        client = GatewayClient(BASE, Credentials.of(document()), transport)
        with pytest.raises(GatewayFault, match="malformed-token"):
            call(client, lambda client: client.token())


class Forgetful(dict[str, str]):
    """A token store that keeps nothing."""

    def __setitem__(self, key: str, value: str) -> None:
        pass


class TestAsk:
    def test_question_is_put_as_the_contract_says(self, fake: FakeGateway) -> None:
        fake.answers["applicant-check"] = {"under_16": True, "verdict": "must_not_hire"}
        answer = call(checker(fake), lambda client: client.ask(*ASK, CHILD, employer_uscc=EMPLOYER))
        assert answer["answer"] == {"under_16": True, "verdict": "must_not_hire"}
        asked = {"purpose": ASK[1], "subject": {"resident_id": CHILD}, "employer_uscc": EMPLOYER}
        assert fake.asked == [asked]

    def test_inputs_cannot_take_the_place_of_the_subject(self, fake: FakeGateway) -> None:
        call(checker(fake), lambda client: client.ask(*ASK, CHILD, subject={"resident_id": "x"}))
        assert fake.asked[0]["subject"] == {"resident_id": CHILD}

    def test_id_number_is_in_no_address_and_no_log(
        self, fake: FakeGateway, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        call(checker(fake), lambda client: client.ask(*ASK, CHILD))
        assert CHILD not in str(fake.calls)
        assert CHILD not in caplog.text


class TestRefusals:
    def test_text_never_holds_what_was_sent_even_if_the_answer_does(self, fake: FakeGateway) -> None:
        client = fake.client("justice", "legal_aid_officer")
        with pytest.raises(GatewayRefusal) as caught:
            call(client, lambda client: client.ask(*ASK, CHILD))
        error = caught.value
        assert CHILD in str(error.problem)
        assert str(error) == "403 not-permitted c-0123456789"
        assert CHILD not in repr(error) + str(error) + str(error.args)

    @pytest.mark.parametrize(
        "told",
        [
            {},
            {"type": 3},
            {"type": f"x/{CHILD}"},
            {"type": f"x/a{CHILD}"},
            {"type": "张三"},
            {"error": CHILD},
            {"correlation_id": CHILD},
            {"correlation_id": "张三 530423"},
            {"title": CHILD, "detail": CHILD},
        ],
    )
    def test_text_repeats_only_what_looks_like_a_name_or_a_reference(self, told: dict[str, Any]) -> None:
        assert str(GatewayRefusal(403, told)) == "403 unknown"

    @pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"\xff\xfe"])
    def test_answer_that_is_no_problem_document_is_a_refusal_too(self, body: bytes) -> None:
        answers = iter(
            [httpx.Response(200, json={"access_token": "t", "expires_in": 300, "token_type": "DPoP"})]
        )
        transport = httpx.MockTransport(lambda _: next(answers, httpx.Response(502, content=body)))
        with pytest.raises(GatewayRefusal) as caught:
            call(
                GatewayClient(BASE, Credentials.of(document()), transport), lambda client: client.catalogue()
            )
        assert (caught.value.status, caught.value.problem) == (502, {})

    def test_pause_that_the_gateway_asks_for_is_kept(self, fake: FakeGateway) -> None:
        fake.refuse_uploads = problem(503, "source-unavailable")
        client = fake.client("education", "registrar")
        with pytest.raises(GatewayRefusal) as caught:
            call(client, lambda client: client.upload("attendance", "attendance_reporting", b"a", "text/csv"))
        assert caught.value.retry_after == 7

    def test_redirect_is_not_followed(self) -> None:
        answers = iter(
            [httpx.Response(200, json={"access_token": "t", "expires_in": 300, "token_type": "DPoP"})]
        )
        away = httpx.Response(307, headers={"Location": "https://elsewhere.example/"})
        transport = httpx.MockTransport(lambda _: next(answers, away))
        with pytest.raises(GatewayRefusal, match="307"):
            call(
                GatewayClient(BASE, Credentials.of(document()), transport),
                lambda client: client.ask(*ASK, CHILD),
            )

    def test_silence_is_unreachable_and_names_no_person(self) -> None:
        def broken(request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectTimeout(f"to {request.url} {CHILD}")

        client = GatewayClient(BASE, Credentials.of(document()), httpx.MockTransport(broken))
        with pytest.raises(GatewayUnreachable) as caught:
            call(client, lambda client: client.ask(*ASK, CHILD))
        assert str(caught.value) == "ConnectTimeout"

    def test_answer_that_is_no_object_is_a_fault(self) -> None:
        answers = iter(
            [httpx.Response(200, json={"access_token": "t", "expires_in": 300, "token_type": "DPoP"})]
        )
        transport = httpx.MockTransport(lambda _: next(answers, httpx.Response(200, json=[CHILD])))
        with pytest.raises(GatewayFault, match="malformed-answer"):
            call(
                GatewayClient(BASE, Credentials.of(document()), transport),
                lambda client: client.ask(*ASK, CHILD),
            )


class TestUploads:
    def test_file_goes_as_it_is(self, fake: FakeGateway) -> None:
        client = fake.client("education", "registrar")
        body = "姓名\n".encode("gb18030")
        upload = ("attendance", "attendance_reporting", body, "text/csv", "key-1")
        receipt = call(client, lambda client: client.upload(*upload))
        assert receipt["accepted"] == 1
        sent = {"exchange": "attendance", "body": body, "media_type": "text/csv", "key": "key-1"}
        assert fake.uploads == [sent]

    def test_large_file_is_waited_for(self, fake: FakeGateway, sleeps: Sleeps) -> None:
        fake.upload_as_job, fake.polls_left = True, 2
        client = fake.client("education", "registrar", sleep=sleeps)
        upload = ("attendance", "attendance_reporting", b"x", "text/csv")
        assert call(client, lambda client: client.upload(*upload))["upload_id"] == "u-1"
        assert sleeps.seconds == [1.0, 3.0, 3.0]
        assert fake.uploads[0]["key"] is None

    def test_template_is_fetched(self, fake: FakeGateway) -> None:
        got = call(checker(fake), lambda client: client.template("relief-register", "csv"))
        assert got == b"relief-register.csv"


class TestLists:
    def test_records_go_through_every_page(self, fake: FakeGateway) -> None:
        fake.items = [{"pseudonym": f"hr1-{number}"} for number in range(5)]
        client = fake.client("civil_affairs", "relief_officer")
        assert call(client, lambda client: gather(client.records(*NEEDY))) == fake.items
        assert fake.count("/v1/exchanges/needy-children/records") == 3

    def test_list_may_be_empty(self, fake: FakeGateway) -> None:
        client = fake.client("civil_affairs", "relief_officer")
        assert call(client, lambda client: gather(client.records(*NEEDY))) == []

    def test_cursor_that_comes_back_is_a_fault_and_no_endless_loop(self, fake: FakeGateway) -> None:
        fake.items, fake.stuck_cursor = [{"pseudonym": "hr1-1"}], True
        client = fake.client("civil_affairs", "relief_officer")
        with pytest.raises(GatewayFault, match="cursor-repeats"):
            call(client, lambda client: gather(client.records(*NEEDY)))

    def test_region_out_of_reach_is_refused(self, fake: FakeGateway) -> None:
        client = fake.client("civil_affairs", "relief_officer")
        with pytest.raises(GatewayRefusal, match="region-out-of-reach"):
            call(client, lambda client: client.page("needy-children", "child_relief", "530424"))

    def test_leads_go_through_every_page_and_are_acknowledged(self, fake: FakeGateway) -> None:
        fake.leads = {f"lead-{n}": {"id": f"lead-{n}", "status": "open"} for n in range(3)}

        async def work(client: GatewayClient) -> list[str]:
            await client.acknowledge("lead-1")
            return [lead["id"] async for lead in client.leads(status="open")]

        assert call(fake.client("education", "dropout_lead"), work) == ["lead-0", "lead-2"]

    def test_name_of_an_exchange_cannot_lead_elsewhere(self, fake: FakeGateway) -> None:
        with pytest.raises(GatewayRefusal, match="404"):
            call(checker(fake), lambda client: client.template("../../v1/leads?x="))
        assert fake.calls[-1:] == [("POST", "/oauth2/token")]


class TestExports:
    def export(self, fake: FakeGateway, sleeps: Sleeps) -> Any:
        client = fake.client("civil_affairs", "relief_officer", sleep=sleeps)
        return call(client, lambda client: client.export(*NEEDY))

    def test_job_is_polled_and_its_files_are_checked(self, fake: FakeGateway, sleeps: Sleeps) -> None:
        fake.polls_left = 2
        fake.manifest = {"transaction_time": "2026-11-20T02:00:00Z", "deleted": ["hr1-0"]}
        fake.add_file("1.ndjson", b'{"pseudonym":"hr1-1"}\n', 1)
        fake.add_file("2.ndjson", b"", 0)
        export = self.export(fake, sleeps)
        assert [(file.rows, file.content) for file in export.files] == [
            (1, b'{"pseudonym":"hr1-1"}\n'),
            (0, b""),
        ]
        assert export.manifest["deleted"] == ["hr1-0"]
        assert sleeps.seconds == [1.0, 3.0, 3.0]

    def test_file_that_was_changed_on_the_way_is_refused(self, fake: FakeGateway, sleeps: Sleeps) -> None:
        fake.add_file("1.ndjson", b"{}\n", 1, sha256="0" * 64)
        with pytest.raises(GatewayFault, match="checksum-mismatch"):
            self.export(fake, sleeps)

    @pytest.mark.parametrize(
        "url", ["https://elsewhere.example/f", "//elsewhere.example/f", "http://gateway.test:81/f"]
    )
    def test_token_is_not_taken_to_another_host(self, fake: FakeGateway, sleeps: Sleeps, url: str) -> None:
        fake.manifest = {"files": [{"url": url, "rows": 1, "sha256": "0"}]}
        with pytest.raises(GatewayFault, match="location-elsewhere"):
            self.export(fake, sleeps)
        fake.job_location = url
        with pytest.raises(GatewayFault, match="location-elsewhere"):
            self.export(fake, sleeps)

    def test_job_without_an_address_is_a_fault(self, fake: FakeGateway, sleeps: Sleeps) -> None:
        fake.job_location = None
        with pytest.raises(GatewayFault, match="no-location"):
            self.export(fake, sleeps)

    def test_job_that_never_ends_is_cancelled(self, fake: FakeGateway, sleeps: Sleeps) -> None:
        fake.polls_left = 10**6
        with pytest.raises(GatewayFault, match="job-too-long"):
            self.export(fake, sleeps)
        assert fake.calls[-1] == ("DELETE", "/v1/jobs/7")

    @pytest.mark.parametrize("entry", [{}, None, {"url": "/v1/jobs/7/1", "rows": "many", "sha256": "0"}])
    def test_manifest_that_cannot_be_read_is_a_fault(
        self, fake: FakeGateway, sleeps: Sleeps, entry: Any
    ) -> None:
        fake.manifest = {"files": [entry]}
        with pytest.raises(GatewayFault, match="malformed-manifest"):
            self.export(fake, sleeps)
