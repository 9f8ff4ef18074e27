"""A case as the contract shows it, before the mask: what a list says of it, and the whole of it with its history."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from gateway.domain.case import (
    CaseBook,
    CaseEntry,
    CaseFile,
    CaseWork,
    DutyLine,
    EntryKind,
    LeadLine,
    State,
    Step,
)
from gateway.domain.moments import to_second
from gateway.domain.observation import ASIDE, CONFIRM, confirmed, missing, reached_on, standing
from gateway.domain.predicate import TOWNSHIP_DIGITS

MARKS = frozenset({"_request", "_content", ASIDE})
"""What a line of the history says for the gateway alone: which request wrote it, and whether the case rests on it."""
ITEM = frozenset(
    {"ref", "pseudonym", "region", "township", "school", "state", "since", "opened_at", "owner", "ended_on"}
)
_PERSUADE = "persuade"


def item_of(case: CaseFile, book: CaseBook, pseudonym: str | None) -> dict[str, object]:
    """What a list says of a case; `pseudonym` as the caller's own agency knows the child."""
    township = case.residence[:TOWNSHIP_DIGITS]
    return {
        "ref": case.ref,
        "pseudonym": pseudonym,
        "region": case.region,
        "township": township if len(township) == TOWNSHIP_DIGITS else None,
        "school": case.school,
        "state": case.state.value,
        "since": case.since.isoformat(),
        "opened_at": to_second(case.opened_at),
        "owner": owner_of(case, book),
        "ended_on": _iso(case.ended_on),
    }


def owner_of(case: CaseFile, book: CaseBook) -> str:
    """The agency whose turn it is; the township's where no school is known, the county's where no township is."""
    owner = book.states[case.state].owner
    owner = "township" if owner == "school" and not case.school else owner
    return "education" if owner == "township" and len(case.residence) < TOWNSHIP_DIGITS else owner


def whole_of(
    case: CaseFile,
    book: CaseBook,
    pseudonym: str | None,
    entries: Sequence[CaseEntry],
    work: CaseWork,
    role: str,
) -> dict[str, object]:
    """Everything: with the history, the plan as it stands, leads, duties, observation, and what the caller can do now."""
    return {
        **item_of(case, book, pseudonym),
        "merged_into": case.merged_into,
        "history": [entry_of(entry) for entry in entries],
        "plan": plan_of(entries),
        "leads": [_lead(each) for each in work.leads],
        "duties": [duty_of(each) for each in work.duties],
        "observation": list(_observation(case, book, entries)),
        "steps": [
            _step(book.steps[name], case, book, entries) for name in _possible(case, book, entries, role)
        ],
    }


def shown_of(
    entries: Sequence[CaseEntry], work: CaseWork, rules: Collection[str], agency: str
) -> tuple[Sequence[CaseEntry], CaseWork]:
    """Without the leads of other rules than `rules` and what others than `agency` owe for them; the history does not say
    that one of them opened the case."""
    leads = [lead for lead in work.leads if lead.rule in rules]
    seen = {None, *(lead.id for lead in leads)}
    duties = [duty for duty in work.duties if duty.lead in seen or duty.owner == agency]
    return history_shown(entries, rules), replace(work, leads=leads, duties=duties)


def history_shown(entries: Sequence[CaseEntry], rules: Collection[str]) -> Sequence[CaseEntry]:
    """The lines as they are, but for the rule of the opening one where it is none of `rules`."""
    return [_less_its_rule(entry, rules) for entry in entries]


def _less_its_rule(entry: CaseEntry, rules: Collection[str]) -> CaseEntry:
    if entry.body.get("rule", "") in ("", *rules):
        return entry
    return replace(entry, body={name: value for name, value in entry.body.items() if name != "rule"})


def entry_of(entry: CaseEntry) -> dict[str, object]:
    """A line of the history, with the evidence and the words that were given."""
    body = {name: value for name, value in entry.body.items() if name not in MARKS}
    words: dict[str, object] = dict(entry.words)
    if "who" in words:
        words["who"] = str(words["who"]).split("\n")
    return {
        "number": entry.number,
        "kind": entry.kind.value,
        "on": entry.on.isoformat(),
        "at": to_second(entry.at),
        "by": {"agency": entry.by.agency, "role": entry.by.role, "officer": entry.by.officer},
        "step": entry.step,
        "from": entry.origin.value if entry.origin else None,
        "to": entry.to.value if entry.to else None,
        "evidence": {**body, **words},
    }


def plan_of(entries: Sequence[CaseEntry]) -> dict[str, object] | None:
    """一人一策 as it stands: the newest of what `persuade` made and what revised it."""
    for entry in reversed(standing(entries)):
        if entry.step == _PERSUADE or entry.kind is EntryKind.PLAN:
            measures = entry.body.get("measures") or [entry.body.get("measure")]
            return {
                "responsible": entry.words.get("responsible"),
                "deadline": entry.body.get("deadline"),
                "measures": measures,
                "note": entry.words.get("note"),
                "made_on": entry.on.isoformat(),
                "number": entry.number,
            }
    return None


def duty_of(duty: DutyLine) -> dict[str, object]:
    """A duty, without the facts it is owed for (an employer's code is labour inspection's)."""
    return {
        "id": duty.id,
        "duty": duty.kind,
        "owner": duty.owner,
        "due_on": duty.due_on.isoformat(),
        "status": duty.status,
        "done_on": _iso(duty.done_on),
    }


def _lead(lead: LeadLine) -> dict[str, object]:
    return {
        "id": lead.id,
        "rule": lead.rule,
        "status": lead.status,
        "opened_at": to_second(lead.opened_at),
        "due_on": lead.due_on.isoformat(),
    }


def _observation(
    case: CaseFile, book: CaseBook, entries: Sequence[CaseEntry]
) -> Iterator[Mapping[str, object]]:
    if case.observed_from is None:
        return
    done = confirmed(entries)
    for day in book.observation:
        entry = done.get(day)
        yield {
            "day": day,
            "reached_on": _iso(reached_on(case, day)),
            "confirmed_on": entry.on.isoformat() if entry else None,
            "attended_on": entry.body.get("attended_on") if entry else None,
            "source": entry.body.get("source") if entry else None,
        }


def _possible(case: CaseFile, book: CaseBook, entries: Sequence[CaseEntry], role: str) -> Iterator[str]:
    """The role's steps from here; closing only when nothing is left to confirm, confirming only when something is."""
    left = missing(book, entries)
    for name in book.steps_from(case.state, role):
        if (name == "close" and left) or (name == CONFIRM and not left):
            continue
        yield name


def _step(step: Step, case: CaseFile, book: CaseBook, entries: Sequence[CaseEntry]) -> dict[str, object]:
    to = book.after(case.state, step.id, case.previous)
    needs = [
        {"name": each.name, "kind": each.kind, "required": each.required, "codes": list(each.codes)}
        for each in step.evidence
    ]
    found: dict[str, object] = {"step": step.id, "title_zh": step.title_zh, "title_en": step.title_en}
    found |= {"to": to.value if isinstance(to, State) else None, "evidence": needs}
    if step.id == CONFIRM:
        found["day"] = missing(book, entries)[0]
    return found


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
