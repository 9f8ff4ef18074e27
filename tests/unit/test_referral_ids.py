"""The id of a referral is evidence of a step, and no evidence may look like an id or a phone number."""

import secrets

import pytest

from gateway.domain.redaction import scrubbed
from gateway.services.refer import new_id


def test_an_id_with_a_long_run_of_digits_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter(["7c89289466421dd1bdea9c1de4", "7c8928a466421dd1bdea9c1de4"])
    monkeypatch.setattr(secrets, "token_hex", lambda _bytes: next(drawn))
    assert new_id("hnd") == "hnd-7c8928a466421dd1bdea9c1de4"


def test_no_id_is_turned_away() -> None:
    assert all(scrubbed(found) == found for found in (new_id("rfl") for _ in range(2_000)))
