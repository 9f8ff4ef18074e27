"""Leads: one per child and rule, for those who must act, closed by the register alone, streamed without a gap."""

import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import httpx
import pytest

from connectors.transports.sse import EventParser, ServerEvent
from tests.harness import COUNTY, LAW_DATE, TestGateway, running
from tests.people import attendance, csv_file, resident_id, student

ELSEWHERE = "530424"
OUT = {"学生状态": "辍学", "状态日期": "2026-10-09"}
BACK = {"学生状态": "在校", "状态日期": "2026-11-15"}
MOVED = {"学生状态": "转出", "状态日期": "2026-11-02"}
CHILD = resident_id(date(2015, 3, 5), 2)
EMPLOYER = "91530423MA6K2JJF8X"


def register(gateway: TestGateway, *rows: dict[str, str], region: str = COUNTY) -> None:
    answer = gateway.upload("student-register", csv_file(rows), region=region)
    assert answer.status_code == 200, answer.text
    assert answer.json()["rejected"] == 0, answer.text


def see(
    gateway: TestGateway, role: str, region: str = COUNTY, school: str | None = None, **query: Any
) -> list[Any]:
    answer = gateway.call.get("/v1/leads", params=query, headers=gateway.headers(role, region, school))
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def acknowledge(gateway: TestGateway, lead: str) -> httpx.Response:
    return gateway.call.post(
        f"/v1/leads/{lead}/acknowledge", headers=gateway.headers("education/dropout_lead")
    )


def test_uploading_and_asking_twice_opens_one_lead_each(gateway: TestGateway) -> None:
    rows = [student(2, **OUT), student(4)]
    register(gateway, *rows)
    first = gateway.leads()
    register(gateway, *rows)
    assert gateway.leads() == first
    assert [lead["rule"] for lead in first] == ["registered-dropout"]
    asked = [gateway.ask(CHILD).json()["answer"]["lead"] for _ in range(2)]
    assert asked[0] == asked[1]
    leads = {lead["id"]: lead for lead in gateway.leads()}
    assert set(leads) == {first[0]["id"], asked[0]}
    assert leads[asked[0]]["facts"] == [{"fact": "applicant-under-16", "on": "2026-11-20"}]
    assert leads[asked[0]]["case"] == first[0]["case"], "one child, one case"
    with gateway.database() as connection:
        kinds = connection.execute("SELECT kind FROM lead_event ORDER BY seq").fetchall()
    connection.close()
    assert kinds == [("opened",), ("opened",)], "nothing new, nothing told"


def test_a_lead_shows_what_the_contract_shows_and_nobody(gateway: TestGateway) -> None:
    register(gateway, student(2, **OUT))
    (lead,) = gateway.leads()
    contract = {"id", "rule", "case", "region", "status", "opened_at", "due_on", "facts", "pseudonym"}
    assert set(lead) == contract
    assert lead["pseudonym"].startswith("ed1-")
    (visited,) = see(gateway, "township/return_officer", "530423101")
    assert visited["pseudonym"].startswith("tw1-")
    (taught,) = see(gateway, "school/class_teacher", "530423101", school="2153001234")
    assert "pseudonym" not in taught
    assert lead["facts"] == [{"fact": "registered-dropout", "since": "2026-10-09"}]
    assert (lead["region"], lead["status"], lead["due_on"]) == ("530423101", "open", "2026-11-25")
    assert CHILD not in json.dumps(lead)


def test_a_new_fact_is_added_to_the_lead(gateway: TestGateway) -> None:
    register(gateway, student(2, **OUT))
    (before,) = gateway.leads()
    register(gateway, student(2, **{**OUT, "状态日期": "2026-10-30"}))
    (after,) = gateway.leads()
    assert after["id"] == before["id"]
    assert [fact["since"] for fact in after["facts"]] == ["2026-10-09", "2026-10-30"]
    assert after["due_on"] == before["due_on"], "a new fact gives no new time"


def test_acknowledging_twice_is_fine_and_stays_when_facts_come(gateway: TestGateway) -> None:
    register(gateway, student(2, **OUT))
    (lead,) = gateway.leads()
    answers = [acknowledge(gateway, lead["id"]) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json() == {**lead, "status": "acknowledged"}
    register(gateway, student(2, **{**OUT, "状态日期": "2026-10-30"}))
    assert [lead["status"] for lead in gateway.leads()] == ["acknowledged"]


def test_the_register_alone_closes_a_lead_and_a_relapse_opens_it_again(gateway: TestGateway) -> None:
    register(gateway, student(2, **OUT), student(4))
    (lead,) = gateway.leads()
    register(gateway, student(4))
    assert [each["status"] for each in gateway.leads()] == ["open"], "silence closes nothing"
    register(gateway, student(2, **BACK), student(4))
    (closed,) = gateway.leads()
    assert (closed["id"], closed["status"]) == (lead["id"], "closed")
    assert closed["facts"][-1] == {"fact": "no-longer-applies", "on": "2026-11-20"}
    assert acknowledge(gateway, lead["id"]).status_code == 409
    register(gateway, student(2, **{**OUT, "状态日期": "2026-11-18"}), student(4))
    (again,) = gateway.leads()
    assert (again["id"], again["status"]) == (lead["id"], "open")


def test_a_transfer_becomes_a_lead_when_the_law_date_passes_its_thirty_days(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data) as gateway:
        register(gateway, student(2, **MOVED))
        assert gateway.leads() == []
    with running(data, law_date=date(2026, 12, 2)) as gateway:
        settled(gateway)
        assert gateway.leads() == [], "the thirtieth day is in time"
    with running(data, law_date=date(2026, 12, 3)) as gateway:
        settled(gateway)
        (lead,) = gateway.leads()
        assert (lead["rule"], lead["due_on"]) == ("transfer-not-arrived", "2027-01-02")
        assert lead["facts"] == [{"fact": "transfer-not-arrived", "since": "2026-11-02"}]
    with running(data, law_date=date(2026, 12, 4)) as gateway:
        settled(gateway)
        assert gateway.leads() == [lead], "the next day brings nothing new"
        # Enrolled in the next county: there the child arrived, and the lead is settled here on the next day.
        arrived = student(2, 学生状态="在校", 状态日期="2026-12-01", 现住址行政区划="530424101")
        register(gateway, arrived, region=ELSEWHERE)
    with running(data, law_date=date(2026, 12, 5)) as gateway:
        settled(gateway)
        assert [each["status"] for each in gateway.leads()] == ["closed"]


def settled(gateway: TestGateway) -> None:
    """Until the day's rules have been evaluated."""
    for _ in range(500):
        if gateway.parts.daily._done is not None:
            return
        threading.Event().wait(0.01)
    raise AssertionError("the day was not evaluated")


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestGateway]:
    """Leads in two townships, two schools and two counties."""
    with running(tmp_path_factory.mktemp("places") / "data") as gateway:
        rows = []
        for number, (township, school) in enumerate(
            [("530423101", "2153001234"), ("530423102", "2153001234"), ("530423102", "2153005678")]
        ):
            rows.append(student(2 + 2 * number, **OUT, 现住址行政区划=township, 学校标识码=school))
        register(gateway, *rows, student(20, 现住址行政区划="530423101"))
        far = student(30, **OUT, 现住址行政区划="530424101", 学校标识码="2153009999")
        register(gateway, far, region=ELSEWHERE)
        gateway.ask(resident_id(number=20))
        first = gateway.leads(rule="registered-dropout", region="530423101")[0]["id"]
        assert acknowledge(gateway, first).status_code == 200
        yield gateway


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 4),
        ({"rule": "registered-dropout"}, 3),
        ({"rule": "applicant-under-16"}, 1),
        ({"rule": "no-such-rule"}, 0),
        ({"status": "open"}, 3),
        ({"status": "acknowledged"}, 1),
        ({"status": "closed"}, 0),
        ({"region": "530423101"}, 2),
        ({"region": "530423102"}, 2),
        ({"region": "530423102", "rule": "applicant-under-16"}, 0),
        ({"region": "530423101", "status": "acknowledged"}, 1),
    ],
    ids=str,
)
def test_filters_narrow(places: TestGateway, query: dict[str, str], count: int) -> None:
    assert len(places.leads(**query)) == count


@pytest.mark.parametrize(
    "query",
    [{"status": "x"}, {"rule": "A B"}, {"region": "x"}, {"cursor": "x"}, {"limit": 0}, {"limit": 1001}],
    ids=str,
)
def test_filters_that_are_none_are_malformed(places: TestGateway, query: dict[str, str]) -> None:
    answer = places.call.get("/v1/leads", params=query, headers=places.headers("education/dropout_lead"))
    assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[-1]) == (400, "malformed")


def test_pages_are_whole(places: TestGateway) -> None:
    found: list[str] = []
    cursor: str | None = None
    for _ in range(10):
        query = {"limit": 1, **({"cursor": cursor} if cursor else {})}
        body = places.call.get(
            "/v1/leads", params=query, headers=places.headers("education/dropout_lead")
        ).json()
        found += [lead["id"] for lead in body["items"]]
        cursor = body["next_cursor"]
        if cursor is None:
            break
    assert found == sorted(lead["id"] for lead in places.leads())


def test_a_return_officer_sees_the_own_township_only(places: TestGateway) -> None:
    for township in ("530423101", "530423102"):
        seen = see(places, "township/return_officer", township)
        assert {lead["region"] for lead in seen} == {township}
        assert len(seen) == 2
    assert see(places, "township/return_officer", "530423103") == []
    headers = places.headers("township/return_officer", "530423101")
    beside = places.call.get("/v1/leads", params={"region": "530423102"}, headers=headers)
    assert beside.status_code == 403
    other = see(places, "township/return_officer", "530423102")[0]["id"]
    assert places.call.post(f"/v1/leads/{other}/acknowledge", headers=headers).status_code == 403


def test_a_class_teacher_sees_the_own_school_only_and_no_facts(places: TestGateway) -> None:
    seen = see(places, "school/class_teacher", COUNTY, "2153001234")
    assert {lead["region"] for lead in seen} == {"530423101", "530423102"}
    assert len(seen) == 2, "that a pupil looked for work is not the school's to know"
    assert len(see(places, "school/class_teacher", COUNTY, "2153005678")) == 1
    assert see(places, "school/class_teacher", COUNTY, "2153000000") == []
    assert all("facts" not in lead for lead in seen)
    mine = see(places, "school/class_teacher", COUNTY, "2153005678")[0]["id"]
    headers = places.headers("school/class_teacher", COUNTY, "2153001234")
    assert places.call.post(f"/v1/leads/{mine}/acknowledge", headers=headers).status_code == 403


def test_the_other_county_sees_its_own(places: TestGateway) -> None:
    (lead,) = see(places, "education/dropout_lead", ELSEWHERE)
    assert lead["region"] == "530424101"
    assert lead["id"] not in {each["id"] for each in places.leads()}


def duties(gateway: TestGateway) -> list[tuple[Any, ...]]:
    with gateway.database() as connection:
        query = (
            "SELECT kind, owner, region, lead_id, due_on, status, facts FROM duty WHERE kind = 'labour-visit'"
        )
        found = connection.execute(query).fetchall()
    connection.close()
    return found


def test_a_hit_becomes_a_duty_of_labour_inspection_that_keeps_the_employer(gateway: TestGateway) -> None:
    spaced = f"{EMPLOYER[:8]} {EMPLOYER[8:].lower()}"
    answers = [gateway.ask(CHILD, employer_uscc=code).json() for code in (EMPLOYER, EMPLOYER, spaced)]
    lead = answers[0]["answer"]["lead"]
    (duty,) = duties(gateway)
    assert duty[:6] == ("labour-visit", "human_resources", COUNTY, lead, "2026-11-25", "open")
    assert json.loads(duty[6]) == {"employer_uscc": EMPLOYER}
    assert EMPLOYER not in json.dumps(gateway.leads()), (
        "the lead is education's: it says nothing of the employer"
    )


def test_another_employer_is_another_visit(gateway: TestGateway) -> None:
    for code in (EMPLOYER, "91530423MA6K2JJF9Y"):
        gateway.ask(CHILD, employer_uscc=code)
    assert len(duties(gateway)) == 2
    assert len(gateway.leads()) == 1


def test_an_adult_opens_nothing(gateway: TestGateway) -> None:
    answer = gateway.ask(
        resident_id(LAW_DATE.replace(year=LAW_DATE.year - 16)), employer_uscc=EMPLOYER
    ).json()
    assert answer["answer"] == {
        "under_16": False,
        "out_of_school": "not_applicable",
        "exception_possible": False,
        "verdict": "no_bar",
        "lead": None,
    }
    assert gateway.leads() == []
    assert duties(gateway) == []
    day_short = resident_id(LAW_DATE.replace(year=LAW_DATE.year - 16) + timedelta(days=1))
    assert gateway.ask(day_short).json()["answer"]["under_16"] is True


def test_an_unknown_child_asked_about_many_times_at_once_is_one_child_and_one_lead(
    gateway: TestGateway,
) -> None:
    gateway.headers("human_resources/recruitment_checker")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: gateway.ask(CHILD).json()["answer"], range(16)))
    assert len({answer["lead"] for answer in answers}) == 1
    with gateway.database() as connection:
        rows = [
            connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("subject", "lead")
        ]
    connection.close()
    assert rows == [1, 1]


def test_a_licence_hit_opens_a_lead_and_tells_the_registrar_nothing_of_it(gateway: TestGateway) -> None:
    body = {"purpose": "licence_check", "subject": {"resident_id": CHILD}, "application_no": "A-1"}
    headers = gateway.headers("market_regulation/licence_registrar")
    answer = gateway.call.post("/v1/exchanges/licence-check/ask", json=body, headers=headers).json()
    assert answer["answer"] == {"must_not_license": "yes"}
    assert [lead["rule"] for lead in gateway.leads()] == ["licence-under-16"]


class Stream:
    """Somebody listening to the lead stream; `take` waits for the next event."""

    def __init__(self, gateway: TestGateway, headers: dict[str, str]) -> None:
        self._events: Queue[ServerEvent | None] = Queue()
        self.opened, self.status = threading.Event(), 0
        self._socket: socket.socket | None = None
        self.ended_by: httpx.HTTPError | None = None
        self._thread = threading.Thread(target=self._listen, args=(gateway.url, headers), daemon=True)
        self._thread.start()
        assert self.opened.wait(10)

    def close(self) -> None:
        """Hang up, from whatever thread."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)

    def _listen(self, url: str, headers: dict[str, str]) -> None:
        parser = EventParser()
        try:
            with (
                httpx.Client(base_url=url, timeout=30, trust_env=False) as client,
                client.stream("GET", "/v1/leads/stream", headers=headers) as answer,
            ):
                self.status = answer.status_code
                self._socket = answer.extensions["network_stream"].get_extra_info("socket")
                for chunk in answer.iter_bytes():
                    # The first bytes come once the place in the stream is taken.
                    events = list(parser.feed(chunk))
                    if b"alive" in chunk or events:
                        self.opened.set()
                    for event in events:
                        self._events.put(event)
        except httpx.HTTPError as error:
            self.ended_by = error  # closing the socket from the test ends the stream like this
        self.opened.set()
        self._events.put(None)

    def take(self, seconds: float = 10) -> ServerEvent | None:
        return self._events.get(timeout=seconds)

    def lead(self) -> dict[str, Any]:
        event = self.take()
        assert event is not None
        assert event.event == "lead"
        return {**json.loads(event.data), "_id": int(event.id or 0)}

    def silent(self, seconds: float = 0.3) -> bool:
        try:
            self._events.get(timeout=seconds)
        except Empty:
            return True
        return False


@contextmanager
def listening(gateway: TestGateway, headers: dict[str, str], after: int | None = None) -> Iterator[Stream]:
    more = {} if after is None else {"Last-Event-ID": str(after)}
    stream = Stream(gateway, {**headers, **more})
    try:
        yield stream
    finally:
        stream.close()


def test_a_new_lead_arrives_with_what_became_of_it(gateway: TestGateway) -> None:
    headers = gateway.headers("education/dropout_lead")
    with listening(gateway, headers) as stream:
        register(gateway, student(2, **OUT))
        opened = stream.lead()
        acknowledge(gateway, opened["id"])
        seen = stream.lead()
        register(gateway, student(2, **BACK))
        closed = stream.lead()
    assert [each["change"] for each in (opened, seen, closed)] == ["opened", "acknowledged", "closed"]
    assert opened["id"] == seen["id"] == closed["id"]
    assert opened["_id"] < seen["_id"] < closed["_id"]
    assert CHILD not in json.dumps([opened, seen, closed])


def test_a_stream_resumes_without_loss_or_repetition(gateway: TestGateway) -> None:
    register(gateway, *(student(number, **OUT) for number in range(2, 12)))
    headers = gateway.headers("education/dropout_lead")
    with listening(gateway, headers, after=0) as stream:
        first = [stream.lead() for _ in range(4)]
    register(gateway, student(20, **OUT))
    with listening(gateway, headers, after=first[-1]["_id"]) as stream:
        rest = [stream.lead() for _ in range(7)]
        assert stream.silent()
    numbers = [each["_id"] for each in (*first, *rest)]
    assert numbers == sorted(set(numbers))
    assert {each["id"] for each in (*first, *rest)} == {lead["id"] for lead in gateway.leads()}


def test_what_is_streamed_is_in_the_evidence(gateway: TestGateway) -> None:
    headers = gateway.headers("education/dropout_lead")
    register(gateway, *(student(number, **OUT) for number in (2, 4, 6)))
    before = len(gateway.audit())
    with listening(gateway, headers, after=0) as stream:
        last = [stream.lead() for _ in range(3)][-1]
    entries = gateway.audit()[before:]
    assert sum(entry["count"] for entry in entries) == 3
    assert entries[-1]["detail"] == f"events:{last['_id']}"
    assert entries[-1]["exchange"] == "leads"


@pytest.mark.parametrize(
    ("role", "region", "school"),
    [
        ("education/dropout_lead", ELSEWHERE, None),
        ("township/return_officer", "530423102", None),
        ("school/class_teacher", COUNTY, "2153009999"),
    ],
)
def test_a_stream_shows_nothing_of_another_region_or_school(
    gateway: TestGateway, role: str, region: str, school: str | None
) -> None:
    with listening(gateway, gateway.headers(role, region, school)) as stream:
        register(gateway, student(2, **OUT))
        assert stream.silent(0.5)
        before = [entry for entry in gateway.audit() if entry["role"] == role]
        assert before == [], "nothing was told, so nothing was recorded as told"


def test_a_stream_ends_when_its_client_is_revoked(gateway: TestGateway) -> None:
    credentials = gateway.credentials("education/dropout_lead")
    headers = {"Authorization": f"Bearer {gateway.fetch_token(credentials)}"}
    with listening(gateway, headers) as stream:
        gateway.revoke(credentials.client_id)
        assert stream.take() is None
        register(gateway, student(2, **OUT))
    assert not [entry for entry in gateway.audit() if entry["client"] == credentials.client_id]


@pytest.mark.parametrize("after", ["x", "-1", "1.5", "٣", "9" * 19, ""])
def test_a_last_event_id_that_is_no_number_is_refused(places: TestGateway, after: str) -> None:
    headers = {**places.headers("education/dropout_lead"), "Last-Event-ID": after}
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    answer = places.call.get("/v1/leads/stream", headers=encoded)
    assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[-1]) == (400, "malformed")


def test_a_stream_that_is_not_permitted_is_an_ordinary_refusal(places: TestGateway) -> None:
    answer = places.call.get("/v1/leads/stream", headers=places.headers("civil_affairs/relief_officer"))
    assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[-1]) == (403, "not-permitted")


@pytest.mark.parametrize(
    ("month", "over"),
    [
        ({"应到天数": "3", "缺勤天数": "3", "连续缺勤天数": "3"}, False),  # a short month, and never there
        (
            {"应到天数": "20", "缺勤天数": "20", "连续缺勤天数": "20", "事由": "住院"},
            False,
        ),  # excused says nothing
        ({"应到天数": "0", "缺勤天数": "0", "连续缺勤天数": "0"}, False),
        ({"应到天数": "20", "缺勤天数": "20", "连续缺勤天数": "4"}, False),
        ({"应到天数": "20", "缺勤天数": "16", "连续缺勤天数": "16", "事由": "病假"}, True),
        ({"应到天数": "20", "缺勤天数": "4", "连续缺勤天数": "4"}, True),
    ],
)
def test_absence_is_over_when_the_child_was_there_again(
    gateway: TestGateway, month: dict[str, str], over: bool
) -> None:
    register(gateway, student(2))
    away = {"缺勤天数": "9", "连续缺勤天数": "6"}
    for row in (attendance(2, 月份="2026-09", **away), attendance(2, 月份="2026-10", **month)):
        answer = gateway.upload("attendance", csv_file([row]))
        assert answer.json()["rejected"] == 0, answer.text
        (lead,) = gateway.leads()
    assert lead["rule"] == "absence-threshold"
    assert (lead["status"] == "closed") is over


def test_absence_does_not_end_by_growing_old(tmp_path: Path) -> None:
    with running(tmp_path / "data") as gateway:
        register(gateway, student(2))
        away = attendance(2, 月份="2026-10", 缺勤天数="9", 连续缺勤天数="6")
        assert gateway.upload("attendance", csv_file([away])).json()["rejected"] == 0
    with running(tmp_path / "data", law_date=LAW_DATE + timedelta(days=120)) as gateway:
        (lead,) = gateway.leads()
        assert lead["status"] != "closed"
