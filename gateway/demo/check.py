"""Every answer of the demo against the county's truth. What does not fit is named without personal data."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.demo.folder import Applicant, County
from gateway.demo.observed import Item, Observed
from gateway.demo.wire import Wire
from schemas.catalogue import EXCHANGES

_PLAIN = re.compile(r"[A-Za-z_(), ]{0,40}\d{0,9}\)?")


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the table: how many things were compared, and those that do not fit."""

    zh: str
    en: str
    compared: int
    wrong: tuple[str, ...]


def against_truth(county: County, seen: Observed) -> list[Check]:
    """What was answered, held against `expected.json` and `applicants.jsonl`."""
    return [
        *(_dataset(county, seen, dataset) for dataset in county.counts),
        _compare("上报后的线索", "leads after upload", _counted(county.leads), _counted(_rules(seen.leads))),
        _needy("名单（分页）", "needy children, pages", county, seen.listed, seen.said[0]),
        _needy("名单（导出）", "needy children, export", county, seen.exported, seen.said[-1]),
        _same_list(seen),
        _alike(seen),
        _applicants(county, seen),
        _licences(seen),
        _refusals(seen),
    ]


def evidence(seen: Observed, wire: Wire) -> Check:
    """Whether each reference the gateway gave stands in its audit."""
    kept = {entry["reference"] for entry in seen.audit}
    given = [reference for reference in map(_reference, wire.answers) if reference]
    wrong = tuple(
        f"{reference}: 无审计记录 / not in the audit" for reference in given if reference not in kept
    )
    return Check("凭据都有审计记录", "every reference is in the audit", len(given), wrong)


def silence(zh: str, en: str, secrets: Iterable[str], places: Iterable[tuple[str, bytes]]) -> Check:
    """Whether no secret stands in any of the places (name, content); secrets are named by their position."""
    needles = [(number, _spellings(secret)) for number, secret in enumerate(secrets, 1)]
    wrong, compared = [], 0
    for name, content in places:
        compared += 1
        found = [number for number, spellings in needles if any(text in content for text in spellings)]
        wrong += [f"{name}: never_in_any_output[{number}]" for number in found]
    return Check(zh, en, compared, tuple(dict.fromkeys(wrong)))


def said_by_gateway(wire: Wire) -> Iterator[tuple[str, bytes]]:
    """Every answer of the gateway with its headers."""
    for answer in wire.answers:
        name = f"{answer.agency} {answer.method} {answer.path.rpartition('/')[0]}/… {answer.status}"
        yield name, answer.headers.encode() + b"\n" + answer.body


def _spellings(secret: str) -> set[bytes]:
    """A text as UTF-8, GB18030, and as JSON may escape it; an id number also with a small x."""
    texts = {secret, secret.lower(), json.dumps(secret)[1:-1]}
    return {text.encode() for text in texts} | {secret.encode("gb18030")}


def _dataset(county: County, seen: Observed, dataset: str) -> Check:
    """Counts, those that the truth gives, and every returned row with its code."""
    wanted, receipts = county.counts[dataset], seen.receipts.get(dataset)
    if not receipts:
        return Check(dataset, "counts and errors", 1, ("没有回执 / no receipt",))
    counts = _compare("", "", wanted, {name: seen.total(dataset, name) for name in wanted})
    found = Counter((int(flaw["row"]), str(flaw["code"])) for flaw in seen.errors(dataset))
    expected = Counter(county.errors.get(dataset, ()))
    wrong = [f"第 {row} 行 / row {row}: 未报 / not reported {code}" for row, code in (expected - found)]
    wrong += [f"第 {row} 行 / row {row}: 多报 / not expected {code}" for row, code in (found - expected)]
    compared = counts.compared + expected.total()
    return Check(dataset, "counts and errors", compared, (*counts.wrong, *wrong))


def _needy(zh: str, en: str, county: County, rows: list[Item], said: Item) -> Check:
    """Total, townships and classes of a list; townships that it says are told of as their county count as it."""
    truth = county.needy
    places = _told_places(truth["per_township"], said)
    wanted = {"total": truth["total"], **_counted(places), **_counted(truth["classes"])}
    townships = Counter(str(row["township"]) for row in rows)
    classes = Counter(str(name) for row in rows for name in row["need_classes"])
    return _compare(zh, en, wanted, {"total": len(rows), **_counted(townships), **_counted(classes)})


def _told_places(townships: Mapping[str, int], said: Item) -> Counter[str]:
    """How many children each place must have, given which townships the list says it has generalised."""
    notes = [note for note in said.get("generalised", ()) if note["field"] == "township"]
    told = {place: str(note["to"]) for note in notes for place in note["where"]}
    found: Counter[str] = Counter()
    for place, count in townships.items():
        found[told.get(place, place)] += count
    return found


_QUASI = tuple(field.name for field in EXCHANGES["needy-children"].fields if field.classification == "quasi")


def _alike(seen: Observed) -> Check:
    """Whether every child has k others like it, counted from the rows, and all pages say the same of that."""
    last = seen.said[-1]
    groups = Counter(tuple(row[name] for name in _QUASI) for row in seen.listed)
    least = int(last["k"]) if last["k_reached"] else 1
    wrong = [f"k = {least}: {size}" for size in groups.values() if size < least]
    if last["k_reached"] is (0 < len(seen.listed) < int(last["k"])):
        wrong.append("k_reached")
    wrong += ["generalised"] * any(page["generalised"] != last["generalised"] for page in seen.said)
    return Check("同类不少于 k 名", "at least k alike", len(groups), tuple(wrong))


def _same_list(seen: Observed) -> Check:
    """Whether the export, the pages and the agency's own table hold the same children, each once."""
    pages = [json.dumps(row, sort_keys=True) for row in seen.listed]
    file = [json.dumps(row, sort_keys=True) for row in seen.exported]
    differ = (Counter(pages) - Counter(file)).total() + (Counter(file) - Counter(pages)).total()
    twice = len(seen.listed) - len({row["pseudonym"] for row in seen.listed})
    wanted = {"differ": 0, "twice": 0, "table": len(pages)}
    found = {"differ": differ, "twice": twice, "table": seen.needy.get("total")}
    check = _compare("分页与导出相同", "pages and export agree", wanted, found)
    return Check(check.zh, check.en, len(pages), check.wrong)


def _applicants(county: County, seen: Observed) -> Check:
    """Every applicant, each expected member of the answer, and whether there is a lead."""
    wrong = [
        f"申请人 / applicant {applicant.number}: {what}"
        for applicant in county.applicants
        for what in _applicant(applicant, seen.answers.get(applicant.number, {}))
    ]
    return Check("每名申请人", "every applicant", len(county.applicants), tuple(wrong))


def _applicant(applicant: Applicant, told: Item) -> tuple[str, ...]:
    answer = told.get("answer")
    if not isinstance(answer, Mapping):
        return ("没有答复 / no answer",)
    wanted = {**applicant.expect, "lead": applicant.lead}
    found = {**{name: answer.get(name) for name in applicant.expect}, "lead": bool(answer.get("lead"))}
    return _compare("", "", wanted, found).wrong


def _licences(seen: Observed) -> Check:
    """A child must not be licensed, an adult may."""
    wanted = {f"申请人 / applicant {one.number}": "yes" if one.child else "no" for one, _ in seen.licences}
    found = {f"申请人 / applicant {one.number}": told["must_not_license"] for one, told in seen.licences}
    return _compare("登记核查", "licence checks", wanted, found)


def _refusals(seen: Observed) -> Check:
    """Justice gets a 403 for everything it tries, and nothing else."""
    wanted = {tried["exchange"]: (False, 403) for tried in seen.attempts}
    found = {tried["exchange"]: (tried["answered"], tried.get("status")) for tried in seen.attempts}
    check = _compare("司法局被拒", "justice is refused", wanted, found)
    return check if seen.attempts else Check(check.zh, check.en, 1, ("没有尝试 / nothing was tried",))


def _compare(zh: str, en: str, wanted: Mapping[str, object], found: Mapping[str, object]) -> Check:
    names = [*wanted, *(name for name in found if name not in wanted)]
    wrong = [
        f"{name}: 应为 / expected {_short(wanted.get(name, 0))}, 得到 / got {_short(found.get(name, 0))}"
        for name in names
        if wanted.get(name, 0) != found.get(name, 0)
    ]
    return Check(zh, en, len(names), tuple(wrong))


def _short(value: object) -> str:
    """A count or a word of the contract; nothing else is shown, whatever the truth's file holds."""
    text = str(value)
    return text if _PLAIN.fullmatch(text) else "…"


def _counted(counts: Mapping[str, Any]) -> dict[str, int]:
    """Counts without those of nothing, so that an absent name is a nought."""
    return {str(name): int(count) for name, count in counts.items() if count}


def _rules(leads: list[Item]) -> Counter[str]:
    return Counter(str(lead["rule"]) for lead in leads)


def _reference(answer: Any) -> str | None:
    """The reference in an answer, if it has one."""
    body: Callable[[], Any] = answer.json
    try:
        found = body()
    except ValueError:
        return None
    return str(found["reference"]) if isinstance(found, dict) and found.get("reference") else None
