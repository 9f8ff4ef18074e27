"""What must follow from what was planted. Computed from the stories, never from the files."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable
from datetime import date
from itertools import zip_longest
from typing import Any

from gateway.demo.county.files import Sheet
from gateway.demo.county.people import age_on
from gateway.demo.county.places import townships
from gateway.demo.county.planting import ENROLLED, NEEDS, SUITABILITIES, Child, County
from gateway.demo.county.rows import ACCEPTED, REGISTER, UNCHANGED, Row

CLASSES = (*NEEDS, "out_of_school")
LEAD_RULES = ("registered-dropout", "absence-threshold", "transfer-not-arrived", "placement-missing")
WORKING_AGE = 16
ADULT_AGE = 18
TRANSFER_DAYS = 30
ABSENCE_DAYS = 5
SECRETS_OF_A_KIND = 100

# How many of each story ask for work.
APPLICANTS = {
    "ordinary": 14,
    "dropout": 14,
    "transferred_late": 8,
    "transferred_recent": 8,
    "on_leave": 4,
    "on_leave_absent": 1,
    "deferred": 3,
    "exempt": 3,
    "graduate": 12,
    "deceased": 3,
    "absent_long": 10,
    "absent_excused": 4,
    "absent_four": 4,
    "sixteen_today": 3,
    "sixteen_tomorrow": 3,
    "eighteen": 2,
    "temporary_number": 4,
    "assessed_unplaced": 4,
    "stranger": 12,
    "adult": 12,
    "refused": 4,
}


def schooling(child: Child, as_of: date) -> str:
    """Say whether a child is out of school: yes, no, unknown or completed (files.md, what follows)."""
    at = child.enrolment
    # A refused row registers nobody; of the dead the register says nothing about schooling.
    if at is None or child.story == "refused" or at.status == "死亡":
        return "unknown"
    if at.status == "辍学":
        return "yes"
    if at.status == "转出":
        return "yes" if (as_of - at.since).days > TRANSFER_DAYS else "unknown"
    if at.status == "毕业":
        return "completed"
    return "unknown" if _long_absent(child) else "no"


def _long_absent(child: Child) -> bool:
    at, month = child.enrolment, child.absence
    if at is None or month is None or at.status != ENROLLED:
        return False
    return month.longest >= ABSENCE_DAYS and not month.reason


def need_classes(child: Child, as_of: date) -> tuple[str, ...]:
    """Give the classes in which a child is needy and unserved; empty when it is not on the list."""
    at = child.enrolment
    if at is None or child.person.resident_id is None or at.status in ("毕业", "死亡"):
        return ()
    if age_on(child.person.birth, as_of) >= ADULT_AGE or relief_in_force(child, as_of):
        return ()
    return tuple(
        c for c in CLASSES if c in at.needs or (c == "out_of_school" and schooling(child, as_of) == "yes")
    )


def relief_in_force(child: Child, as_of: date) -> bool:
    """Say whether a relief record covers the law date; both of its ends count."""
    relief = child.relief
    return relief is not None and relief.start <= as_of and (relief.end is None or relief.end >= as_of)


def lead_rules(child: Child, as_of: date) -> tuple[str, ...]:
    """Give the rules of the leads that the uploads open for a child."""
    at, found = child.enrolment, child.assessment
    facts = (
        at is not None and at.status == "辍学",
        _long_absent(child),
        at is not None and at.status == "转出" and schooling(child, as_of) == "yes",
        at is None and found is not None and found.suitability in SUITABILITIES[:3],
    )
    return tuple(rule for rule, fact in zip(LEAD_RULES, facts, strict=True) if fact)


def answer(child: Child, as_of: date) -> dict[str, Any]:
    """Give the line of `applicants.jsonl` for somebody with an id number."""
    under_16 = age_on(child.person.birth, as_of) < WORKING_AGE
    expect = {
        "under_16": under_16,
        "out_of_school": schooling(child, as_of) if under_16 else "not_applicable",
        "verdict": "must_not_hire" if under_16 else "no_bar",
    }
    return {"resident_id": child.person.resident_id, "expect": expect, "lead": under_16}


def applicants(county: County, sheets: list[Sheet], rng: random.Random) -> list[dict[str, Any]]:
    """Choose people of every story and say what a recruiter must hear of each."""
    refused = [row.child for sheet in sheets if sheet.dataset == REGISTER for _, row in sheet.numbered()]
    everybody = [*county.pupils, *county.unplaced, *county.strangers, *county.adults]
    everybody += [child for child in refused if child.story == "refused"]
    chosen: list[Child] = []
    for story, most in APPLICANTS.items():
        those = [child for child in everybody if child.story == story and child.person.resident_id]
        # The first of a story are its edge cases (exactly 30 days, sixteen today): always asked about.
        chosen += those[:2] + rng.sample(those[2:], max(0, min(most, len(those)) - 2))
    rng.shuffle(chosen)
    return [answer(child, county.as_of) for child in chosen]


def expected(county: County, sheets: list[Sheet], rng: random.Random) -> dict[str, Any]:
    """Give the content of `expected.json`."""
    children = [*county.pupils, *county.unplaced]
    leads = Counter(rule for child in children for rule in lead_rules(child, county.as_of))
    return {
        "as_of": county.as_of.isoformat(),
        "county": county.code,
        "counts": {sheet.dataset: _counts(row for _, row in sheet.numbered()) for sheet in sheets},
        "errors": {
            sheet.dataset: [
                [n, row.fate] for n, row in sheet.numbered() if row.fate not in (ACCEPTED, UNCHANGED)
            ]
            for sheet in sheets
        },
        "needy": _needy(county),
        "leads_after_upload": {rule: leads[rule] for rule in LEAD_RULES},
        "never_in_any_output": _secrets(county, sheets, rng),
    }


def as_lines(answers: list[dict[str, Any]]) -> str:
    """Write answers as NDJSON."""
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in answers)


def _counts(rows: Iterable[Row]) -> dict[str, int]:
    fates = Counter(row.fate for row in rows)
    good, same = fates[ACCEPTED], fates[UNCHANGED]
    return {
        "rows": fates.total(),
        "accepted": good,
        "rejected": fates.total() - good - same,
        "unchanged": same,
    }


def _needy(county: County) -> dict[str, Any]:
    found = [(child, need_classes(child, county.as_of)) for child in county.pupils]
    needy = [(child, classes) for child, classes in found if classes]
    places = Counter(child.person.township for child, _ in needy)
    classes = Counter(one for _, those in needy for one in those)
    return {
        "total": len(needy),
        "per_township": {township: places[township] for township in townships(county.code)},
        "classes": {one: classes[one] for one in CLASSES},
    }


def _secrets(county: County, sheets: list[Sheet], rng: random.Random) -> list[str]:
    """Choose ids and names of accepted children, those with a story first in line.

    Whoever has a refused row is left out: the file of errors gives such a row back to its sender.
    """
    told = {row.child.person.resident_id for s in sheets for _, row in s.numbered() if row.fate != ACCEPTED}
    names = {row.child.person.name for s in sheets for _, row in s.numbered() if row.fate != ACCEPTED}
    ready = [c for c in (*county.unplaced, *county.pupils) if c.person.resident_id not in told]
    interesting = [c for c in ready if c.story != "ordinary" or need_classes(c, county.as_of)]
    mixed = [
        child
        for pair in zip_longest(_shuffled(interesting, rng), _shuffled(ready, rng))
        for child in pair
        if child is not None
    ]
    ids = dict.fromkeys(c.person.resident_id for c in mixed if c.person.resident_id)
    # Two characters could occur in any sentence; three with a surname in front do not.
    long_names = dict.fromkeys(
        c.person.name for c in mixed if len(c.person.name) > 2 and c.person.name not in names
    )
    return [*[*ids][:SECRETS_OF_A_KIND], *[*long_names][:SECRETS_OF_A_KIND]]


def _shuffled(children: list[Child], rng: random.Random) -> list[Child]:
    return rng.sample(children, len(children))
