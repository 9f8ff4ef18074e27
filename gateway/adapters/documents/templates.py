"""Reads `policies/notices/`: the wording of every kind, and in whose name it is issued. A wrong file stops the start."""

import string
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from gateway.adapters.yaml_text import parse
from gateway.domain.case import State
from gateway.domain.instruments import GAP, Kind, Slot, Template, numbered
from gateway.domain.offices import Office, Offices
from schemas.codes.region import normalise_region

FOLDER = "notices"
_OFFICES = "offices.yaml"
_KEYS = {
    *("kind", "title", "title_en", "number", "duty", "issued_by", "states", "follows"),
    *("legal_basis", "slots", "addressee", "body"),
}
_SLOT_KEYS = {"title_zh", "from", "most", "date"}
_NUMBER_GAPS = {"region", "year", "serial"}
ISSUERS = frozenset({"education/dropout_lead", "township/return_officer"})
"""Who may issue at all, whatever a file says (义务教育法 art. 58): never justice, never a school."""
_GIVEN = {
    "vault": {"child"},
    "gateway": {"term", "earlier_number", "earlier_served_on", "earlier_due_on"},
}


class TemplateError(ValueError):
    """What is wrong with a file; the message names the file and the place."""


def load_templates(policies: Path, duties: Collection[str]) -> Mapping[Kind, Template]:
    """Kind → its wording; every kind has one. Raises TemplateError; OSError or KeyError for a file out of shape.

    `duties`: the rows of `duties.yaml`, of which each kind names the one with its days.
    """
    found = {kind: _template(policies / FOLDER / f"{kind}.yaml", kind) for kind in Kind}
    for template in found.values():
        if template.duty not in duties:
            raise TemplateError(f"{template.kind}.yaml: duty: duties.yaml lacks {template.duty}")
    if len({template.number for template in found.values()}) != len(found):
        raise TemplateError("two kinds number alike")
    return found


def load_offices(policies: Path) -> Offices:
    """Raises TemplateError; OSError or KeyError for a file out of shape."""
    body = _yaml(policies / FOLDER / _OFFICES)
    _same(set(body), {"defaults", "regions"}, _OFFICES)
    _same(set(body["defaults"]), {*ISSUERS, "street"}, f"{_OFFICES}: defaults")
    own = {normalise_region(str(code)): _office(code, each) for code, each in body["regions"].items()}
    signs = [each.sign for each in own.values() if each.sign]
    if len(set(signs)) != len(signs):
        raise TemplateError(f"{_OFFICES}: two regions have the same sign")
    return Offices({name: str(text) for name, text in body["defaults"].items()}, own)


def _office(code: object, body: Mapping[str, Any]) -> Office:
    if not set(body) <= {"name", "sign"}:
        raise TemplateError(f"{_OFFICES}: {code}: name and sign, and nothing else")
    return Office(body.get("name"), body.get("sign"))


def _template(path: Path, kind: Kind) -> Template:
    body = _yaml(path)
    _same(set(body), _KEYS, path.name)
    template = Template(
        kind=Kind(body["kind"]),
        title=body["title"],
        title_en=body["title_en"],
        number=body["number"],
        duty=body["duty"],
        issued_by=frozenset(body["issued_by"]),
        states=frozenset(State(each) for each in body["states"]),
        follows=tuple(Kind(each) for each in body["follows"]),
        legal_basis=tuple(body["legal_basis"]),
        slots={name: _slot(path, name, each) for name, each in body["slots"].items()},
        addressee=body["addressee"],
        body=tuple(body["body"]),
    )
    for wrong in _lint(template, kind):
        raise TemplateError(f"{path.name}: {wrong}")
    return template


def _slot(path: Path, name: str, body: Mapping[str, Any]) -> Slot:
    if not set(body) <= _SLOT_KEYS:
        raise TemplateError(f"{path.name}: slots: {name}: {sorted(set(body) - _SLOT_KEYS)}")
    source = body["from"]
    if source != "officer" and name not in _GIVEN.get(source, ()):
        raise TemplateError(f"{path.name}: slots: {name}: nobody gives that")
    return Slot(name, body["title_zh"], source, int(body.get("most", 60)), bool(body.get("date", False)))


def _lint(template: Template, kind: Kind) -> list[str]:
    """Everything that is wrong with a template."""
    wrong = []
    if template.kind is not kind:
        wrong.append("kind: not the name of the file")
    if not template.issued_by or not template.issued_by <= ISSUERS:
        wrong.append("issued_by: township or county education, and nobody else")
    if not template.legal_basis or not template.states or not template.body:
        wrong.append("legal_basis, states and body may not be empty")
    if kind in template.follows:
        wrong.append("follows: itself")
    return wrong + _lint_gaps(template)


def _lint_gaps(template: Template) -> list[str]:
    texts = template.texts()
    used = {name for text in texts for name in GAP.findall(text)}
    wrong = [f"a gap nobody fills: {name}" for name in sorted(used - set(template.slots))]
    wrong += [f"a slot in no text: {name}" for name in sorted(set(template.slots) - used)]
    if any("{" in GAP.sub("", text) or "}" in GAP.sub("", text) for text in texts):
        wrong.append("a brace that is no gap")
    if {name for _, name, _, _ in string.Formatter().parse(template.number) if name} != _NUMBER_GAPS:
        return [*wrong, "number: must hold region, year and serial, and nothing else"]
    if numbered(template, "1", 2026, 1) == numbered(template, "1", 2026, 11):
        wrong.append("number: two instruments would have the same")
    return wrong


def _same(found: set[str], wanted: set[str], where: str) -> None:
    if found != wanted:
        raise TemplateError(f"{where}: missing or unknown: {sorted(found ^ wanted)}")


def _yaml(path: Path) -> dict[str, Any]:
    found = parse(path.read_text(encoding="utf-8"))
    if not isinstance(found, dict):
        raise TemplateError(f"{path.name} is not a mapping")
    return found
