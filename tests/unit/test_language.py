"""Chinese unless English is preferred."""

import pytest

from gateway.http.language import language


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, "zh"),
        ("", "zh"),
        ("zh-CN", "zh"),
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("EN-us", "en"),
        ("zh-CN,en;q=0.9", "zh"),
        ("zh;q=0.2, en;q=0.8", "en"),
        ("en;q=0.5,zh;q=0.5", "en"),
        ("fr-FR,de;q=0.9", "zh"),
        ("fr, en;q=0.1", "en"),
        ("*", "zh"),
        ("en;q=0", "zh"),
        ("en;q=high", "zh"),
        ("en; q = 0.7", "en"),
        ("english", "zh"),
        (",;,=,;q=", "zh"),
        ("en;q=nan", "zh"),
    ],
)
def test_the_preferred_language(header: str | None, expected: str) -> None:
    assert language(header) == expected
