"""Reads `policies/reports.yaml`; a report without a duty, a signer or a period of a known kind stops the start."""

from collections.abc import Collection, Mapping
from typing import Any, get_args

from gateway.domain.reporting import Every, Level, ReportBook, ReportRule, Terms

_KEYS = {"title_zh", "title_en", "level", "every", "at", "after", "duty", "signs"}
_LONGEST = {"month": 27, "quarter": 80, "term": 120, "year": 300}


def read_reports(body: Mapping[str, Any], roles: Collection[str], duties: Collection[str]) -> ReportBook:
    """The book; ValueError names what is wrong with it."""
    first, second = (_month_day(each) for each in body["terms"])
    rules = {name: _rule(name, each) for name, each in body["reports"].items()}
    for rule in rules.values():
        if rule.duty not in duties or rule.signs not in roles:
            raise ValueError(f"reports.yaml: {rule.id} names an unknown duty or role")
    return ReportBook(rules, Terms(first, second), str(body["version"]))


def _month_day(text: str) -> tuple[int, int]:
    month, day = (int(part) for part in text.split("-"))
    if not (1 <= month <= 12 and 1 <= day <= 28):
        raise ValueError(f"reports.yaml: no such day: {text}")
    return month, day


def _rule(name: str, body: Mapping[str, Any]) -> ReportRule:
    if set(body) != _KEYS or body["level"] not in get_args(Level) or body["every"] not in get_args(Every):
        raise ValueError(f"reports.yaml: {name} is not whole")
    after = int(body["after"])
    if body["at"] not in ("start", "end") or not 0 < after <= _LONGEST[body["every"]]:
        raise ValueError(
            f"reports.yaml: {name}: at start or end, and 1 to {_LONGEST[body['every']]} days after"
        )
    return ReportRule(
        id=name,
        title_zh=body["title_zh"],
        title_en=body["title_en"],
        level=body["level"],
        every=body["every"],
        at_start=body["at"] == "start",
        after=after,
        duty=body["duty"],
        signs=body["signs"],
    )
