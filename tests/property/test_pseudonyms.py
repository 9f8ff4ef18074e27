"""Pseudonyms: one child one name with one consumer, and nothing in common with another consumer's."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.adapters.keys import CONSUMER_PREFIXES, FileKeyRing, create_keyring, load_keyring
from gateway.domain.model import SubjectId

subjects = st.binary(min_size=16, max_size=16).map(SubjectId)
consumers = st.sampled_from(sorted(CONSUMER_PREFIXES))


suites = st.sampled_from(["intl", "gm"])


@cache
def rings(suite: str) -> tuple[FileKeyRing, FileKeyRing]:
    """One key ring, and the same after a restart."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "keyring.json"
        create_keyring(path, suite)
        return load_keyring(path), load_keyring(path)


def body(pseudonym: str) -> str:
    return pseudonym.partition("-")[2]


@given(suites, st.lists(subjects, unique=True, max_size=50), consumers)
def test_no_two_children_share_a_pseudonym(suite: str, some: list[SubjectId], consumer: str) -> None:
    assert len(set(rings(suite)[0].pseudonyms(consumer, some))) == len(some)


@given(suites, st.lists(subjects, min_size=1, max_size=20), consumers, consumers)
def test_two_consumers_lists_share_no_value(suite: str, some: list[SubjectId], one: str, other: str) -> None:
    ring = rings(suite)[0]
    first, second = ({body(text) for text in ring.pseudonyms(name, some)} for name in (one, other))
    assert (first == second) if one == other else not first & second


@given(suites, st.lists(subjects, max_size=20), consumers)
def test_a_restart_changes_nothing(suite: str, some: list[SubjectId], consumer: str) -> None:
    before, after = rings(suite)
    assert before.pseudonyms(consumer, some) == after.pseudonyms(consumer, some)
    assert [before.pseudonym(consumer, each) for each in some] == after.pseudonyms(consumer, some)


@given(suites, subjects, consumers)
def test_a_pseudonym_shows_nothing_of_the_subject(suite: str, subject: SubjectId, consumer: str) -> None:
    text = rings(suite)[0].pseudonym(consumer, subject)
    prefix, _, rest = text.partition("-")
    assert prefix == CONSUMER_PREFIXES[consumer] + "1"
    assert len(rest) == 32
    assert set(rest) <= set("abcdefghijklmnopqrstuvwxyz234567")
    assert subject.hex() not in text


@settings(max_examples=30)
@given(suites, st.lists(subjects, min_size=2, max_size=30, unique=True), consumers, consumers)
def test_the_order_of_two_consumers_lists_tells_nothing(
    suite: str, some: list[SubjectId], one: str, other: str
) -> None:
    """Sorting by pseudonym gives each consumer an order of its own: position does not link children."""
    ring = rings(suite)[0]
    orders = [tuple(sorted(some, key=lambda each: ring.pseudonym(name, each))) for name in (one, other)]
    if one != other and len(some) > 12:
        assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1])
