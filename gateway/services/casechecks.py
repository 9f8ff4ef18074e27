"""What the table of steps cannot say: when evidence that is whole may still not carry a step."""

from collections.abc import Mapping, Sequence
from datetime import date

from gateway.domain.case import CaseBook, CaseDesk, CaseEntry, CaseFile, State
from gateway.domain.errors import Conflict, Flaw, Malformed
from gateway.domain.observation import missing, reached_on, standing
from gateway.domain.proof_words import name_zh

MERGE, UNMERGE, REOPEN = "merge", "unmerge", "reopen"


def check_step(desk: CaseDesk, book: CaseBook, case: CaseFile, step: str, body: Mapping[str, object]) -> None:
    """Raises Conflict or Malformed; nothing was written before it."""
    if step == "confirm":
        _confirmation(book, case, desk.entries(case.ref), body)
    elif step == "close" and missing(book, desk.entries(case.ref)):
        raise Conflict(
            "观察期到课尚未全部确认，不能销号。",
            "Attendance under observation is not confirmed for every day yet.",
        )
    elif step == "relapse" and case.observed_from and _date(body, "relapsed_on") < case.observed_from:
        raise _wrong("relapsed_on", "再次辍学日期早于复学日期", "the relapse lies before the return")
    elif step == MERGE:
        _merger(desk, book, case, str(body["into"]))
    elif step in (UNMERGE, REOPEN):
        _opening(desk, case, step)


def _confirmation(
    book: CaseBook, case: CaseFile, entries: Sequence[CaseEntry], body: Mapping[str, object]
) -> None:
    """Day after day, each once, and on attendance that was seen when it was there."""
    day, left = int(str(body["day"])), missing(book, entries)
    if day not in book.observation:
        days = ", ".join(map(str, book.observation))
        raise _wrong("day", f"应为下列之一：{days}", f"one of: {days}")
    if not left or day != left[0]:
        raise Conflict(
            "该观察日已确认，或之前的观察日尚未确认。", "That day is confirmed, or an earlier one is not."
        )
    reached = reached_on(case, day)
    if reached is None or _date(body, "attended_on") < reached:
        raise _wrong("attended_on", "到课日期早于该观察日", "the child was seen before that day was there")


def _merger(desk: CaseDesk, book: CaseBook, case: CaseFile, into: str) -> None:
    """Into another open case of the same county; so no merger ends in itself, in a circle or in an ended case."""
    target = desk.get(into)
    if target is None or into == case.ref or target.region != case.region or book.ended(target.state):
        raise _wrong("into", "应为本县另一未办结的个案", "another open case of the same county")
    if (case.sealed, case.sealed and case.owner) != (target.sealed, target.sealed and target.owner):
        raise Conflict(
            "封存个案只能与同一经办人的封存个案合并。",
            "A sealed case is merged with a sealed one of the same officer only.",
        )


def _opening(desk: CaseDesk, case: CaseFile, step: str) -> None:
    """One open case a child: in the county, and of one that was handed over in all the counties it went through."""
    if desk.open_case_of(case.region, case.subject) is not None:
        raise Conflict("该儿童已有未办结的个案。", "The child has another open case.")
    if step == REOPEN and desk.goes_on_in(case.ref) is not None:
        raise Conflict(
            "该个案经移交已在另一县办理且未办结，请该县移交回来。",
            "The case was handed over and is open in another county: have it handed back.",
        )


def returned_from(case: CaseFile, entries: Sequence[CaseEntry], returned_on: date) -> date:
    """The day from which a return is observed: never before the case began, or before the child left again."""
    floor = entries[0].on if entries else case.since
    for entry in standing(entries):
        if entry.to is State.VERIFIED and "relapsed_on" in entry.body:
            floor = max(floor, _date(entry.body, "relapsed_on"))
    return max(returned_on, floor)


def _date(body: Mapping[str, object], name: str) -> date:
    return date.fromisoformat(str(body[name]))


def _wrong(name: str, zh: str, en: str) -> Malformed:
    flaw = Flaw("out_of_range", f"{name_zh(name)}：{zh}。", f"{name}: {en}.", pointer=f"/evidence/{name}")
    return Malformed(flaw.message_zh, flaw.message_en, (flaw,))
