"""A case takes a step: the one way in which its state changes, whoever asks for it.

The step is looked up in the county's own table, its evidence is checked, the history gets a line, duties end and
begin, and a case that is over takes its leads with it: all inside the caller's transaction, which also holds the
evidence of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Protocol

from gateway.domain.case import ALL_DUTIES, Actor, CaseDesk, CaseEntry, CaseFile, EntryKind, State, Step
from gateway.domain.disclosure import SYSTEM_ROLE
from gateway.domain.duties import DutyDesk
from gateway.domain.errors import Conflict, Flaw, Malformed, NotPermitted
from gateway.domain.model import DutyDraft
from gateway.domain.proofs import read_proof
from gateway.domain.rulebook import Rulebook

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
    """A step that somebody wants to take: with which evidence, by whom, on which law date."""

    step: str
    evidence: Mapping[str, object] = field(repr=False)
    by: Actor
    today: date
    now: datetime


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
        body, words = checked(step, move.evidence, move.today)
        desks.cases.write(
            CaseEntry(
                case.ref,
                case.region,
                EntryKind.STEP,
                move.today,
                move.now,
                move.by,
                step.id,
                case.state,
                to,
                body,
                words,
            )
        )
        changed = self._changed(case, step, to, move, body)
        desks.cases.update(changed)
        self._duties(desks, changed, step, move)
        if changed.ended_on is not None:
            desks.cases.close_leads(case.ref, {"fact": f"case-{to}", "on": move.today.isoformat()}, move.now)
        return changed

    def _changed(
        self, case: CaseFile, step: Step, to: State, move: Move, body: Mapping[str, object]
    ) -> CaseFile:
        if to is case.state:
            return case
        ended = self._book.of(case.region).cases.ended(to)
        changed = replace(
            case,
            state=to,
            since=move.today,
            previous=case.state,
            ended_on=move.today if ended else None,
            merged_into=str(body["into"]) if "into" in body else None,
        )
        if to is State.RETURNED:
            returned = body.get("returned_on")
            return replace(
                changed, observed_from=date.fromisoformat(str(returned)) if returned else move.today
            )
        return changed if to is State.OBSERVING or ended else replace(changed, observed_from=None)

    def _duties(self, desks: Desks, case: CaseFile, step: Step, move: Move) -> None:
        by = move.by.officer or move.by.client
        if case.ended_on is not None:
            desks.duties.cancel(case.ref, move.today, by)
        else:
            desks.duties.finish(case.ref, None if ALL_DUTIES in step.done else step.done, move.today, by)
        duties = self._book.of(case.region).duties
        for kind in step.opens:
            draft = DutyDraft(
                kind=kind,
                owner=duties.rules[kind].owner_for(case.school),
                region=case.region,
                due_on=duties.due(kind, move.today),
                lead=None,
                facts={},
                case=case.ref,
                residence=case.residence,
                school=case.school,
                basis=f"{case.ref}/{step.id}/{move.today.isoformat()}",
            )
            desks.duties.open(draft, move.now)


def checked(
    step: Step, evidence: Mapping[str, object], today: date
) -> tuple[dict[str, object], dict[str, str]]:
    """(codes, dates and numbers; free text): Malformed names every piece that is missing, unknown or not what it must be."""
    flaws = [
        _flaw(name, "unknown") for name in evidence if name not in {proof.name for proof in step.evidence}
    ]
    body: dict[str, object] = {}
    words: dict[str, str] = {}
    for proof in step.evidence:
        value = evidence.get(proof.name)
        if value is None or value == "":
            if proof.required:
                flaws.append(_flaw(proof.name, "missing_required"))
            continue
        read = read_proof(proof, value, today)
        if isinstance(read, Flaw):
            flaws.append(read)
        else:
            (words if proof.kind == "text" else body)[proof.name] = read  # type: ignore[assignment]
    if flaws:
        raise Malformed(
            "办理依据不齐或有误。", "The evidence of the step is incomplete or wrong.", tuple(flaws)
        )
    return body, words


def _flaw(name: str, code: str) -> Flaw:
    zh, en = {
        "missing_required": (f"缺少办理依据：{name}。", f"Evidence is missing: {name}."),
        "unknown": (f"这一步没有这项依据：{name[:40]}。", "The step takes no such evidence."),
    }[code]
    return Flaw("bad_code" if code == "unknown" else code, zh, en, pointer=f"/evidence/{name[:40]}")
