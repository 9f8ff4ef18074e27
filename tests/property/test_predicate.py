"""One row, three judges: `evaluate`, the SQL in a database, and Cedar asked about that row by itself."""

import sqlite3
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.adapters.cedar import PolicyBundle
from gateway.adapters.cedar.engine import Question
from gateway.adapters.cedar.entities import ROW, Caller, row_entity
from gateway.adapters.predicate_sql import next_region, to_sql
from gateway.domain.decision import Grant
from gateway.domain.predicate import (
    All,
    And,
    Equals,
    Has,
    InRegion,
    IsTrue,
    Not,
    Nothing,
    Or,
    Predicate,
    conjunction,
    disjunction,
    is_region,
    negation,
    region_chain,
)
from gateway.domain.principal import Principal
from schemas.catalogue import EXCHANGES
from tests.policy.support import bundle, careless

COLUMNS = {"region": "t.region", "school": "school", "owner": "owner", "sealed": "sealed"}
Row = Mapping[str, object]

codes = st.sampled_from(
    [
        "53",
        "5304",
        "5305",
        "530423",
        "530499",
        "530424100",
        "530423100",
        "530423999",
        "530423100201",
        "99",
        "11",
    ]
)
rows = st.fixed_dictionaries(
    {
        "region": st.none() | codes,
        "school": st.none() | st.sampled_from(["s1", "s2", ""]),
        "owner": st.none() | st.sampled_from(["li", "wang", ""]),
        "sealed": st.none() | st.booleans(),
    }
)
tables = st.lists(rows, min_size=1, max_size=12)
leaves = st.one_of(
    st.just(All()),
    st.just(Nothing()),
    codes.map(lambda code: InRegion("region", code)),
    st.builds(
        Equals,
        st.sampled_from(["school", "owner", "region"]),
        st.sampled_from(["s1", "li", "53", "' OR 1=1 --"]),
    ),
    st.builds(Has, st.sampled_from(sorted(COLUMNS))),
    st.just(IsTrue("sealed")),
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, max_size=3).map(lambda parts: And(tuple(parts))),
        st.lists(inner, max_size=3).map(lambda parts: Or(tuple(parts))),
    ),
    max_leaves=8,
)


def selected(predicate: Predicate, table: Sequence[Row]) -> list[bool]:
    text, parameters = to_sql(predicate, COLUMNS)
    with sqlite3.connect(":memory:") as database:
        database.execute("CREATE TABLE t (n INTEGER, region TEXT, school TEXT, owner TEXT, sealed BOOLEAN)")
        numbered = [{"n": number, **row} for number, row in enumerate(table)]
        database.executemany("INSERT INTO t VALUES (:n, :region, :school, :owner, :sealed)", numbered)
        chosen = {number for (number,) in database.execute(f"SELECT n FROM t WHERE {text}", parameters)}
        told = [
            bool(answer) for (answer,) in database.execute(f"SELECT {text} FROM t ORDER BY n", parameters)
        ]
    database.close()
    assert told == [number in chosen for number in range(len(table))]
    return told


@settings(max_examples=300, deadline=None)
@given(trees, tables)
def test_sql_agrees_with_evaluate(predicate: Predicate, table: list[Row]) -> None:
    assert selected(predicate, table) == [predicate.evaluate(row) for row in table]


@given(st.lists(trees, max_size=4), rows)
def test_simplifying_changes_nothing(parts: list[Predicate], row: Row) -> None:
    assert conjunction(parts).evaluate(row) == And(tuple(parts)).evaluate(row)
    assert disjunction(parts).evaluate(row) == Or(tuple(parts)).evaluate(row)
    for part in parts:
        assert negation(part).evaluate(row) is not part.evaluate(row)


CALLERS = st.builds(
    Caller,
    st.sampled_from(sorted(bundle().registry.roles)),
    codes,
    st.none() | st.sampled_from(["s1", "s2"]),
    st.none() | st.sampled_from(["li", "wang"]),
)
# Shapes that ours do not use: `!=`, `||`, a comparison from the right, a false truth value, a region by name.
MORE = """
@id("m1") permit (principal in Role::"education/aid_officer", action == Action::"read", resource)
when { resource.region != principal.region && (resource.sealed == false || !(resource has owner)) };
@id("m2")
permit (principal in Role::"education/aid_officer", action == Action::"read", resource in Exchange::"leads")
when { principal has school && resource has school && !(principal.school == resource.school) };
@id("m3") forbid (principal in Agency::"education", action == Action::"read", resource)
when { context.purpose == "statistics" && !(resource.region in principal.region) };
@id("m4") forbid (principal in Agency::"education", action == Action::"read", resource)
when {
  resource.region in Region::"530499" ||
  (resource has owner && resource.owner == principal && !resource.sealed)
};
@id("m5") permit (principal in Agency::"civil_affairs", action in [Action::"read"], resource);
"""


def agree(book: PolicyBundle, caller: Caller, exchange: str, purpose: str, table: Sequence[Row]) -> None:
    predicate = _rows(book, caller, exchange, purpose)
    told = [predicate.evaluate(row) for row in table]
    assert selected(predicate, table) == told
    assert [_cedar(book, caller, exchange, purpose, row) for row in table] == told


def _rows(book: PolicyBundle, caller: Caller, exchange: str, purpose: str) -> Predicate:
    from gateway.adapters.cedar.residual import rows as translate

    residuals = book.engine.session(caller).residuals(purpose)
    assert residuals is not None
    return translate(residuals, exchange, caller.officer)[0]


def _cedar(book: PolicyBundle, caller: Caller, exchange: str, purpose: str, row: Row) -> bool:
    regions = [str(row["region"])] if row["region"] else []
    session = book.engine.session(caller, regions, row_entity(caller, exchange, row))
    return session.ask([Question("read", ROW, {"purpose": purpose})])[0].allowed


purposes = st.sampled_from(["dropout_control", "child_relief", "statistics"])
exchanges = st.sampled_from(["leads", "needy-children"])


@settings(max_examples=250, deadline=None)
@given(CALLERS, exchanges, purposes, tables)
def test_cedar_agrees_row_by_row(caller: Caller, exchange: str, purpose: str, table: list[Row]) -> None:
    agree(bundle(), caller, exchange, purpose, table)


READERS = st.sampled_from(
    [
        ("education/dropout_lead", "leads", "dropout_control"),
        ("township/return_officer", "leads", "dropout_control"),
        ("school/class_teacher", "leads", "dropout_control"),
        ("civil_affairs/relief_officer", "needy-children", "child_relief"),
    ]
)


@settings(max_examples=250, deadline=None)
@given(READERS, CALLERS, tables)
def test_cedar_agrees_for_those_who_read(
    reader: tuple[str, str, str], caller: Caller, table: list[Row]
) -> None:
    role, exchange, purpose = reader
    agree(bundle(), Caller(role, caller.region, caller.school, caller.officer), exchange, purpose, table)


OTHER = careless(MORE)


@settings(max_examples=250, deadline=None)
@given(
    st.sampled_from(["education/aid_officer", "education/dropout_lead", "civil_affairs/register_keeper"]),
    CALLERS,
    exchanges,
    purposes,
    tables,
)
def test_cedar_agrees_on_other_shapes(role, caller: Caller, exchange, purpose, table: list[Row]) -> None:
    agree(OTHER, Caller(role, caller.region, caller.school, caller.officer), exchange, purpose, table)


def granted(role: str, exchange: str, purpose: str, officer: str | None = None) -> Grant:
    principal = Principal("c", role.split("/", maxsplit=1)[0], role, "530423", school="s1", officer=officer)
    return bundle().decide(principal, EXCHANGES[exchange].action, exchange, purpose, "530423")


def test_readers_do_read() -> None:
    row = {"region": "530423100", "school": "s1", "owner": None, "sealed": False}
    for role, exchange, purpose in (
        ("education/dropout_lead", "leads", "dropout_control"),
        ("school/class_teacher", "leads", "dropout_control"),
        ("civil_affairs/relief_officer", "needy-children", "child_relief"),
    ):
        assert granted(role, exchange, purpose).rows.evaluate(row)
    sealed = {**row, "owner": "li", "sealed": True}
    assert granted("education/dropout_lead", "leads", "dropout_control", "li").rows.evaluate(sealed)
    assert not granted("education/dropout_lead", "leads", "dropout_control", "wang").rows.evaluate(sealed)
    assert not granted("education/dropout_lead", "leads", "dropout_control").rows.evaluate(
        {**sealed, "owner": ""}
    )


def test_answers_about_one_person_read_no_rows() -> None:
    checker = granted("human_resources/recruitment_checker", "applicant-check", "child_labour_check")
    assert checker.rows == Nothing()
    assert granted("education/registrar", "attendance", "attendance_reporting").rows == Nothing()


@given(codes, codes)
def test_next_region_bounds_exactly_what_is_below(region: str, other: str) -> None:
    above = next_region(region)
    assert (region <= other and (above is None or other < above)) == other.startswith(region)


def test_nothing_is_interpolated() -> None:
    text, parameters = to_sql(Equals("school", "'; DROP TABLE t; --"), COLUMNS)
    assert "DROP" not in text
    assert parameters == {"row_0": "'; DROP TABLE t; --"}


@pytest.mark.parametrize("column", ["a b", "a;--", "", "a.b.c", "1=1", '"x"'])
def test_a_column_that_is_no_plain_name_is_refused(column: str) -> None:
    with pytest.raises(ValueError, match="no plain column"):
        to_sql(Has("school"), {"school": column})
    with pytest.raises(ValueError, match="no plain column"):
        to_sql(Has("school"), {})


def test_a_table_without_seals_or_owners() -> None:
    text, parameters = to_sql(
        granted("civil_affairs/relief_officer", "needy-children", "child_relief", "li").rows,
        {"region": "region", "sealed": "FALSE", "owner": "NULL"},
    )
    table = "SELECT '530423100' AS region UNION SELECT '530424100' UNION SELECT NULL"
    with sqlite3.connect(":memory:") as database:
        found = database.execute(f"SELECT region FROM ({table}) WHERE {text}", parameters).fetchall()
    database.close()
    assert found == [("530423100",)]


@pytest.mark.parametrize(
    "code", ["5", "530", "53042", "5304231", "53042310", "53042310020", "٥٣", "53\n", "", "5304a3"]
)
def test_no_region(code: str) -> None:
    assert not is_region(code)
    with pytest.raises(ValueError, match="not a region"):
        region_chain(code)


def test_region_chain() -> None:
    assert region_chain("530423100201") == ("530423100201", "530423100", "530423", "5304", "53")
