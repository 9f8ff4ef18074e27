"""A case takes a step: the one way in which its state changes, whoever asks for it.

The step is looked up in the county's own table, its evidence is checked, the history gets a line, duties end and
begin, and a case that is over takes its leads with it: all inside the caller's transaction, which also holds the
evidence of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Protocol, cast

from gateway.domain.case import (
    Actor,
    CaseDesk,
    CaseEntry,
    CaseFile,
    EntryKind,
    Proof,
    State,
    Step,
)
from gateway.domain.disclosure import SYSTEM_ROLE
from gateway.domain.duties import DutyDesk
from gateway.domain.errors import Conflict, Flaw, Malformed, NotPermitted
from gateway.domain.model import DutyDraft
from gateway.domain.proof_words import name_zh
from gateway.domain.proofs import read_proof
from gateway.domain.rulebook import Rulebook
from gateway.services.casechecks import MERGE, UNMERGE, check_step, returned_from

WORDS = frozenset({"text", "texts"})
"""Kinds of evidence that are officers' own words, and kept sealed."""
HANDED_OVER = ("leads", "duties")
SYSTEM = Actor("gateway", None, "gateway", SYSTEM_ROLE)


class Desks(Protocol):
    """What of a write transaction a step needs."""

    @property
    def cases(self) -> CaseDesk:
        """Cases."""

    @property
    def duties(self) -> DutyDesk:
        """Duties."""


@dataclass(frozen=True, slots=True)
class Move:
    """A step that somebody wants to take: with which evidence, by whom, on which law date.

    `mark` goes into the line of the history beside the evidence: by which request it was written.
    """

    step: str
    evidence: Mapping[str, object] = field(repr=False)
    by: Actor
    today: date
    now: datetime
    mark: Mapping[str, str] = field(default_factory=dict)


class Casework:
    """Takes steps. NotPermitted: not that role's step; Conflict: not in that state; Malformed: evidence is missing."""

    def __init__(self, rulebook: Rulebook) -> None:
        self._book = rulebook

    def move(self, desks: Desks, case: CaseFile, move: Move) -> CaseFile:
        """The case as it stands after the step."""
        book = self._book.of(case.region).cases
        step = book.steps.get(move.step)
        if step is None or move.by.role not in step.by:
            raise NotPermitted
        to = book.after(case.state, step.id, case.previous)
        if to is None:
            raise Conflict("该个案目前不能办理这一步。", "The case cannot take this step where it stands.")
        body, words = checked(step.evidence, move.evidence, move.today)
        check_step(desks.cases, book, case, step.id, body)
        changed = self._changed(case, step, to, move, body, desks.cases.entries(case.ref))
        moved = self._joined(desks.cases, case, step, body)
        line = {**body, **moved, **move.mark}
        number = desks.cases.write(_line(case, move, step, to, line, words))
        desks.cases.update(changed)
        self._duties(desks, changed, step, move, number)
        if changed.ended_on is not None:
            desks.cases.close_leads(case.ref, {"fact": f"case-{to}", "on": move.today.isoformat()}, move.now)
        return changed

    def _joined(
        self, desk: CaseDesk, case: CaseFile, step: Step, body: Mapping[str, object]
    ) -> Mapping[str, object]:
        """A merger takes leads and duties along, and says which; undone, they come back."""
        if step.id == MERGE:
            return desk.hand_over(case.ref, str(body["into"]))
        if step.id == UNMERGE:
            merger = next(entry for entry in reversed(desk.entries(case.ref)) if entry.step == MERGE)
            desk.take_back(case.ref, _moved(merger), _chain(desk, case))
        return {}

    def _changed(
        self,
        case: CaseFile,
        step: Step,
        to: State,
        move: Move,
        body: Mapping[str, object],
        entries: Sequence[CaseEntry],
    ) -> CaseFile:
        if to is case.state:
            return case
        ended = self._book.of(case.region).cases.ended(to)
        changed = replace(
            case,
            state=to,
            since=move.today,
            previous=case.state,
            school=str(body["school"]) if "school" in body else case.school,
            ended_on=move.today if ended else None,
            merged_into=str(body["into"]) if "into" in body else None,
        )
        if "returned_on" in body:
            returned = date.fromisoformat(str(body["returned_on"]))
            return replace(changed, observed_from=returned_from(case, entries, returned))
        kept = to in (State.RETURNED, State.OBSERVING) or ended
        return changed if kept else replace(changed, observed_from=None)

    def _duties(self, desks: Desks, case: CaseFile, step: Step, move: Move, number: int) -> None:
        """The same step taken again is owed again, on the same day too: the line of the history makes it one duty."""
        by = move.by.name
        if case.ended_on is not None:
            desks.duties.cancel(case.ref, move.today, by, f"case-{case.state}")
        else:
            desks.duties.finish(case.ref, step.done, move.today, by)
        duties = self._book.of(case.region).duties
        for kind in step.opens:
            draft = DutyDraft(
                kind=kind,
                owner=duties.rules[kind].owner_for(case.school, case.residence),
                region=case.region,
                due_on=duties.due(kind, move.today),
                lead=None,
                facts={},
                case=case.ref,
                residence=case.residence,
                school=case.school,
                basis=f"{case.ref}/{step.id}/{number}",
            )
            desks.duties.open(draft, move.now)


def _line(
    case: CaseFile,
    move: Move,
    step: Step,
    to: State,
    body: Mapping[str, object],
    words: Mapping[str, str],
) -> CaseEntry:
    kind = EntryKind.STEP
    return CaseEntry(
        case.ref, case.region, kind, move.today, move.now, move.by, step.id, case.state, to, body, words
    )


def _moved(merger: CaseEntry) -> Mapping[str, Sequence[str]]:
    return {name: [str(each) for each in cast(list[object], merger.body[name])] for name in HANDED_OVER}


def _chain(desk: CaseDesk, case: CaseFile) -> list[str]:
    """The cases that what was merged may belong to by now: that one, and those it was merged into in turn."""
    found, into = list[str](), case.merged_into
    while into is not None:
        found.append(into)
        target = desk.get(into)
        into = target.merged_into if target else None
    return found


def checked(
    proofs: Sequence[Proof], evidence: Mapping[str, object], today: date
) -> tuple[dict[str, object], dict[str, str]]:
    """(codes, dates and numbers; free text): Malformed names every piece that is missing, unknown or not what it must be."""
    flaws = [_flaw(name, "unknown") for name in evidence if name not in {proof.name for proof in proofs}]
    body: dict[str, object] = {}
    words: dict[str, str] = {}
    for proof in proofs:
        value = evidence.get(proof.name)
        if value is None or value == "":
            if proof.required:
                flaws.append(_flaw(proof.name, "missing_required"))
            continue
        read = read_proof(proof, value, today)
        if isinstance(read, Flaw):
            flaws.append(read)
        else:
            (words if proof.kind in WORDS else body)[proof.name] = read  # type: ignore[assignment]
    if flaws:
        raise Malformed(
            "办理依据不齐或有误。", "The evidence of the step is incomplete or wrong.", tuple(flaws)
        )
    return body, words


def _flaw(name: str, code: str) -> Flaw:
    zh, en = {
        "missing_required": (f"缺少办理依据：{name_zh(name)}。", f"Evidence is missing: {name}."),
        "unknown": (f"这一步没有这项依据：{name[:40]}。", "The step takes no such evidence."),
    }[code]
    return Flaw("bad_code" if code == "unknown" else code, zh, en, pointer=f"/evidence/{name[:40]}")
