"""A list that shows small groups tells less of them: enough of it, only of it, and always the same."""

from collections import Counter
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.coarsening import load_disclosure
from gateway.domain.coarsening import Kind, Rule, Step, notes, released, rungs, smallest, unit, within
from gateway.settings import POLICIES

SHIPPED = load_disclosure(POLICIES)["needy-children"]
BANDS = ("0-5", "6-8", "9-11", "12-15", "16-17")
PLACES = ("530423100", "530423101", "530423102", "530423", "530424100", "530424101")
AGE, COUNTY, SEX = SHIPPED.steps[0:4], SHIPPED.steps[4:5], SHIPPED.steps[5:6]
orders = st.sampled_from([AGE + COUNTY + SEX, AGE + SEX + COUNTY, COUNTY + AGE + SEX, SEX + AGE + COUNTY])
names = st.sampled_from(
    [("age_band", "sex", "township"), ("age_band", "sex"), ("sex", "township"), ("township",), ()]
)


@st.composite
def lists(draw: st.DrawFn) -> tuple[Rule, list[Kind]]:
    rule = Rule(draw(st.integers(2, 7)), "township", draw(orders), 0.2)
    told = draw(names)
    rows = draw(
        st.lists(
            st.tuples(
                st.sampled_from(PLACES),
                st.sampled_from(BANDS),
                st.sampled_from(["male", "female", None]),
                st.integers(1, 9),
            ),
            max_size=25,
        )
    )
    return rule, [
        Kind(place, pick({"age_band": band, "sex": sex, "township": place}, told), count)
        for place, band, sex, count in rows
    ]


def pick(values: Mapping[str, object], told: tuple[str, ...]) -> dict[str, object]:
    return {name: values[name] for name in told}


def groups(rule: Rule, kinds: list[Kind], at: Mapping[str, int]) -> Counter[tuple[object, ...]]:
    found: Counter[tuple[object, ...]] = Counter()
    for kind in kinds:
        found[kind.county, *released(rule, kind.values, at[kind.place]).values()] += kind.count
    return found


@given(lists())
def test_every_group_has_k_members_unless_the_county_has_fewer(case: tuple[Rule, list[Kind]]) -> None:
    rule, kinds = case
    at = rungs(rule, kinds)
    totals = Counter[str]()
    for kind in kinds:
        totals[kind.county] += kind.count
    for (county, *_), size in groups(rule, kinds, at).items():
        if totals[str(county)] >= rule.k:
            assert size >= rule.k
        else:
            assert size == totals[str(county)], "everything is given up: all are alike"
    assert smallest(rule, kinds, at) == min(groups(rule, kinds, at).values(), default=0)


@given(lists(), st.randoms())
def test_the_order_of_the_rows_decides_nothing(case: tuple[Rule, list[Kind]], random) -> None:  # type: ignore[no-untyped-def]
    rule, kinds = case
    before = rungs(rule, kinds)
    random.shuffle(kinds)
    assert rungs(rule, kinds) == before


@given(lists())
def test_what_has_been_made_coarser_once_stays_so(case: tuple[Rule, list[Kind]]) -> None:
    rule, kinds = case
    at = rungs(rule, kinds)
    assert rungs(rule, kinds, at) == at
    told = [Kind(kind.place, released(rule, kind.values, at[kind.place]), kind.count) for kind in kinds]
    assert [released(rule, kind.values, at[kind.place]) for kind in told] == [kind.values for kind in told]


@given(lists())
def test_nobody_is_told_apart_who_was_alike_before(case: tuple[Rule, list[Kind]]) -> None:
    """Only ever coarser: within a place what comes out is a function of what went in, of the same fields."""
    rule, kinds = case
    at = rungs(rule, kinds)
    for kind in kinds:
        assert list(released(rule, kind.values, at[kind.place])) == list(kind.values)
        for step in rule.steps:
            if step.field in kind.values:
                assert step.apply(step.apply(kind.values[step.field])) == step.apply(kind.values[step.field])


@given(lists())
def test_nothing_is_given_up_where_every_group_is_large(case: tuple[Rule, list[Kind]]) -> None:
    rule, kinds = case
    at = rungs(rule, kinds)
    large = {kind.county for kind in kinds} - {
        county for (county, *_), size in groups(rule, kinds, dict.fromkeys(at, 0)).items() if size < rule.k
    }
    assert all(rung == 0 for place, rung in at.items() if place[:6] in large)


@given(lists())
def test_counties_do_not_know_of_each_other(case: tuple[Rule, list[Kind]]) -> None:
    rule, kinds = case
    at = rungs(rule, kinds)
    for county in {kind.county for kind in kinds}:
        alone = [kind for kind in kinds if kind.county == county]
        assert rungs(rule, alone) == {place: rung for place, rung in at.items() if place[:6] == county}


@given(lists())
def test_every_part_that_can_be_asked_for_has_k_too(case: tuple[Rule, list[Kind]]) -> None:
    """A narrower region gives whole units of places, so no two lists can be subtracted to a smaller group."""
    rule, kinds = case
    at = rungs(rule, kinds)
    totals = Counter[str]()
    for kind in kinds:
        totals[kind.county] += kind.count
    told = any("township" in kind.values for kind in kinds)
    for place in at:
        whole = unit(rule, at, place, told)
        part = [kind for kind in kinds if kind.place in whole]
        if totals[place[:6]] >= rule.k:
            assert smallest(rule, part, at) >= rule.k
        assert all(unit(rule, at, other, told) == whole for other in whole)
        assert place in within(rule, at, place, told)
        assert within(rule, at, place[:6], told) == {other for other in at if other[:6] == place[:6]}


@given(lists())
def test_a_village_is_answered_as_its_township(case: tuple[Rule, list[Kind]]) -> None:
    rule, kinds = case
    at = rungs(rule, kinds)
    for place in at:
        if len(place) == 9:
            assert within(rule, at, place + "001") == within(rule, at, place)


@given(lists())
def test_the_answer_says_what_became_coarser_and_where(case: tuple[Rule, list[Kind]]) -> None:
    rule, kinds = case
    at = rungs(rule, kinds)
    said = {(note.field, note.to, place) for note in notes(rule, kinds, at, True) for place in note.where}
    done = {
        (name, value, kind.place)
        for kind in kinds
        for name, value in released(rule, kind.values, at[kind.place]).items()
        if value != kind.values[name]
    }
    assert said == done
    assert all(len(place) == 6 for note in notes(rule, kinds, at, False) for place in note.where)


def kinds_of(*rows: tuple[str, str, str, int]) -> list[Kind]:
    return [
        Kind(place, {"age_band": band, "sex": sex, "township": place}, count)
        for place, band, sex, count in rows
    ]


def test_ages_go_first_and_only_where_they_must() -> None:
    kinds = kinds_of(
        ("530423100", "6-8", "male", 4),
        ("530423100", "12-15", "male", 9),
        ("530423101", "6-8", "male", 5),
    )
    at = rungs(SHIPPED, kinds)
    assert at == {"530423100": 3, "530423101": 0}
    assert [note.told() for note in notes(SHIPPED, kinds, at, True)] == [
        {"field": "age_band", "to": "6-15", "where": ["530423100"]}
    ]


def test_a_few_sixteen_year_olds_are_told_with_their_neighbours() -> None:
    rows = [("530423100", band, "male", 9) for band in ("6-8", "9-11", "12-15")]
    kinds = kinds_of(*rows, ("530423100", "16-17", "male", 1))
    at = rungs(SHIPPED, kinds)
    assert [released(SHIPPED, kind.values, at[kind.place])["age_band"] for kind in kinds] == [
        "6-8",
        "9-11",
        "12-17",
        "12-17",
    ]


def test_a_step_that_did_not_help_by_itself_is_not_taken() -> None:
    kinds = kinds_of(("530423100", "6-8", "male", 4), ("530423100", "12-15", "male", 9))
    at = rungs(SHIPPED, kinds)
    assert {str(released(SHIPPED, kind.values, at[kind.place])["age_band"]) for kind in kinds} == {"6-15"}


def test_ages_outside_compulsory_age_cost_the_age_and_not_the_township() -> None:
    kinds = kinds_of(("530423100", "9-11", "male", 9), ("530423100", "16-17", "male", 1))
    assert rungs(SHIPPED, kinds) == {"530423100": 4}


def test_a_township_too_small_by_itself_is_told_of_with_the_next_smallest() -> None:
    kinds = kinds_of(
        ("530423100", "6-8", "male", 2),
        ("530423101", "6-8", "male", 8),
        ("530423102", "6-8", "male", 7),
    )
    at = rungs(SHIPPED, kinds)
    assert at == {"530423100": 5, "530423101": 0, "530423102": 5}
    assert unit(SHIPPED, at, "530423100") == {"530423100", "530423102"}


def test_the_sex_is_given_up_last() -> None:
    kinds = kinds_of(
        ("530423100", "6-8", "male", 6), ("530423100", "6-8", "female", 1), ("530423101", "6-8", "male", 8)
    )
    at = rungs(SHIPPED, kinds)
    assert at == {"530423100": 6, "530423101": 0}
    assert released(SHIPPED, kinds[1].values, 6) == {"age_band": "0-17", "sex": None, "township": "530423"}


def test_a_step_leaves_alone_what_a_treatment_has_made_of_a_value() -> None:
    for step in (Step("a", "x"), Step("a", None), Step("a", county=True), Step("a", values={"y": "z"})):
        assert step.apply(None) is None
        assert step.apply(True) is True
