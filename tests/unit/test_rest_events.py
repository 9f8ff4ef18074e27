"""Leads as they come: server-sent events, taken up where they broke."""

from contextlib import aclosing

import pytest
from starlette.responses import Response

from connectors.transports.rest import (
    GatewayClient,
    GatewayFault,
    GatewayRefusal,
)
from connectors.transports.sse import MOST_BYTES_PENDING, EventParser, ServerEvent, StreamTooLargeError
from tests.fakes_gateway import FakeGateway, Sleeps, call, problem


@pytest.fixture
def fake() -> FakeGateway:
    return FakeGateway()


@pytest.fixture
def sleeps() -> Sleeps:
    return Sleeps()


class TestLeadEvents:
    def events(
        self, fake: FakeGateway, sleeps: Sleeps, count: int, after: str | None = None
    ) -> list[ServerEvent]:
        async def work(client: GatewayClient) -> list[ServerEvent]:
            found: list[ServerEvent] = []
            async with aclosing(client.lead_events(after)) as events:
                async for event in events:
                    found.append(event)
                    if len(found) == count:
                        break
            return found

        client = fake.client("education", "dropout_lead", sleep=sleeps)
        return call(client, work)  # type: ignore[no-any-return]

    def test_stream_that_breaks_is_taken_up_where_it_broke(self, fake: FakeGateway, sleeps: Sleeps) -> None:
        fake.streams = [
            b"retry: 2500\n\nid: 5\nevent: lead\ndata: {}\n\nid: 6\ndata: cut off",
            b": still here\n\nid: 6\nevent: lead\ndata: {}\n\n",
        ]
        assert [event.id for event in self.events(fake, sleeps, 2, "4")] == ["5", "6"]
        assert fake.resumed_from == ["4", "5"]
        assert sleeps.seconds == [2.5]

    def test_gateway_that_restarts_is_waited_for(self, fake: FakeGateway, sleeps: Sleeps) -> None:
        fake.streams = [
            problem(503, "source-unavailable"),
            problem(429, "rate-limited"),
            b"id: 1\ndata: a\n\n",
        ]
        assert self.events(fake, sleeps, 1) == [ServerEvent("1", "message", "a")]
        assert sleeps.seconds == [2.0, 4.0]

    def test_refusal_that_will_not_pass_is_the_callers(self, fake: FakeGateway, sleeps: Sleeps) -> None:
        fake.streams = [problem(403, "not-permitted")]
        with pytest.raises(GatewayRefusal, match="not-permitted"):
            self.events(fake, sleeps, 1)

    def test_fifth_failure_in_a_row_is_the_callers(self, fake: FakeGateway, sleeps: Sleeps) -> None:
        fake.streams = [problem(503, "source-unavailable") for _ in range(5)]
        with pytest.raises(GatewayRefusal, match="503"):
            self.events(fake, sleeps, 1)
        assert not fake.streams

    def test_event_without_end_is_a_fault(self, fake: FakeGateway, sleeps: Sleeps) -> None:
        fake.streams = [Response(b"data: " + b"x" * (MOST_BYTES_PENDING + 1))]
        with pytest.raises(GatewayFault, match="event-too-large"):
            self.events(fake, sleeps, 1)


TEXT = (
    "\ufeff: comment\r\n\r\nid: 1\r\nevent: lead\r\ndata: 第一行\r\ndata:\r\ndata:  二\u2028三\r\n\r\n"
    "data\n\nid\rdata: x\r\rid: bad\0id\ndata: y\n\nevent: lost\n\n"
    "unknown: z\nretry: soon\ndata: w\n\ndata: cut"
).encode()
EXPECTED = [
    ServerEvent("1", "lead", "第一行\n\n 二\u2028三"),
    ServerEvent("1", "message", ""),
    ServerEvent(None, "message", "x"),
    ServerEvent(None, "message", "y"),
    ServerEvent(None, "message", "w"),
]


class TestEventParser:
    @pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
    def test_events_are_the_same_however_the_bytes_are_cut(self, size: int) -> None:
        parser = EventParser()
        chunks = [TEXT[start : start + size] for start in range(0, len(TEXT), size)]
        assert [event for chunk in chunks for event in parser.feed(chunk)] == EXPECTED

    def test_retry_is_kept_when_it_is_a_number(self) -> None:
        parser = EventParser()
        assert list(parser.feed(b"retry: 1500\nretry: x\n\n")) == []
        assert parser.retry_ms == 1500

    def test_event_of_many_short_lines_is_bounded_too(self) -> None:
        parser = EventParser()
        line = b"data: " + b"x" * 1000 + b"\n"
        for _ in range(MOST_BYTES_PENDING // 1000):
            assert list(parser.feed(line)) == []
        with pytest.raises(StreamTooLargeError):
            list(parser.feed(line * 2))
