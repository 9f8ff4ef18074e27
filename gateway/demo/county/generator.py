"""Generates an invented county: `python -m gateway.demo.county.generator --out DIR --seed N`.

Six files as in the design's sample county: four registers as agencies hand them over, `expected.json` with
the truth and `applicants.jsonl` with questions and answers. The same arguments give the same bytes.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from datetime import date
from pathlib import Path
from typing import Any

from gateway.demo.county.faults import FaultPlanter
from gateway.demo.county.files import Sheet, lay_out, write
from gateway.demo.county.planting import Child, County, Planter
from gateway.demo.county.rows import ASSESSMENT, ATTENDANCE, COLUMNS, REGISTER, RELIEF, Row, cells_of
from gateway.demo.county.spelling import Clerk
from gateway.demo.county.truth import applicants, as_lines, expected

DEFAULT_AS_OF = date(2026, 11, 20)
DEFAULT_COUNTY = "530423"
CHILDREN_PER_FAULT = 5000


def generate(
    out: Path,
    children: int = 20_000,
    seed: int = 1,
    as_of: date = DEFAULT_AS_OF,
    county: str = DEFAULT_COUNTY,
) -> dict[str, Any]:
    """Write a county of `children` registered children into `out`; give the content of its `expected.json`.

    Raises ValueError for fewer than `planting.MINIMUM_CHILDREN` children.
    """
    # Reproducible, not secret: nobody here exists.
    rng = random.Random(seed)  # noqa: S311
    planter = Planter(rng, county, as_of)
    planted = planter.county(children)
    faults = FaultPlanter(planter, planted, max(1, children // CHILDREN_PER_FAULT))
    sheets = [_sheet(dataset, planted, faults, rng) for dataset in COLUMNS]
    truth = expected(planted, sheets, rng)
    out.mkdir(parents=True, exist_ok=True)
    for sheet in sheets:
        write(sheet, out, as_of)
    _write_text(out / "expected.json", json.dumps(truth, ensure_ascii=False, indent=1) + "\n")
    _write_text(out / "applicants.jsonl", as_lines(applicants(planted, sheets, rng)))
    return truth


def main(arguments: list[str] | None = None) -> int:
    """Generate a county from the command line; gives the exit code."""
    parser = argparse.ArgumentParser(prog="gateway.demo.county.generator", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the six files")
    parser.add_argument("--children", type=int, default=20_000, help="children in the student register")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--as-of", type=date.fromisoformat, default=DEFAULT_AS_OF, help="law date, YYYY-MM-DD"
    )
    parser.add_argument("--county", default=DEFAULT_COUNTY, help="six digits (GB/T 2260)")
    given = parser.parse_args(arguments)
    try:
        truth = generate(given.out, given.children, given.seed, given.as_of, given.county)
    except ValueError as problem:
        parser.error(str(problem))
    sys.stdout.write(json.dumps(truth["counts"], indent=1) + "\n")
    return 0


def _sheet(dataset: str, county: County, faults: FaultPlanter, rng: random.Random) -> Sheet:
    clerk = Clerk(rng, spreadsheet=dataset == REGISTER)
    children = _children_in(dataset, county)
    good = [Row(rng.random(), cells_of(dataset, child, clerk, county.as_of), child) for child in children]
    bad = faults.spoiled(dataset, clerk) + faults.repeats(dataset, clerk, good)
    if dataset == ATTENDANCE:
        bad += faults.unknown_students(clerk)
    return lay_out(dataset, good + bad, county.as_of, rng)


def _children_in(dataset: str, county: County) -> list[Child]:
    everybody = [*county.pupils, *county.unplaced, *county.toddlers]
    known = {
        REGISTER: county.pupils,
        ATTENDANCE: [child for child in county.pupils if child.absence],
        RELIEF: [child for child in everybody if child.relief],
        ASSESSMENT: [child for child in everybody if child.assessment],
    }
    return known[dataset]


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    raise SystemExit(main())
