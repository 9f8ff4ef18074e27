"""What is said to people may be Chinese, and holds no number long enough to be somebody's."""

import pytest

from gateway.domain.redaction import REDACTED, scrubbed, shape

ID = "53042320150305002X"


@pytest.mark.parametrize("text", [f"证件号 {ID} 有误", "请致电 13812345678", "530423 20150305 002X"])
def test_a_message_loses_what_could_be_an_id_or_a_phone(text: str) -> None:
    told = scrubbed(text)
    assert REDACTED in told
    assert not any(piece in told for piece in (ID, "20150305", "13812345678"))


@pytest.mark.parametrize(
    "text",
    [
        "证件号应为18位，请核对证件。",
        "请按 2026-03-05 的格式填写。",
        "行政区划 530423101",
        "/subject/resident_id",
    ],
)
def test_an_ordinary_message_is_left_alone(text: str) -> None:
    assert scrubbed(text) == text


def test_a_shape_is_no_value() -> None:
    assert shape(f"{ID} 周梓佳") == "99999999999999999A 字字字"
    assert len(shape("9" * 100)) == 40
