"""base64url: one text for some bytes, and nothing else read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.base64url import b64, unb64


@pytest.mark.parametrize(
    ("raw", "text"),
    [(b"", ""), (b"f", "Zg"), (b"fo", "Zm8"), (b"foo", "Zm9v"), (b"\xfb\xff\xbf", "-_-_")],
)
def test_the_standards_own_examples(raw: bytes, text: str) -> None:
    assert b64(raw) == text
    assert unb64(text) == raw


@given(st.binary(max_size=80))
def test_bytes_come_back(raw: bytes) -> None:
    assert unb64(b64(raw)) == raw


@pytest.mark.parametrize("text", ["Zg==", "Z", "Zm9v+w", "Zm9v/w", "Zg\n", "Z g", "é", "Zm9v!"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        unb64(text)
