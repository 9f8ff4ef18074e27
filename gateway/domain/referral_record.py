"""What an officer refers, checked; and a referral as the contract shows it, before the mask."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from gateway.domain.case import CaseEntry
from gateway.domain.employers import employer_code
from gateway.domain.errors import Flaw, Malformed
from gateway.domain.freetext import wrong_text
from gateway.domain.instruments import is_line
from gateway.domain.moments import to_second
from gateway.domain.principal import Principal
from gateway.domain.referral import Comment, Referral, Route
from gateway.domain.resolution import is_case

NOTICES = 20
LONGEST_PHONE = 15
"""Digits of the longest telephone number (ITU-T E.164)."""
NUMBER_LENGTH = 60
_RUN_OF_ID = re.compile(r"(?:\d[\s-]?){15}")
_PHONE = re.compile(r"[0-9+() -]{5,24}")
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
_CONTACT = ("name", "phone", "relation", "address")
_SERVED = frozenset({"notify", "sanction"})


@dataclass(frozen=True, slots=True)
class Sending:
    """What an officer refers; `to` is a route. Of a case: guardian and notices; of an employer: code and month."""

    principal: Principal
    purpose: str
    to: str
    measure: str
    case: str | None = None
    guardian: Mapping[str, object] | None = field(default=None, repr=False)
    notices: Sequence[Mapping[str, object]] | None = field(default=None, repr=False)
    note: str | None = field(default=None, repr=False)
    employer_uscc: str | None = None
    month: str | None = None
    measure_taken: str | None = None


def check(sending: Sending, route: Route, today: date) -> None:
    """Malformed names all that is missing or wrong; never what was written."""
    flaws = [] if sending.measure in route.measures else [_flaw("/measure", "bad_code")]
    flaws += _case_flaws(sending, today) if route.about_case else _employer_flaws(sending)
    if sending.note is not None and (wrong := wrong_text(sending.note, "/note")):
        flaws += wrong.flaws
    if flaws:
        raise Malformed("移送内容不齐或有误。", "The referral is incomplete or wrong.", tuple(flaws))


def _case_flaws(sending: Sending, today: date) -> list[Flaw]:
    flaws = [] if sending.case and is_case(sending.case) else [_flaw("/case", "bad_field")]
    if sending.employer_uscc or sending.month or sending.measure_taken:
        flaws.append(_flaw("/employer_uscc", "bad_field"))
    flaws += _guardian_flaws(sending.guardian or {})
    return flaws + _notice_flaws(sending.notices or (), today)


def _guardian_flaws(guardian: Mapping[str, object]) -> Iterator[Flaw]:
    """A phone number stands under `phone` and nowhere else; an id number stands nowhere."""
    for name in ("name", "phone"):
        if not guardian.get(name):
            yield _flaw(f"/guardian/{name}", "missing_required")
    if guardian.keys() - set(_CONTACT):
        yield _flaw("/guardian", "bad_field")
    if guardian.get("phone") and not _is_phone(guardian["phone"]):
        yield _flaw("/guardian/phone", "bad_field")
    for name in ("name", "relation", "address"):
        if guardian.get(name) is not None and (wrong := wrong_text(guardian[name], f"/guardian/{name}")):
            yield from wrong.flaws


def _is_phone(value: object) -> bool:
    """A number that can be dialled: no id number (18 digits) is one."""
    return (
        isinstance(value, str)
        and _PHONE.fullmatch(value) is not None
        and sum(each.isdigit() for each in value) <= LONGEST_PHONE
    )


def _notice_flaws(notices: Sequence[Mapping[str, object]], today: date) -> list[Flaw]:
    if len(notices) > NOTICES:
        return [_flaw("/notices", "out_of_range")]
    flaws = []
    for number, each in enumerate(notices):
        if set(each) != {"number", "served_on"} or not _is_number(each["number"]):
            flaws.append(_flaw(f"/notices/{number}", "bad_field"))
        elif (code := _day_flaw(each["served_on"], today)) is not None:
            flaws.append(_flaw(f"/notices/{number}/served_on", code))
    return flaws


def _is_number(value: object) -> bool:
    """An instrument's number: counties write them with many digits, yet never with an id number's in one run."""
    if not isinstance(value, str) or len(value) > NUMBER_LENGTH or not is_line(value):
        return False
    return _RUN_OF_ID.search(unicodedata.normalize("NFKC", value)) is None


def _day_flaw(value: object, today: date) -> str | None:
    try:
        return "future_date" if date.fromisoformat(str(value)) > today else None
    except ValueError:
        return "bad_date"


def _employer_flaws(sending: Sending) -> list[Flaw]:
    """Of an employer nothing else travels: no case, no guardian, no text in which a child could be named."""
    flaws = []
    if sending.case or sending.guardian or sending.notices or sending.note:
        flaws.append(_flaw("/case", "bad_field"))
    code = sending.employer_uscc or ""
    if employer_code(code) != code:
        flaws.append(_flaw("/employer_uscc", "bad_field"))
    if not _MONTH.fullmatch(sending.month or ""):
        flaws.append(_flaw("/month", "bad_date"))
    if sending.measure_taken not in MEASURES_TAKEN:
        flaws.append(_flaw("/measure_taken", "bad_code"))
    return flaws


MEASURES_TAKEN = ("ordered_to_correct", "fined", "child_sent_home", "other")
"""What labour inspection has done already: 禁止使用童工规定 art. 6."""


_MESSAGES = {
    "missing_required": ("此项必填。", "This is required."),
    "bad_field": ("此项有误。", "This is not right."),
    "bad_code": ("不在可选范围内。", "Not one of the permitted values."),
    "bad_date": ("日期有误。", "Not a date."),
    "future_date": ("日期晚于今天。", "The date lies in the future."),
    "out_of_range": (f"最多{NOTICES}项。", f"{NOTICES} at most."),
}


def _flaw(pointer: str, code: str) -> Flaw:
    return Flaw(code, *_MESSAGES[code], pointer=pointer)


def served_in(entries: Sequence[CaseEntry]) -> list[dict[str, object]]:
    """The notices that the case's own history says were served: number and day, oldest first."""
    return [
        {"number": entry.words["notice"], "served_on": str(entry.body["served_on"])}
        for entry in entries
        if entry.step in _SERVED and "notice" in entry.words and "served_on" in entry.body
    ]


def record_of(
    found: Referral, today: date, pseudonym: str | None, comments: Sequence[Comment]
) -> dict[str, object]:
    """All that either exchange may show of it; route and mask say what of it comes out."""
    return {
        "id": found.id,
        "kind": found.kind.value,
        "to": found.route,
        "status": found.status(today),
        "measure": found.measure,
        "region": found.county,
        "sent_on": found.sent_on.isoformat(),
        "due_on": _iso(found.due_on),
        "decided_on": _iso(found.decided_on),
        "ground": found.ground,
        "outcome": found.outcome,
        "outcome_on": _iso(found.outcome_on),
        "concerns": found.concerns,
        "stage": found.body.get("stage"),
        "case_open_weeks": found.body.get("case_open_weeks"),
        "notices_served": found.body.get("notices_served"),
        "employer_uscc": found.body.get("employer_uscc"),
        "month": found.body.get("month"),
        "measure_taken": found.body.get("measure_taken"),
        "case": found.case,
        "pseudonym": pseudonym,
        "guardian": found.words.get("guardian"),
        "notices": found.words.get("notices"),
        "note": found.words.get("note"),
        "reason": found.words.get("reason"),
        "comments": [
            {"at": to_second(each.at), "by": each.by.role, "officer": each.by.officer, "text": each.text}
            for each in comments
        ],
    }


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
