"""Nothing in a log line is a person: whatever is logged, through whatever logger."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.domain.redaction import REDACTED, redact
from gateway.http.logging import configure, log

ID = "53042320150305002X"
PHONE = "13812345678"
NAME = "周梓佳"

SPELLINGS = [
    ID,
    ID.lower(),
    "530423201503050028",
    "530423 20150305 002X",
    "530423-20150305-002X",
    "530423  20150305  002X",
    "530423.20150305.002X",
    "530423/20150305/002X",
    "530423_20150305_002X",
    "5 3 0 4 2 3 2 0 1 5 0 3 0 5 0 0 2 X",
    "'53042320150305002X",
    "G53042320150305002X",
    "id=53042320150305002X,",
    "CHN530423150305",
    "５３０４２３２０１５０３０５００２Ｘ",
    "53042320150305\u2060002X",
    "530423\n20150305\n002X",
]
OTHERS = [
    PHONE,
    "138 1234 5678",
    "138-1234-5678",
    "+86 13812345678",
    "0877-3012345",
    NAME,
    f"child {NAME} not found",
    json.dumps({"name": NAME}),
    repr(NAME.encode()),
    "%E5%91%A8%E6%A2%93%E4%BD%B3",
]
TRACES = ["530423201", "20150305", "002X", "002x", "13812345678", "12345678", "3012345", NAME, "530423150305"]
TRACES += ["\\u5468", "\\\\u5468", "\\xe5", "%E5", "５３", "138 1234", "138-1234"]


class Captured:
    """A configured log and what it wrote."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        configure("DEBUG", self.stream)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def assert_clean(self) -> None:
        text = self.stream.getvalue()
        assert text, "nothing was logged"
        found = [trace for trace in TRACES if trace in text]
        assert not found, text


@pytest.fixture
def captured() -> Iterator[Captured]:
    root = logging.getLogger()
    handlers, level, raising = list(root.handlers), root.level, logging.raiseExceptions
    try:
        yield Captured()
    finally:
        root.handlers, logging.raiseExceptions = handlers, raising
        root.setLevel(level)


@pytest.mark.parametrize("text", [*SPELLINGS, *OTHERS])
def test_no_spelling_gets_through_as_a_value(captured: Captured, text: str) -> None:
    log.info("asked", value=text, nested={"a": [text, {"b": (text,)}], text: 1}, items=[text], many={text})
    captured.assert_clean()


@pytest.mark.parametrize("text", [*SPELLINGS, *OTHERS])
def test_no_spelling_gets_through_as_the_event_or_a_key(captured: Captured, text: str) -> None:
    log.info(text)
    log.warning("asked about " + text)
    log.info("asked", **{text: 1})
    captured.assert_clean()


@pytest.mark.parametrize("text", [*SPELLINGS, *OTHERS])
def test_no_spelling_gets_through_a_librarys_logger(captured: Captured, text: str) -> None:
    library = logging.getLogger("some.library")
    library.info("got %s", text)
    library.error(text)
    library.warning("got", extra={"child": text, "deep": [text]})
    captured.assert_clean()


@pytest.mark.parametrize(
    "number",
    [
        530423201503050028,
        13812345678,
        -13812345678,
        1381234567800,
        13812345678.0,
        5.3042320150305e17,
        53042320150305.5,
    ],
)
def test_a_number_long_enough_to_be_somebody_is_cut_out(captured: Captured, number: float) -> None:
    log.info("asked", value=number, nested=[number, {"x": number}], **{str(number): 1})
    logging.getLogger("some.library").info("got %s", number)
    captured.assert_clean()
    assert captured.lines()[0]["value"] == REDACTED


class BadChild(Exception):
    """Its message and its attributes quote the child."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text
        self.add_note(text)


def failing(text: str) -> None:
    try:
        raise ValueError(text)
    except ValueError as error:
        raise BadChild(text) from error


@pytest.mark.parametrize("text", [ID, NAME, PHONE, f"no such child: {ID} {NAME}"])
@pytest.mark.parametrize("name", ["huxue", "uvicorn.error", "asyncio", "concurrent.futures"])
def test_an_exception_is_logged_by_type_and_place(captured: Captured, name: str, text: str) -> None:
    try:
        failing(text)
    except BadChild as error:
        if name == "huxue":
            log.error("unexpected", exc_info=error)
            log.exception("unexpected")
        logging.getLogger(name).exception("Exception in ASGI application\n")
        logging.getLogger(name).error("failed", exc_info=error, stack_info=True)
        log.error("failed", error=error, cause=error.__cause__)
    captured.assert_clean()
    line = captured.lines()[0]
    assert line["error"] == "BadChild"
    assert any("test_logging.py" in place and place.endswith(" failing") for place in line["at"])


def test_a_line_whose_formatting_fails_tells_nothing(
    captured: Captured, capsys: pytest.CaptureFixture[str]
) -> None:
    logging.getLogger("some.library").info("%d children", ID)
    logging.getLogger("some.library").info("none", ID)  # noqa: PLE1205 - wrong on purpose
    shown = capsys.readouterr()
    assert not [trace for trace in TRACES if trace in shown.err + shown.out + captured.stream.getvalue()]


def test_what_tells_nobody_apart_is_kept(captured: Captured) -> None:
    log.info(
        "started", policies="0123abcd4567", port=8420, ready=True, share=0.5, nothing=None, status=[200, 404]
    )
    line = captured.lines()[0]
    assert {
        key: line[key] for key in ("event", "level", "policies", "port", "ready", "share", "nothing")
    } == {
        "event": "started",
        "level": "info",
        "policies": "0123abcd4567",
        "port": 8420,
        "ready": True,
        "share": 0.5,
        "nothing": None,
    }
    assert line["status"] == [200, 404]
    assert line["timestamp"].endswith("Z")


@pytest.mark.parametrize(
    "text", ["Uvicorn running on http://127.0.0.1:8420", "c-3f9a0c", "region 530423101", "lead-abc"]
)
def test_ordinary_words_are_kept(text: str) -> None:
    assert redact(text) == text


def test_an_object_is_logged_as_its_text_and_no_more() -> None:
    class Child:
        def __repr__(self) -> str:
            return f"Child({NAME}, {ID})"

    assert redact(Child()) == REDACTED


def test_long_texts_and_long_lists_are_cut() -> None:
    assert redact("x" * 401) == REDACTED
    assert redact(list(range(80))) == list(range(50))


def test_libraries_that_log_addresses_are_quiet(captured: Captured) -> None:
    logging.getLogger("httpx").info("HTTP Request: GET http://x/?id=%s", ID)
    logging.getLogger("uvicorn.access").info("GET /%s", ID)
    assert captured.stream.getvalue() == ""
