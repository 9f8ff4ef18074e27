"""Treatments combine as the policy text says, and nothing unknown is ever granted."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain import errors
from gateway.domain.decision import Treatment, floor, strictest
from gateway.domain.predicate import is_region
from gateway.domain.principal import Principal
from schemas.catalogue import EXCHANGES, Action
from tests.policy.support import bundle, careless

treatments = st.sampled_from(Treatment)
WORDS = ["withhold", "suppress", "pseudonym", "band", "generalise", "presence", "keep"]


def test_order_is_the_policy_texts() -> None:
    assert sorted(Treatment, reverse=True) == [Treatment.parse(word) for word in WORDS]


@given(st.text())
def test_any_other_word_is_refused(word: str) -> None:
    if word not in WORDS:
        with pytest.raises(ValueError, match="no such treatment"):
            Treatment.parse(word)


@given(st.lists(treatments, min_size=1), st.randoms())
def test_strictest_wins_in_any_order(some: list[Treatment], random) -> None:
    shuffled = random.sample(some, len(some))
    assert strictest(some) is strictest(shuffled)
    assert strictest(some) in some
    assert all(strictest(some) >= each for each in some)


@given(st.lists(treatments), st.lists(treatments))
def test_more_policies_never_tell_more(some: list[Treatment], more: list[Treatment]) -> None:
    if some:
        assert strictest([*some, *more]) >= strictest(some)
    assert strictest([]) is Treatment.WITHHOLD


@given(st.sampled_from(["identifier", "quasi", "sensitive", "plain", "other", ""]), st.booleans())
def test_floor(classification, named: bool) -> None:
    expected = {
        "identifier": Treatment.PSEUDONYM,
        "quasi": Treatment.KEEP,
        "plain": Treatment.KEEP,
        "sensitive": Treatment.KEEP if named else Treatment.WITHHOLD,
    }.get(classification, Treatment.WITHHOLD)
    assert floor(classification, named) is expected
    for action in Action:
        if classification != "identifier" or action is not Action.RESOLVE:
            assert floor(classification, named, action) is expected


@pytest.mark.parametrize("named", [False, True])
def test_only_a_resolution_that_names_it_gives_an_identifier(named: bool) -> None:
    expected = Treatment.KEEP if named else Treatment.PSEUDONYM
    assert floor("identifier", named, Action.RESOLVE) is expected


def beside(index: int, treatment: Treatment, field: str) -> str:
    """One more permit on the field, which does not name it in its scope."""
    return (
        f'@id("t{index}") @treatment("{treatment.name.lower()}")'
        'permit (principal, action == Action::"release", resource in Exchange::"needy-children")'
        f'when {{ resource == Field::"needy-children/{field}" }};'
    )


@settings(max_examples=40, deadline=None)
@given(st.lists(treatments, min_size=1, max_size=3), st.sampled_from(["sex", "pseudonym", "schooling"]))
def test_policies_combine_on_a_field_as_the_rules_say(some: list[Treatment], field: str) -> None:
    """Permits added beside ours: the strictest of all of them stands, above the floor."""
    book = careless("\n".join(beside(index, each, field) for index, each in enumerate(some)))
    principal = Principal("c", "civil_affairs", "civil_affairs/relief_officer", "530423")
    grant = book.decide(principal, Action.LIST, "needy-children", "child_relief", "530423")
    ours = Treatment.PSEUDONYM if field == "pseudonym" else Treatment.KEEP
    least = floor(EXCHANGES["needy-children"].field(field).classification, True)
    expected = strictest([*some, ours, least])
    assert grant.fields.get(field, Treatment.WITHHOLD) is expected
    assert (field in grant.withheld) is (expected is Treatment.WITHHOLD)


ROLES = sorted(bundle().registry.roles)
ids = st.text(max_size=20) | st.sampled_from(ROLES) | st.sampled_from(sorted(EXCHANGES))
regions = st.text(max_size=12) | st.sampled_from(
    ["53", "5304", "530423", "530423100", "53042", "", "5304 23", "٥٣"]
)


@settings(max_examples=400, deadline=None)
@given(ids, ids, ids, ids, regions, regions, st.sampled_from(Action), st.none() | st.text(max_size=4))
def test_unknown_ids_always_refuse(agency, role, exchange, purpose, home, asked, action, school) -> None:
    """Ids drawn at random, the real ones in the wrong places among them."""
    with pytest.raises((errors.UnknownPurpose, errors.NotPermitted)):
        bundle().decide(Principal("c", agency, role, home, school), action, exchange, purpose, asked)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(ROLES),
    st.sampled_from(sorted(EXCHANGES)),
    st.sampled_from(sorted(bundle().registry.purposes)),
    regions,
    regions,
    st.sampled_from(Action),
)
def test_a_grant_is_always_within_reach(role, exchange, purpose, home, asked, action) -> None:
    principal = Principal("c", role.split("/")[0], role, home, school="s")
    try:
        grant = bundle().decide(principal, action, exchange, purpose, asked)
    except errors.NotPermitted:
        return
    assert is_region(home)
    assert is_region(asked)
    assert asked.startswith(home)
    assert purpose in EXCHANGES[exchange].purposes
    assert action is EXCHANGES[exchange].action
    assert grant.fields.keys() | set(grant.withheld) == {field.name for field in EXCHANGES[exchange].fields}
    assert grant.legal_basis
