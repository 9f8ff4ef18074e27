"""The invented county: the same bytes from the same seed, coherent counts, every fault planted, valid ids."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from gateway.demo.county.generator import generate, main

CHILDREN = 300
SEED = 7
CSV_FILES = {
    "attendance": "gb18030",
    "relief-register": "utf-8-sig",
    "disability-assessment": "utf-8",
}
CODES = {
    "student-register": {
        "missing_required",
        "bad_code",
        "bad_date",
        "future_date",
        "bad_checksum",
        "precision_lost",
        "birth_date_mismatch",
        "duplicate_in_file",
    },
    "attendance": {"missing_required", "bad_date", "out_of_range", "unknown_student", "duplicate_in_file"},
    "relief-register": {
        "missing_required",
        "bad_code",
        "bad_date",
        "bad_checksum",
        "precision_lost",
        "duplicate_in_file",
    },
    "disability-assessment": {
        "missing_required",
        "bad_code",
        "bad_date",
        "future_date",
        "bad_checksum",
        "precision_lost",
        "duplicate_in_file",
    },
}


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("county")
    generate(folder, CHILDREN, SEED)
    return folder


@pytest.fixture(scope="module")
def truth(county: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((county / "expected.json").read_text(encoding="utf-8"))
    return content


@pytest.fixture(scope="module")
def answers(county: Path) -> list[dict[str, Any]]:
    lines = (county / "applicants.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def rows_of(county: Path, dataset: str) -> list[list[Any]]:
    """Give every line of a file, blank ones too, so that index + 1 is the line number."""
    if dataset in CSV_FILES:
        with (county / f"{dataset}.csv").open(encoding=CSV_FILES[dataset], newline="") as file:
            return list(csv.reader(file))
    sheet = openpyxl.load_workbook(county / f"{dataset}.xlsx").active
    assert sheet is not None
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def header_at(rows: list[list[Any]]) -> int:
    return next(i for i, row in enumerate(rows) if sum(1 for cell in row if cell) > 3)


def records(county: Path, dataset: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, row) without title, headers, blank lines, total and remark."""
    rows = rows_of(county, dataset)
    start = header_at(rows)
    for number, row in islice(enumerate(rows, 1), start + 1, None):
        if any(row) and not str(row[0]).startswith(("合计", "备注")):
            yield number, dict(zip(rows[start], row, strict=True))


def bare(number: str) -> str:
    """Strip what clerks add to an id."""
    narrow = number.translate({0xFF10 + i: str(i) for i in range(10)} | {0xFF38: "X"})
    return "".join(c for c in narrow.upper() if c in "0123456789X")


def fits_checksum(number: str) -> bool:
    """ISO 7064 MOD 11-2 by its recurrence, not by the table of weights the generator uses."""
    remainder = 0
    for character in number:
        remainder = (remainder * 2 + (10 if character == "X" else int(character))) % 11
    return len(number) == 18 and remainder == 1


def test_same_seed_gives_same_bytes(county: Path, tmp_path: Path) -> None:
    generate(tmp_path, CHILDREN, SEED)
    names = sorted(path.name for path in county.iterdir())
    assert len(names) == 6
    assert [name for name in names if (county / name).read_bytes() != (tmp_path / name).read_bytes()] == []


def test_another_seed_gives_another_county(county: Path, tmp_path: Path) -> None:
    generate(tmp_path, CHILDREN, SEED + 1)
    assert (county / "applicants.jsonl").read_bytes() != (tmp_path / "applicants.jsonl").read_bytes()


@pytest.mark.parametrize("dataset", CODES)
def test_counts_agree_with_the_file(county: Path, truth: dict[str, Any], dataset: str) -> None:
    counts = truth["counts"][dataset]
    assert counts["rows"] == counts["accepted"] + counts["rejected"] + counts["unchanged"]
    assert counts["rows"] == sum(1 for _ in records(county, dataset))
    assert counts["rejected"] == len(truth["errors"][dataset])
    assert counts["unchanged"] > 0


def test_every_child_of_the_county_is_registered_once(truth: dict[str, Any]) -> None:
    assert truth["counts"]["student-register"]["accepted"] == CHILDREN


@pytest.mark.parametrize("dataset", CODES)
def test_every_code_is_planted(truth: dict[str, Any], dataset: str) -> None:
    assert {code for _, code in truth["errors"][dataset]} == CODES[dataset]


@pytest.mark.parametrize("dataset", CODES)
def test_errors_name_lines_with_rows(county: Path, truth: dict[str, Any], dataset: str) -> None:
    lines = [line for line, _ in truth["errors"][dataset]]
    assert lines == sorted(set(lines))
    assert set(lines) <= {number for number, _ in records(county, dataset)}


def test_ids_are_valid_unless_planted_otherwise(county: Path, truth: dict[str, Any]) -> None:
    for dataset, column in (
        ("student-register", "身份证件号"),
        ("relief-register", "身份证号"),
        ("disability-assessment", "身份证号"),
    ):
        wrong = {
            line for line, code in truth["errors"][dataset] if code in ("bad_checksum", "precision_lost")
        }
        found = {
            line
            for line, row in records(county, dataset)
            if row[column] and not (isinstance(row[column], str) and fits_checksum(bare(row[column])))
        }
        assert found == wrong


def test_lost_precision_is_a_number_in_the_spreadsheet_and_scientific_in_csv(
    county: Path, truth: dict[str, Any]
) -> None:
    for dataset, column in (("student-register", "身份证件号"), ("relief-register", "身份证号")):
        lost = {line for line, code in truth["errors"][dataset] if code == "precision_lost"}
        cells = [row[column] for line, row in records(county, dataset) if line in lost]
        assert cells
        assert all("E+17" in cell if isinstance(cell, str) else cell > 10**17 for cell in cells)


def test_refused_children_are_nowhere_else(county: Path, truth: dict[str, Any]) -> None:
    lines = {line for line, code in truth["errors"]["student-register"] if code != "duplicate_in_file"}
    numbers = Counter(row["学籍号"] for _, row in records(county, "student-register"))
    refused = [row["学籍号"] for line, row in records(county, "student-register") if line in lines]
    attending = {row["学籍号"] for _, row in records(county, "attendance")}
    assert all(number is None or (numbers[number] == 1 and number not in attending) for number in refused)


def test_a_duplicate_comes_after_the_row_it_contradicts(county: Path, truth: dict[str, Any]) -> None:
    rows = dict(records(county, "student-register"))
    for line in (line for line, code in truth["errors"]["student-register"] if code == "duplicate_in_file"):
        same = [other for other, row in rows.items() if row["学籍号"] == rows[line]["学籍号"]]
        assert len(same) == 2
        assert same[1] == line
        assert rows[same[0]]["学生状态"] != rows[line]["学生状态"]


@pytest.mark.parametrize("dataset", CODES)
def test_files_have_what_people_leave_in_them(county: Path, dataset: str) -> None:
    rows = rows_of(county, dataset)
    first_cells = [str(row[0]) if row and row[0] else "" for row in rows]
    assert any(cell.startswith("备注") for cell in first_cells)
    assert "" in first_cells
    titled = dataset != "disability-assessment"
    assert header_at(rows) == int(titled)
    assert ("合计" in first_cells) is titled


def test_needy_children_add_up(truth: dict[str, Any]) -> None:
    needy = truth["needy"]
    assert needy["total"] == sum(needy["per_township"].values())
    assert len(needy["per_township"]) == 5
    assert max(needy["classes"].values()) <= needy["total"] <= sum(needy["classes"].values())


def test_every_rule_has_leads(truth: dict[str, Any]) -> None:
    leads = truth["leads_after_upload"]
    assert set(leads) == {
        "registered-dropout",
        "absence-threshold",
        "transfer-not-arrived",
        "placement-missing",
    }
    assert all(count > 0 for count in leads.values())


def test_applicants_cover_every_answer(answers: list[dict[str, Any]]) -> None:
    said = {line["expect"]["out_of_school"] for line in answers}
    assert said == {"yes", "no", "unknown", "completed", "not_applicable"}
    assert all(fits_checksum(line["resident_id"]) for line in answers)
    assert len({line["resident_id"] for line in answers}) == len(answers)


def test_sixteen_counts_from_the_birthday_on(answers: list[dict[str, Any]]) -> None:
    under = {line["resident_id"][6:14]: line["expect"]["under_16"] for line in answers}
    assert under["20101120"] is False
    assert under["20101121"] is True
    assert all(line["lead"] is line["expect"]["under_16"] for line in answers)
    assert all((line["expect"]["verdict"] == "must_not_hire") is line["lead"] for line in answers)


def test_secrets_are_ids_and_names_of_accepted_children(county: Path, truth: dict[str, Any]) -> None:
    secrets = truth["never_in_any_output"]
    refused = {line for line, _ in truth["errors"]["student-register"]}
    rows = [row for line, row in records(county, "student-register") if line in refused]
    given_back = {row["姓名"] for row in rows} | {bare(str(row["身份证件号"])) for row in rows}
    assert len(secrets) > 150
    assert given_back.isdisjoint(secrets)


def test_a_county_too_small_for_every_story_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least"):
        generate(tmp_path, 50)
    assert list(tmp_path.iterdir()) == []


def test_command_line_takes_county_and_date(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    given = ["--children", "200", "--seed", "3", "--as-of", "2027-03-01", "--county", "110101"]
    assert main(["--out", str(out), *given]) == 0
    counts = json.loads(capsys.readouterr().out)
    truth = json.loads((out / "expected.json").read_text(encoding="utf-8"))
    assert counts == truth["counts"]
    assert (truth["as_of"], truth["county"]) == ("2027-03-01", "110101")
    assert all(code.startswith("110101") for code in truth["needy"]["per_township"])
