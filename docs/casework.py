"""The page about a case's steps: a diagram and tables of what `policies/cases.yaml` says."""

from collections.abc import Iterator, Sequence

from gateway.domain.case import PREVIOUS, SAME, CaseBook, Proof, Step

Row = Sequence[object]


def diagram(book: CaseBook) -> Iterator[str]:
    """Mermaid: the path, with the steps that lead from anywhere named once, below it."""
    yield "```mermaid"
    yield "stateDiagram-v2"
    for rule in book.states.values():
        yield f'  state "{rule.title_zh} {rule.title_en}" as {rule.id.value}'
    yield "  [*] --> suspected"
    for step in book.steps.values():
        yield from _arrows(book, step)
    for rule in book.states.values():
        if rule.end:
            yield f"  {rule.id.value} --> [*]"
    yield "```"


def _arrows(book: CaseBook, step: Step) -> Iterator[str]:
    if from_anywhere(book, step):
        return
    for state in book.states:
        if state in step.origins and step.to != PREVIOUS:
            to = state if step.to == SAME else step.to
            yield f"  {state.value} --> {to}: {step.title_zh} {step.id}"


def from_anywhere(book: CaseBook, step: Step) -> bool:
    """Whether every open state has that step."""
    return step.origins == {state for state in book.states if not book.ended(state)}


def states(book: CaseBook) -> Iterator[Row]:
    """State, titles, whose turn, ledger, end."""
    for rule in book.states.values():
        ledger = f"`{rule.ledger}`" if rule.ledger else ""
        yield (
            f"`{rule.id}`",
            rule.title_zh,
            rule.title_en,
            f"`{rule.owner}`",
            ledger,
            "yes" if rule.end else "",
        )


def steps(book: CaseBook) -> Iterator[Row]:
    """Step, titles, from, to, who, evidence, duties that end and begin."""
    for step in book.steps.values():
        origins = "any open state" if from_anywhere(book, step) else _codes(*sorted(step.origins))
        yield (
            f"`{step.id}`",
            f"{step.title_zh} {step.title_en}",
            origins,
            f"`{step.to}`",
            _codes(*sorted(step.by)),
            "; ".join(map(proof, step.evidence)),
            _codes(*step.done),
            _codes(*step.opens),
        )


def records(book: CaseBook) -> Iterator[Row]:
    """Lines of the history that are no steps."""
    for name, rule in book.records.items():
        evidence = "; ".join(map(proof, rule.evidence))
        yield f"`{name}`", f"{rule.title_zh} {rule.title_en}", evidence, _codes(*rule.done)


def proof(each: Proof) -> str:
    """A piece of evidence: name, kind, codes; in brackets where it may be left out."""
    codes = f" ({', '.join(each.codes)})" if each.codes else ""
    text = f"`{each.name}` {each.kind}{codes}"
    return text if each.required else f"[{text}]"


def _codes(*names: str) -> str:
    return ", ".join(f"`{name}`" for name in names)
