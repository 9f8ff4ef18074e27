"""What officers write down with each step of the script: nobody of whom they write exists."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from tests.acceptance.school_year.people import ELSEWHERE, Act

EVIDENCE: Mapping[str, Callable[[Act], dict[str, Any]]] = {
    "verify": lambda act: {"finding": "dropped_out", "found_on": act.day.isoformat()},
    "persuade": lambda act: {
        "responsible": "劝返专干",
        "deadline": (act.day + timedelta(days=30)).isoformat(),
        "measure": "home_visit",
    },
    "return": lambda act: {"returned_on": act.day.isoformat()},
    "observe": lambda act: {"placement": act.more["placement"], "placed_on": act.day.isoformat()},
    "confirm": lambda act: {"day": act.more["number"], "attended_on": act.day.isoformat()},
    "close": lambda act: {"closed_on": act.day.isoformat()},
    "relapse": lambda act: {"relapsed_on": act.day.isoformat()},
    "exempt": lambda act: {"approval_number": act.more["approval"], "kind": "deferral"},
    "graduate": lambda act: {"graduated_on": "2026-07-05"},
    "decease": lambda act: {"deceased_on": act.day.isoformat()},
    "dismiss": lambda act: {"finding": act.more["finding"], "found_on": act.day.isoformat()},
}
RECEIVED = {"receiving_region": ELSEWHERE, "confirmation": "邻县接收函"}
GUARDIAN = {"name": "监护人甲", "relation": "母亲", "phone": "0870-0000000"}
WORDS = {"guardian": "监护人甲", "relation": "母亲", "school": "第一完全小学", "contact": "控辍保学办公室"}


def visit(act: Act) -> dict[str, Any]:
    """动员记录: who went, when, how, whom they met, with which result."""
    return {
        "who": ["劝返专干", "班主任"],
        "on": act.day.isoformat(),
        "how": "home_visit",
        "met": "relative" if act.more["result"] == "not_found" else "guardian",
        "result": act.more["result"],
    }


def slots(act: Act) -> dict[str, str]:
    """What the officer fills into a notice."""
    if act.more["kind"] != "return-order":
        return WORDS
    return {**WORDS, "absent_since": (act.day - timedelta(days=30)).isoformat()}


def service(day: date) -> dict[str, Any]:
    """送达回证."""
    return {"served_on": day.isoformat(), "method": "direct", "recipient_relation": "母亲", "proof": "0" * 64}


def outcome(referral: str, day: date) -> bytes:
    """The file in which justice says what came of it."""
    return f"移送编号,办理结果,日期,备注\n{referral},法院裁定,{day.isoformat()},\n".encode()
