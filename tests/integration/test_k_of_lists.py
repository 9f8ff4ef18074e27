"""No list shows fewer than k children alike, however it is asked for; it says what that took; nothing is lost by it."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from tests.harness import COUNTY, SAMPLE, TestGateway, running
from tests.integration.test_lists import every, export, page, parsed
from tests.people import csv_file, resident_id, student

RELIEF = "civil_affairs/relief_officer"
EXPECTED = json.loads((SAMPLE / "expected.json").read_text(encoding="utf-8"))
QUASI = ("age_band", "sex", "township")
SMALL, FEW_GIRLS, NEXT, LARGE = "530423101", "530423102", "530423103", "530423104"
YOUNG, MIDDLE, OLD, SIXTEEN = date(2019, 3, 5), date(2016, 3, 5), date(2013, 3, 5), date(2010, 3, 5)


def alike(rows: list[dict[str, Any]]) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(row[name] for name in QUASI) for row in rows)


def children(township: str, boys: int, girls: int, birth: date = MIDDLE) -> list[dict[str, str]]:
    """Needy children of a township; numbers come from the township, so nobody is two children."""
    first = int(township[-1]) * 100
    numbers = [*range(first + 1, first + 1 + 2 * boys, 2), *range(first, first + 2 * girls, 2)]
    return [student(number, birth, 现住址行政区划=township, 留守儿童="是") for number in numbers]


ROWS = [
    *children(SMALL, 2, 1),
    *children(FEW_GIRLS, 6, 0, YOUNG),
    *children(FEW_GIRLS, 0, 2, OLD),
    *children(NEXT, 5, 5),
    *[row for birth in (YOUNG, MIDDLE, OLD) for row in children(LARGE, 7, 7, birth)],
    *children(LARGE, 1, 0, SIXTEEN),
]


def hand_in(gateway: TestGateway, rows: list[dict[str, str]]) -> None:
    answer = gateway.upload("student-register", csv_file(rows))
    assert (answer.status_code, answer.json()["rejected"]) == (200, 0), answer.text


@pytest.fixture(scope="module")
def uneven(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestGateway]:
    """A county of townships large and small."""
    with running(tmp_path_factory.mktemp("uneven") / "data") as gateway:
        hand_in(gateway, ROWS)
        yield gateway


@pytest.fixture(scope="module")
def where(uneven: TestGateway) -> dict[str, str]:
    """The township each pseudonym really lives in; the test knows it from its own file."""
    keys, found = uneven.parts.keys, {}
    with uneven.database() as connection:
        for row in ROWS:
            lookup = keys.lookup("resident_id", row["身份证件号"])
            query = "SELECT subject_id FROM identifier WHERE lookup = ?"
            subject = connection.execute(query, (lookup,)).fetchone()[0]
            found[str(keys.pseudonym("civil_affairs", subject))] = row["现住址行政区划"]
    connection.close()
    return found


def test_the_sample_county_says_what_it_took(county: TestGateway) -> None:
    body = page(county, limit=5000).json()
    assert (body["k"], body["k_reached"]) == (5, True)
    assert body["generalised"] == [
        {"field": "age_band", "to": "6-15", "where": sorted(EXPECTED["needy"]["per_township"])}
    ]
    assert min(alike(body["items"]).values()) >= 5
    entry = county.audit()[-1]
    assert {name: entry["fields"][name] for name in QUASI} == {
        "age_band": "generalise",
        "sex": "keep",
        "township": "generalise",
    }


@pytest.mark.parametrize("form", ["ndjson", "csv", "parquet", "xlsx"])
def test_a_file_is_as_coarse_as_a_page_and_says_the_same(uneven: TestGateway, form: str) -> None:
    manifest, file = export(uneven, form)
    body = page(uneven, limit=5000).json()
    rows = [{name: row[name] or None for name in QUASI} for row in parsed(form, file.content)]
    assert rows == [{name: item[name] for name in QUASI} for item in body["items"]]
    assert {name: manifest[name] for name in ("k", "k_reached", "generalised")} == {
        name: body[name] for name in ("k", "k_reached", "generalised")
    }
    entry = next(entry for entry in reversed(uneven.audit()) if entry["detail"].startswith("job-"))
    assert entry["fields"]["age_band"] == "generalise"


def test_each_township_gives_up_what_it_must_and_no_more(uneven: TestGateway, where: dict[str, str]) -> None:
    items = every(uneven)
    assert len(items) == len(ROWS), "nobody is lost"
    told: dict[str, set[tuple[Any, ...]]] = {}
    for item in items:
        told.setdefault(where[item["pseudonym"]], set()).add(tuple(item[name] for name in QUASI))
    assert told[LARGE] == {
        (band, sex, LARGE) for band in ("6-8", "9-11", "12-17") for sex in ("male", "female")
    }
    assert told[NEXT] == {("9-11", sex, NEXT) for sex in ("male", "female")}
    # Three children, and a township with two girls: neither can be told of as a place of its own.
    assert told[SMALL] == told[FEW_GIRLS] == {("0-17", None, COUNTY)}
    assert min(alike(items).values()) >= 5


def test_every_page_of_a_list_says_the_same(uneven: TestGateway) -> None:
    said, cursor = [], None
    while True:
        body = page(uneven, limit=7, **({"cursor": cursor} if cursor else {})).json()
        said.append((body["k"], body["k_reached"], body["generalised"]))
        cursor = body["next_cursor"]
        if cursor is None:
            break
    assert len(said) > 5
    assert all(one == said[0] for one in said)


@pytest.mark.parametrize("township", [SMALL, FEW_GIRLS, NEXT, LARGE])
def test_asking_for_a_township_tells_no_more_than_asking_for_the_county(
    uneven: TestGateway, where: dict[str, str], township: str
) -> None:
    whole = {item["pseudonym"]: item for item in every(uneven)}
    part = every(uneven, region=township)
    assert all(whole[item["pseudonym"]] == item for item in part)
    here = {name for name, place in where.items() if place == township}
    assert here <= {item["pseudonym"] for item in part}, "nobody is lost"
    # What is left when the part is taken away has k alike too, and so has the part.
    left = [item for name, item in whole.items() if name not in {each["pseudonym"] for each in part}]
    assert min(alike(part).values()) >= 5
    assert min(alike(left).values()) >= 5
    if township in (NEXT, LARGE):
        assert {item["pseudonym"] for item in part} == here


def test_two_townships_told_of_together_cannot_be_asked_for_apart(uneven: TestGateway) -> None:
    assert every(uneven, region=SMALL) == every(uneven, region=FEW_GIRLS)
    assert every(uneven, region=SMALL + "001") == every(uneven, region=SMALL)


def test_a_village_is_answered_as_its_township(uneven: TestGateway) -> None:
    assert every(uneven, region=LARGE + "001") == every(uneven, region=LARGE)


def test_any_lists_subtracted_leave_groups_of_k(uneven: TestGateway, where: dict[str, str]) -> None:
    """Whatever is subtracted from what: each child belongs to the same set of lists as k - 1 others like it."""
    regions = ["53", "5304", COUNTY, SMALL, FEW_GIRLS, NEXT, LARGE, SMALL + "001", LARGE + "999"]
    headers = uneven.headers(RELIEF, "53")
    lists = {}
    for region in regions:
        body = page(uneven, headers, region=region, limit=5000).json()
        lists[region] = {item["pseudonym"]: tuple(item[name] for name in QUASI) for item in body["items"]}
    known = Counter(tuple((region, lists[region].get(name)) for region in regions) for name in lists[COUNTY])
    assert min(known.values()) >= 5


def test_a_township_officer_is_told_alike_where_the_township_stands_alone(uneven: TestGateway) -> None:
    for township in (NEXT, LARGE):
        own = page(uneven, uneven.headers(RELIEF, township), region=township, limit=5000).json()
        assert own["items"] == every(uneven, region=township)
        assert own["k_reached"] is True


def test_a_township_officer_with_too_few_children_hears_so_and_of_no_other_place(uneven: TestGateway) -> None:
    own = page(uneven, uneven.headers(RELIEF, SMALL), region=SMALL, limit=5000).json()
    assert (len(own["items"]), own["k"], own["k_reached"]) == (3, 5, False)
    assert set(alike(own["items"])) == {("0-17", None, COUNTY)}
    assert {place for note in own["generalised"] for place in note["where"]} == {SMALL}


def test_a_county_with_fewer_than_k_children_gives_up_everything_and_says_so(gateway: TestGateway) -> None:
    empty = page(gateway).json()
    assert (empty["items"], empty["k_reached"], empty["generalised"]) == ([], True, [])
    hand_in(gateway, children(SMALL, 2, 2))
    body = page(gateway).json()
    assert set(alike(body["items"])) == {("0-17", None, COUNTY)}
    assert body["k_reached"] is False
    assert [note["field"] for note in body["generalised"]] == ["age_band", "township", "sex"]
    words = gateway.audit()[-1]["fields"]
    assert (words["age_band"], words["sex"]) == ("generalise", "suppress")
    hand_in(gateway, [*children(SMALL, 5, 5)])
    after = page(gateway).json()
    assert (after["k_reached"], after["generalised"]) == (True, [])


def measured(data: Path, *more: str) -> tuple[int, str]:
    # The gateway's own settings; production would not read the demo's passphrase.
    words = ["deidentify", "measure", "--data", str(data), *more]
    result = CliRunner().invoke(app, words, env={"HUXUE_PROFILE": "demo"})
    return result.exit_code, result.output


def test_the_measure_reports_before_and_after(uneven: TestGateway, tmp_path: Path) -> None:
    code, text = measured(uneven.data, "--out", str(tmp_path / "report.json"))
    assert code == 0, text
    reports = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert {each["exchange"] for each in reports} == {
        *("needy-children", "aid-gap", "placement-advice", "placement-outcomes")
    }
    (report,) = (each for each in reports if each["exchange"] == "needy-children")
    assert (report["role"], report["region"], report["exchange"]) == (RELIEF, COUNTY, "needy-children")
    groups = alike(every(uneven))
    assert report["after"]["k"] == min(groups.values())
    assert report["after"]["classes"] == len(groups)
    assert {one["size"]: one["classes"] for one in report["after"]["sizes"]} == Counter(groups.values())
    assert report["before"]["records"] == report["after"]["records"] == len(ROWS)
    assert report["before"]["k"] == 1
    prosecutor = report["before"]["risk"]["prosecutor"]
    assert prosecutor["maximum"] == 1
    assert prosecutor["above_threshold"] == pytest.approx(6 / len(ROWS), abs=1e-6)
    assert report["after"]["risk"]["prosecutor"]["above_threshold"] == 0
    assert report["after"]["risk"]["prosecutor"]["maximum"] <= 1 / report["k"]
    assert report["after"]["l"] == {"need_classes": 1, "schooling": 1}
    assert "检察官攻击" in text
    assert "达到 k = 5" in text


def test_the_measure_names_nobody(uneven: TestGateway, where: dict[str, str], tmp_path: Path) -> None:
    _, text = measured(uneven.data, "--out", str(tmp_path / "report.json"))
    told = text + (tmp_path / "report.json").read_text(encoding="utf-8")
    for row in ROWS:
        assert row["身份证件号"] not in told
        assert row["姓名"] not in told
    assert not any(name in told for name in where)
    assert resident_id() not in told


def test_the_measure_says_when_k_is_not_reached(uneven: TestGateway) -> None:
    code, text = measured(uneven.data, "--region", SMALL)
    assert code == 1
    assert "未达到" in text


@pytest.mark.parametrize("more", [["--region", "53x"], ["--data", "/nonexistent"]])
def test_the_measure_of_nothing_is_refused(uneven: TestGateway, more: list[str]) -> None:
    code, _ = measured(uneven.data, *more)
    assert code != 0
