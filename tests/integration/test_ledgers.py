"""The three ledgers over HTTP: what stands on them, since when, as of which day, and for whom."""

import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.adapters.db import ledger_refresh
from gateway.adapters.db.ledger_refresh import Steps
from gateway.adapters.db.ledgers import SqliteLedgers
from gateway.domain.case import Actor
from gateway.domain.ledger import Ledger
from gateway.domain.ledger_desk import LedgerQuery
from gateway.domain.predicate import All, And, Equals, InRegion, IsTrue, Not, Nothing, Or, Predicate
from gateway.services.casework import Casework, Move
from gateway.settings import POLICIES
from tests.harness import COUNTY, LAW_DATE, TestGateway, problem, running
from tests.people import attendance, csv_file, resident_id, student

ELSEWHERE = "530424"
OTHER_SCHOOL = {"学校标识码": "2153009999", "学校名称": "另一小学"}
LEAD = "education/dropout_lead"
LEDGERS = ("school-age", "suspected", "dropped-out")


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[TestGateway]:
    with running(tmp_path / "data") as made:
        yield made


def register(gateway: TestGateway, *rows: dict[str, str], region: str = COUNTY) -> None:
    answer = gateway.upload("student-register", csv_file(rows), region=region)
    assert answer.status_code == 200, answer.text
    assert answer.json()["rejected"] == 0, answer.text


def get(
    gateway: TestGateway,
    ledger: str,
    role: str = LEAD,
    region: str = COUNTY,
    school: str | None = None,
    /,
    **query: Any,
) -> httpx.Response:
    path = f"/v1/ledgers/{ledger}" if ledger else "/v1/ledgers"
    return gateway.call.get(path, params=query, headers=gateway.headers(role, region, school))


def items(gateway: TestGateway, ledger: str, *who: Any, **query: Any) -> list[dict[str, Any]]:
    answer = get(gateway, ledger, *who, **query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def statuses(gateway: TestGateway, ledger: str, *who: Any, **query: Any) -> list[str]:
    return sorted(item["status"] for item in items(gateway, ledger, *who, **query))


def on(gateway: TestGateway, day: date) -> None:
    """The law date moves on; the day is lived."""
    gateway.parts.clock._law_date = day  # type: ignore[attr-defined]
    gateway.parts.daily.run()


def step(gateway: TestGateway, ref: str, step: str, role: str = LEAD, **evidence: Any) -> None:
    """A step of the case, as the use case takes it."""
    today, now = gateway.parts.clock.today(), gateway.parts.clock.now()
    with gateway.parts.context.upload._registers.transaction() as transaction:
        case = transaction.cases.get(ref)
        assert case is not None
        by = Actor("test", None, role.split("/", maxsplit=1)[0], role)
        Casework(gateway.parts.rulebook).move(transaction, case, Move(step, evidence, by, today, now))


# --- what stands on them ---------------------------------------------------------------------------------


def test_who_uploads_and_then_reads_sees_it(gateway: TestGateway) -> None:
    register(gateway, student(2), student(4, 学生状态="辍学", 状态日期="2026-10-09"))
    assert statuses(gateway, "school-age") == ["dropped_out", "in_school"]
    (out,) = items(gateway, "dropped-out")
    (lead,) = gateway.leads()
    assert out == {
        "case": lead["case"],
        "child": lead["pseudonym"],
        "status": "suspected",
        "since": "2026-11-20",
        "township": "530423101",
        "school": "2153001234",
        "sources": ["student-register", "case"],
        "carried_forward": False,
    }
    assert items(gateway, "suspected") == []
    page = get(gateway, "dropped-out").json()
    assert (page["as_of"], page["missing_sources"], page["next_cursor"]) == ("2026-11-20T00:00:00Z", [], None)
    register(gateway, student(6))
    assert len(items(gateway, "school-age")) == 3


def test_counts_are_those_of_the_pages(gateway: TestGateway) -> None:
    gateway.upload_sample()
    counted = {(each["ledger"], each["status"]): each["children"] for each in items(gateway, "")}
    for ledger in LEDGERS:
        found = statuses(gateway, ledger, limit=1000)
        assert {status: found.count(status) for status in found} == {
            status: children for (name, status), children in counted.items() if name == ledger
        }


def test_a_child_missing_from_the_newest_file_is_carried_forward(gateway: TestGateway) -> None:
    register(gateway, student(2), student(4), student(6, **OTHER_SCHOOL))
    register(gateway, student(2))
    carried = {item["school"]: 0 for item in items(gateway, "school-age")}
    for item in items(gateway, "school-age"):
        carried[item["school"]] += item["carried_forward"]
    assert carried == {"2153001234": 1, "2153009999": 0}, "a file speaks of the schools it names"
    on(gateway, LAW_DATE + timedelta(days=1))
    register(gateway, student(2), student(4))
    assert [item["carried_forward"] for item in items(gateway, "school-age")] == [False] * 3
    past = items(gateway, "school-age", as_of="2026-11-20")
    assert sum(item["carried_forward"] for item in past) == 1, "the past stays as it was"


def test_a_later_file_never_changes_the_past(gateway: TestGateway) -> None:
    register(gateway, student(2))
    before = items(gateway, "school-age")
    on(gateway, LAW_DATE + timedelta(days=3))
    register(gateway, student(2, 学生状态="辍学", 状态日期="2026-11-01"))
    assert statuses(gateway, "school-age") == ["dropped_out"]
    assert items(gateway, "school-age", as_of="2026-11-20") == before
    assert items(gateway, "school-age", as_of="2026-11-22") == before
    assert items(gateway, "dropped-out", as_of="2026-11-22") == []
    (out,) = items(gateway, "dropped-out", as_of="2026-11-23")
    assert out["since"] == "2026-11-23"


def test_days_that_were_missed_are_lived_in_order(gateway: TestGateway) -> None:
    """Six, sixteen and thirty days, each on its day, though nobody was there."""
    six, sixteen = date(2020, 11, 23), date(2010, 11, 25)
    left = {"学生状态": "转出", "状态日期": "2026-10-23"}
    register(gateway, student(2, six), student(4, sixteen), student(6, **left))
    assert statuses(gateway, "school-age") == ["in_school", "unknown"]
    on(gateway, date(2026, 11, 30))
    expected = {
        "2026-11-22": ["in_school", "unknown"],
        "2026-11-23": ["dropped_out", "in_school", "in_school"],
        "2026-11-24": ["dropped_out", "in_school", "in_school"],
        "2026-11-25": ["dropped_out", "in_school"],
        "2026-11-30": ["dropped_out", "in_school"],
    }
    for day, found in expected.items():
        assert statuses(gateway, "school-age", as_of=day) == found, day
    (out,) = items(gateway, "dropped-out")
    assert out["since"] == "2026-11-23"
    ended = (
        gateway.database()
        .execute("SELECT reason, valid_to FROM ledger_entry WHERE reason = 'of-age'")
        .fetchall()
    )
    assert ended == [("of-age", "2026-11-25")]


def test_a_stale_register_leaves_nobody_in_school(gateway: TestGateway) -> None:
    register(gateway, student(2))
    stale = gateway.parts.rulebook.limits.register_stale_days
    on(gateway, LAW_DATE + timedelta(days=stale))
    assert statuses(gateway, "school-age") == ["in_school"]
    on(gateway, LAW_DATE + timedelta(days=stale + 1))
    page = get(gateway, "school-age").json()
    assert [item["status"] for item in page["items"]] == ["unknown"]
    assert page["missing_sources"] == ["student-register"]


def test_each_county_says_by_itself_when_its_register_is_too_old(tmp_path: Path) -> None:
    policies = tmp_path / "policies"
    shutil.copytree(POLICIES, policies)
    (policies / "counties").mkdir()
    own = policies / "counties" / f"{COUNTY}.yaml"
    own.write_text("thresholds: {register_stale_days: 7}\n", encoding="utf-8")
    with running(tmp_path / "data", policies=policies) as gateway:
        register(gateway, student(2))
        on(gateway, LAW_DATE + timedelta(days=7))
        assert get(gateway, "school-age").json()["missing_sources"] == []
        on(gateway, LAW_DATE + timedelta(days=8))
        assert get(gateway, "school-age").json()["missing_sources"] == ["student-register"]


def test_absence_puts_a_child_under_suspicion(gateway: TestGateway) -> None:
    register(gateway, student(2), student(4))
    missing = attendance(2, 缺勤天数="8", 连续缺勤天数="8")
    assert gateway.upload("attendance", csv_file([missing])).status_code == 200
    assert statuses(gateway, "school-age") == ["in_school", "suspected"]
    (item,) = items(gateway, "suspected")
    assert item["sources"] == ["student-register", "attendance", "case"]


# --- transfers -------------------------------------------------------------------------------------------

LEFT = {"学生状态": "转出", "状态日期": "2026-11-01"}
ARRIVED = {"状态日期": "2026-11-10", "现住址行政区划": "530424101", **OTHER_SCHOOL}


@pytest.mark.parametrize("first", ["sending", "receiving"])
def test_a_transfer_to_another_county_is_matched_in_either_order(gateway: TestGateway, first: str) -> None:
    register(gateway, student(2))
    assert statuses(gateway, "school-age") == ["in_school"]
    files = [(student(2, **LEFT), COUNTY), (student(2, **ARRIVED), ELSEWHERE)]
    for row, region in files if first == "sending" else reversed(files):
        register(gateway, row, region=region)
    assert items(gateway, "school-age") == []
    assert items(gateway, "dropped-out") == []
    (there,) = items(gateway, "school-age", LEAD, ELSEWHERE)
    assert (there["status"], there["school"]) == ("in_school", "2153009999")
    assert there["sources"] == ["student-register", "student-register:530423"]
    with gateway.database() as connection:
        rows = connection.execute(
            "SELECT reason, evidence, school FROM ledger_entry WHERE region = ? AND ledger = 'school-age'"
            " AND valid_to IS NOT NULL ORDER BY valid_from",
            (COUNTY,),
        ).fetchall()
    connection.close()
    assert rows[-1] == ("arrived", "student-register", "2153001234"), "nothing of the other county's school"


@pytest.mark.parametrize("first", ["sending", "receiving"])
def test_a_transfer_to_another_school_is_matched_in_either_order(gateway: TestGateway, first: str) -> None:
    register(gateway, student(2), student(4))
    files = [student(2, **LEFT), student(2, 状态日期="2026-11-10", **OTHER_SCHOOL)]
    for row in files if first == "sending" else reversed(files):
        register(gateway, row, student(4))
    found = {item["school"]: item["status"] for item in items(gateway, "school-age")}
    assert found == {"2153001234": "in_school", "2153009999": "in_school"}
    assert not any(item["carried_forward"] for item in items(gateway, "school-age"))


def test_two_registers_that_show_the_child_are_both_named(gateway: TestGateway) -> None:
    register(gateway, student(2))
    register(gateway, student(2, **{**ARRIVED, "学生状态": "休学"}), region=ELSEWHERE)
    (here,) = items(gateway, "school-age")
    assert here["status"] == "on_leave", "the newest speaks"
    assert here["sources"] == ["student-register", "student-register:530424"]


# --- the case --------------------------------------------------------------------------------------------


def test_a_case_moves_its_child_from_ledger_to_ledger(gateway: TestGateway) -> None:
    register(gateway, student(2), student(4))
    gateway.ask(resident_id(number=2), employer_uscc="91530423MA6K2JJF8X")
    (suspected,) = items(gateway, "suspected")
    ref = suspected["case"]
    on(gateway, LAW_DATE + timedelta(days=1))
    step(gateway, ref, "verify", finding="working", found_on="2026-11-21")
    (out,) = items(gateway, "dropped-out")
    assert (out["status"], out["since"], out["case"]) == ("verified", "2026-11-21", ref)
    assert items(gateway, "suspected") == []
    on(gateway, LAW_DATE + timedelta(days=2))
    step(gateway, ref, "exempt", approval_number="缓学2026-1", kind="deferral")
    assert items(gateway, "dropped-out") == []
    assert statuses(gateway, "school-age") == ["exempt", "in_school"]
    assert [item["case"] for item in items(gateway, "suspected", as_of="2026-11-20")] == [ref]
    assert [item["case"] for item in items(gateway, "dropped-out", as_of="2026-11-21")] == [ref]
    with gateway.database() as connection:
        (ended,) = connection.execute(
            "SELECT reason, evidence FROM ledger_entry WHERE ledger = 'dropped-out' AND valid_to IS NOT NULL"
        ).fetchall()
    connection.close()
    assert ended == ("case-exempt", ref), "each removal keeps its evidence"


# --- for whom --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestGateway]:
    with running(tmp_path_factory.mktemp("ledgers") / "data") as made:
        made.upload_sample()
        yield made


def test_each_sees_the_own_part_under_the_own_pseudonym(county: TestGateway) -> None:
    everyone = items(county, "school-age", limit=1000)
    township = items(county, "school-age", "township/return_officer", "530423101", limit=1000)
    assert 0 < len(township) == sum(item["township"] == "530423101" for item in everyone)
    assert {item["township"] for item in township} == {"530423101"}
    assert all(item["child"].startswith("tw1-") for item in township)
    school = items(county, "school-age", "school/class_teacher", "530423101", "2153001234", limit=1000)
    assert 0 < len(school) == sum(item["school"] == "2153001234" for item in everyone)
    assert all(item["child"].startswith("sc1-") for item in school)


@pytest.mark.parametrize("limit", [7, 100])
def test_pages_follow_each_other_without_a_gap(county: TestGateway, limit: int) -> None:
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = get(county, "school-age", "township/return_officer", "530423101", limit=limit, **cursor).json()
        found += [item["child"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    whole = items(county, "school-age", "township/return_officer", "530423101", limit=1000)
    assert found == [item["child"] for item in whole]
    assert len(set(found)) == len(found)


def test_another_callers_cursor_opens_nothing(county: TestGateway) -> None:
    cursor = get(county, "school-age", "township/return_officer", "530423101", limit=2).json()["next_cursor"]
    stolen = get(county, "school-age", "township/return_officer", "530423102", cursor=cursor)
    assert problem(stolen) == (400, "malformed")
    other = get(county, "dropped-out", "township/return_officer", "530423101", cursor=cursor)
    assert problem(other) == (400, "malformed")
    again = get(county, "school-age", "township/return_officer", "530423101", cursor=cursor, limit=1000)
    assert {item["township"] for item in again.json()["items"]} == {"530423101"}


@pytest.mark.parametrize(
    ("role", "region", "school", "query", "expected"),
    [
        ("township/return_officer", "530423101", None, {"region": "530423102"}, "region-out-of-reach"),
        ("township/return_officer", "530423101", None, {"region": "530423"}, "region-out-of-reach"),
        ("school/class_teacher", "530423101", "2153001234", {"region": "530423102"}, "region-out-of-reach"),
        ("school/class_teacher", "530423101", None, {}, "not-permitted"),
        (LEAD, ELSEWHERE, None, {"region": COUNTY}, "region-out-of-reach"),
        (LEAD, COUNTY, None, {"purpose": "statistics"}, "purpose-not-granted"),
        ("market_regulation/market_inspector", COUNTY, None, {}, "not-permitted"),
        ("justice/mediation_officer", COUNTY, None, {}, "not-permitted"),
        ("human_resources/labour_inspector", COUNTY, None, {}, "not-permitted"),
        ("civil_affairs/relief_officer", COUNTY, None, {}, "not-permitted"),
        ("health/disability_assessor", COUNTY, None, {}, "not-permitted"),
        ("gateway/auditor", COUNTY, None, {}, "not-permitted"),
        ("gateway/operator", COUNTY, None, {}, "not-permitted"),
    ],
)
@pytest.mark.parametrize("ledger", ["", *LEDGERS])
def test_who_may_not_is_refused_and_in_the_evidence(
    county: TestGateway,
    role: str,
    region: str,
    school: str | None,
    query: dict[str, str],
    expected: str,
    ledger: str,
) -> None:
    assert problem(get(county, ledger, role, region, school, **query)) == (403, expected)
    entry = county.audit()[-1]
    assert (entry["exchange"], entry["decision"], entry["detail"]) == ("ledgers", "refuse", expected)


def test_a_teacher_filters_no_other_school_in(county: TestGateway) -> None:
    teacher = "school/class_teacher", "530423101", "2153001234"
    assert {item["school"] for item in items(county, "school-age", *teacher)} == {"2153001234"}
    asked = get(county, "school-age", *teacher, school="2153001235")
    assert problem(asked) == (400, "malformed")


@pytest.mark.parametrize(
    "query",
    [{"as_of": "2026-11-21"}, {"as_of": "2026-11-19"}, {"as_of": "yesterday"}, {"status": "verified"}],
)
def test_what_cannot_be_asked_is_said(county: TestGateway, query: dict[str, str]) -> None:
    assert problem(get(county, "school-age", **query)) == (400, "malformed")


def test_no_other_ledger_is_there(county: TestGateway) -> None:
    assert problem(get(county, "sealed")) == (403, "not-permitted")


def test_a_page_is_in_the_evidence_with_its_children(county: TestGateway) -> None:
    page = get(county, "dropped-out", limit=3).json()
    entry = next(each for each in county.audit() if each["reference"] == page["reference"])
    assert (entry["exchange"], entry["count"], entry["detail"]) == ("ledgers", 3, "dropped-out")


def test_a_sealed_case_hides_its_child_on_every_day(gateway: TestGateway) -> None:
    register(gateway, student(2, 学生状态="辍学", 状态日期="2026-10-09"), student(4))
    (out,) = items(gateway, "dropped-out")
    on(gateway, LAW_DATE + timedelta(days=1))
    with gateway.parts.store.writing() as connection:
        connection.execute("UPDATE case_file SET sealed = 1 WHERE ref = ?", (out["case"],))
    for day in ("2026-11-20", "2026-11-21"):
        assert items(gateway, "dropped-out", as_of=day) == []
        assert statuses(gateway, "school-age", as_of=day) == ["in_school"]
        counted = {each["ledger"]: each["children"] for each in items(gateway, "", as_of=day)}
        assert counted == {"school-age": 1}


_OPEN = Not(IsTrue("sealed"))


@pytest.mark.parametrize(
    "rows",
    [
        All(),
        Nothing(),
        _OPEN,
        IsTrue("sealed"),
        Or((_OPEN, Equals("owner", "me"))),
        And((InRegion("region", COUNTY), Or((_OPEN, Equals("owner", "me"))))),
        And((InRegion("region", "530423101"), _OPEN)),
        And((Equals("school", "2153001234"), _OPEN)),
    ],
    ids=["all", "none", "open", "sealed", "owner", "county", "township", "school"],
)
def test_whoever_counts_counts_what_it_would_be_shown(gateway: TestGateway, rows: Predicate) -> None:
    gateway.upload_sample()
    items(gateway, "")  # the day's ledgers are made
    with gateway.parts.store.writing() as connection:
        connection.execute("UPDATE case_file SET sealed = 1, owner = 'me' WHERE rowid % 3 = 0")
        connection.execute("UPDATE case_file SET sealed = 1, owner = 'you' WHERE rowid % 3 = 1")
    ledgers = SqliteLedgers(gateway.parts.store)
    shown: dict[tuple[str, str], int] = {}
    for ledger in Ledger:
        for line in ledgers.page(LedgerQuery(ledger, rows, COUNTY, LAW_DATE, limit=10_000)):
            shown[ledger, line.status] = shown.get((ledger, line.status), 0) + 1
    query = LedgerQuery(Ledger.SCHOOL_AGE, rows, COUNTY, LAW_DATE)
    assert {(each.ledger, each.status): each.children for each in ledgers.counts(query)} == shown
    assert bool(shown) == (rows != Nothing())


# --- keeping them ----------------------------------------------------------------------------------------


def test_a_refresh_that_breaks_off_goes_on_where_it_was(
    gateway: TestGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each step is all or nothing, and remembers how far it came."""
    monkeypatch.setattr(ledger_refresh, "CHILDREN_AT_ONCE", 3)
    register(gateway, *(student(number) for number in range(2, 24, 2)))
    store, steps = gateway.parts.store, Steps(gateway.parts.rulebook)
    for number in range(4):
        prepared = steps.prepare(store.reader, COUNTY)
        with pytest.raises(RuntimeError) if number % 2 else _Nothing(), store.writing() as db:
            steps.take(db, COUNTY, LAW_DATE, prepared)
            if number % 2:
                raise RuntimeError
    assert len(items(gateway, "school-age")) == 11
    with gateway.database() as connection:
        left = [
            connection.execute(f"SELECT count(*) FROM {name}").fetchone()
            for name in ("ledger_touch", "ledger_pass")
        ]
        doubled = connection.execute(
            "SELECT count(*) FROM ledger_entry GROUP BY region, ledger, subject_id HAVING count(*) > 1"
        ).fetchall()
    connection.close()
    assert (left, doubled) == ([(0,), (0,)], [])


class _Nothing:
    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


def test_a_county_that_was_there_before_gets_its_ledgers(gateway: TestGateway) -> None:
    """As after the migration: facts and cases, and no note of anything."""
    register(gateway, student(2), student(4, 学生状态="辍学", 状态日期="2026-10-09"))
    items(gateway, "school-age")
    with gateway.parts.store.writing() as connection:
        for table in ("ledger_entry", "ledger_touch", "ledger_pass"):
            connection.execute(f"DELETE FROM {table}")
        connection.execute("DELETE FROM meta WHERE key LIKE 'ledger/%'")
    assert statuses(gateway, "school-age") == ["dropped_out", "in_school"]
    assert len(items(gateway, "dropped-out")) == 1


def test_an_unchanged_file_and_a_quiet_day_write_no_line(gateway: TestGateway) -> None:
    rows = [student(2), student(4)]
    register(gateway, *rows)
    items(gateway, "school-age")

    def lines() -> list[Any]:
        with gateway.database() as connection:
            found = connection.execute("SELECT * FROM ledger_entry ORDER BY subject_id").fetchall()
        connection.close()
        return found

    before = lines()
    register(gateway, *rows)
    on(gateway, LAW_DATE + timedelta(days=1))
    items(gateway, "school-age")
    assert lines() == before
