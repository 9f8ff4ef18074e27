"""Whether a caller's rows are all of a region: never yes in error, and yes for the grants our policies give."""

from hypothesis import given
from hypothesis import strategies as st

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
    covers,
)
from gateway.domain.principal import Principal
from schemas.catalogue import Action
from tests.policy.support import bundle

REGIONS = ("53", "5304", "530423", "530423101", "530423102", "530424")
KNOWN = {"sealed": False}

leaves = st.one_of(
    st.just(All()),
    st.just(Nothing()),
    st.builds(InRegion, st.just("region"), st.sampled_from(REGIONS)),
    st.builds(Equals, st.just("region"), st.sampled_from(REGIONS)),
    st.builds(Equals, st.just("school"), st.just("s")),
    st.builds(Has, st.sampled_from(["region", "sealed", "school"])),
    st.just(IsTrue("sealed")),
)
predicates: st.SearchStrategy[Predicate] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(lambda parts: And(tuple(parts)), st.lists(inner, max_size=3)),
        st.builds(lambda parts: Or(tuple(parts)), st.lists(inner, max_size=3)),
    ),
    max_leaves=6,
)


@given(predicates, st.sampled_from(REGIONS), st.sampled_from(["s", "t", None]), st.sampled_from(["", "103"]))
def test_what_is_covered_holds_every_record(
    rows: Predicate, region: str, school: str | None, below: str
) -> None:
    if covers(rows, region, KNOWN):
        for place in (*(each for each in REGIONS if each.startswith(region)), region + below):
            assert rows.evaluate({"region": place, "school": school, "sealed": False})


def test_the_relief_officers_grant_covers_its_own_region_and_no_other() -> None:
    who = Principal("c", "civil_affairs", "civil_affairs/relief_officer", "530423")
    rows = bundle().decide(who, Action.LIST, "needy-children", "child_relief", "530423").rows
    assert covers(rows, "530423", KNOWN)
    assert covers(rows, "530423101", KNOWN)
    assert not covers(rows, "5304", KNOWN)
    assert not covers(rows, "530424", KNOWN)
