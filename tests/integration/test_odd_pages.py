"""Whoever pages a list with ever other limits fills no disk, and who looked still says exactly which page told of whom."""

import json
import random
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.adapters.db.disclosed_sets import members_of
from gateway.cli import app
from gateway.domain.audit import members_commitment
from tests.harness import COUNTY, TestGateway, running
from tests.people import csv_file, resident_id, student

BIRTHS = [date(2015, 3, day) for day in (5, 6)]
NUMBERS = range(400)
LISTED = len(BIRTHS) * len(NUMBERS)
PAGES = 200
CLERK, RELIEF = "gateway/counter_clerk", "civil_affairs/relief_officer"


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestGateway]:
    with running(tmp_path_factory.mktemp("pages") / "data") as gateway:
        rows = [student(number, birth, 家庭经济困难="是") for birth in BIRTHS for number in NUMBERS]
        assert gateway.upload("student-register", csv_file(rows)).json()["accepted"] == LISTED
        yield gateway


@pytest.fixture(scope="module")
def pages(county: TestGateway) -> list[dict[str, Any]]:
    """Pages of odd limits, each from the end of the one before or from the start."""
    dice, found, cursor = random.Random(1), list[dict[str, Any]](), None
    for _ in range(PAGES):
        query = {"purpose": "child_relief", "region": COUNTY, "limit": dice.randrange(1, LISTED)}
        answer = county.call.get(
            "/v1/exchanges/needy-children/records",
            params={**query, **({"cursor": cursor} if cursor else {})},
            headers=county.headers(RELIEF),
        )
        assert answer.status_code == 200, answer.text
        found.append(answer.json())
        cursor = found[-1]["next_cursor"]
    return found


def kept(gateway: TestGateway) -> int:
    with closing(gateway.database()) as connection:
        found = connection.execute("SELECT sum(32 + length(members)) FROM disclosed_set").fetchone()
    return int(found[0])


def test_storage_grows_with_the_list_and_not_with_the_pages(
    county: TestGateway, pages: list[dict[str, Any]]
) -> None:
    told = sum(len(page["items"]) for page in pages)
    assert told > 50 * LISTED
    register_and_list = 2 * 16 * LISTED
    assert kept(county) < 2 * register_and_list + PAGES * 500 < 16 * told / 3


def test_every_page_says_of_whom_it_told(county: TestGateway, pages: list[dict[str, Any]]) -> None:
    with closing(county.database()) as connection:
        for page in pages:
            digest, body = connection.execute(
                "SELECT members, body FROM audit_entry WHERE reference = ?", (page["reference"],)
            ).fetchone()
            members = members_of(connection, digest)
            children = [members[at : at + 16] for at in range(0, len(members), 16)]
            assert county.parts.keys.pseudonyms("civil_affairs", children) == [
                item["pseudonym"] for item in page["items"]
            ]
            assert json.loads(body)["members"] == members_commitment(page["reference"], digest)


def test_who_looked_lists_the_pages_with_the_child_and_no_other(
    county: TestGateway, pages: list[dict[str, Any]]
) -> None:
    for number in (0, 7, 200, 399):
        child = resident_id(BIRTHS[0], number)
        lookup = county.parts.keys.lookup("resident_id", child)
        with closing(county.database()) as connection:
            (subject,) = connection.execute(
                "SELECT subject_id FROM identifier WHERE lookup = ?", (lookup,)
            ).fetchone()
        name = county.parts.keys.pseudonym("civil_affairs", subject)
        answer = county.call.post(
            "/v1/disclosures",
            params={"limit": 1000},
            json={"purpose": "subject_access", "subject": {"resident_id": child}},
            headers=county.headers(CLERK),
        )
        told = {each["reference"] for each in answer.json()["items"] if each["exchange"] == "needy-children"}
        assert told == {
            page["reference"] for page in pages if name in {item["pseudonym"] for item in page["items"]}
        }
        assert 0 < len(told) < PAGES


def test_the_evidence_is_verified_page_by_page(county: TestGateway, pages: list[dict[str, Any]]) -> None:
    assert pages
    verdict = CliRunner().invoke(app, ["audit", "verify", "--data", str(county.data)])
    assert verdict.exit_code == 0, verdict.output


def test_a_block_that_was_changed_is_named(county: TestGateway, pages: list[dict[str, Any]]) -> None:
    assert pages
    with closing(county.database()) as connection:
        connection.execute("BEGIN")
        digest, block = connection.execute(
            "SELECT digest, members FROM disclosed_set WHERE length(members) % 16 = 0"
            " AND digest NOT IN (SELECT members FROM audit_entry WHERE members IS NOT NULL) LIMIT 1"
        ).fetchone()
        change = "UPDATE disclosed_set SET members = ? WHERE digest = ?"
        connection.execute(change, (bytes(len(block)), digest))
        connection.commit()
        verdict = CliRunner().invoke(app, ["audit", "verify", "--data", str(county.data)])
        connection.execute(change, (block, digest))
        connection.commit()
    assert verdict.exit_code == 1
    assert "set of children" in verdict.output
