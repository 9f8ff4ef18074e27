"""The lane of asks: what it answers by itself, and what it tells when something goes wrong before or within it."""

import asyncio
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from gateway.domain.errors import Malformed, NotPermitted, TooLarge
from gateway.http.fastlane import FastLane
from gateway.http.middleware import SECURITY_HEADERS
from gateway.http.wire import json_response, read_body

ASK = "/v1/exchanges/applicant-check/ask"
SECRET = "530423201309124345"


def scope(path: str = ASK, method: str = "POST", *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": list(headers),
        "state": {"dpop_nonce": "next-nonce"},
    }


async def nothing() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


def lane(answer: Response | Exception) -> tuple[FastLane, list[str]]:
    app, asked = FastLane(docs_url=None, redoc_url=None), list[str]()
    app.state.public_url = "http://gateway.test"

    async def handler(exchange: str, _request: Request) -> Response:
        asked.append(exchange)
        if isinstance(answer, Exception):
            raise answer
        return answer

    app.handler = handler
    return app, asked


def call(app: FastLane, where: dict[str, Any]) -> tuple[list[dict[str, Any]], Exception | None]:
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    try:
        asyncio.run(app(where, nothing, send))
    except RuntimeError as error:
        return sent, error
    return sent, None


def assert_secure(message: dict[str, Any]) -> None:
    """Each security header, once."""
    names = [name.decode().lower() for name, _ in message["headers"]]
    assert [names.count(name) for name, _ in SECURITY_HEADERS] == [1] * len(SECURITY_HEADERS)


def test_an_answer_is_secured_and_bears_the_next_nonce() -> None:
    app, asked = lane(json_response(b"{}"))
    (start, body), error = call(app, scope())
    assert (asked, start["status"], body["body"], error) == (["applicant-check"], 200, b"{}", None)
    assert_secure(start)
    assert (b"dpop-nonce", b"next-nonce") in start["headers"]


def test_a_refusal_is_a_problem_with_the_same_headers() -> None:
    app, _ = lane(NotPermitted())
    (start, body), error = call(app, scope())
    assert (start["status"], b"not-permitted" in body["body"], error) == (403, True, None)
    assert_secure(start)


def test_what_nobody_expected_is_told_once_without_a_word_of_it_and_then_raised() -> None:
    app, _ = lane(RuntimeError(SECRET))
    (start, body), error = call(app, scope())
    assert start["status"] == 500
    assert SECRET.encode() not in body["body"]
    assert_secure(start)
    assert isinstance(error, RuntimeError)


@pytest.mark.parametrize(
    ("path", "method"),
    [
        (ASK, "GET"),
        (ASK, "post"),
        (ASK + "/", "POST"),
        ("/v1/exchanges//ask", "POST"),
        ("/v1/exchanges/a/b/ask", "POST"),
        ("/v1/exchanges/ask", "POST"),
        ("/v1/exchanges/applicant-check/records", "POST"),
    ],
)
def test_anything_else_is_the_frameworks(path: str, method: str) -> None:
    app, asked = lane(json_response(b"{}"))
    (start, _), _ = call(app, scope(path, method))
    assert (asked, start["status"]) == ([], 404)


def body_of(messages: list[dict[str, Any]], limit: int, *headers: tuple[bytes, bytes]) -> bytes:
    left = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(left)

    return asyncio.run(read_body(Request(scope(ASK, "POST", *headers), receive), limit))


def part(body: bytes, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def test_a_body_comes_in_parts() -> None:
    assert body_of([part(b"ab"), part(b""), part(b"c", more=False)], 3) == b"abc"
    assert body_of([{"type": "http.request"}], 3) == b""


def test_a_caller_who_goes_away_in_the_middle_is_not_read_as_far_as_they_came() -> None:
    with pytest.raises(Malformed):
        body_of([part(b'{"purpose":'), {"type": "http.disconnect"}], 100)


def test_more_than_the_limit_is_refused_whatever_was_declared() -> None:
    with pytest.raises(TooLarge):
        body_of([part(b"ab"), part(b"cd", more=False)], 3, (b"content-length", b"2"))
    with pytest.raises(TooLarge):  # nothing is read
        body_of([], 3, (b"content-length", b"4"))
    assert body_of([part(b"ab", more=False)], 3, (b"content-length", "²".encode("latin-1"))) == b"ab"


def test_a_header_given_again_takes_the_place_of_the_usual_one() -> None:
    headers = json_response(b"{}", headers={"Cache-Control": "no-store, private", "X-A": "1"}).raw_headers
    assert [value for name, value in headers if name == b"cache-control"] == [b"no-store, private"]
    assert (b"x-a", b"1") in headers
