"""Who a child is comes out of one exchange, for two roles and one purpose, whatever permits say elsewhere."""

from itertools import product

import pytest

from gateway.adapters.cedar import PolicyBundle
from gateway.domain import errors
from gateway.domain.decision import Treatment
from gateway.domain.principal import Principal
from schemas.catalogue import EXCHANGES, Action
from tests.policy.support import bundle
from tests.policy.test_wall import opened

TEAM = {("education/dropout_lead", "identity"), ("township/return_officer", "identity")}
PERSON = {"name", "resident_id", "student_numbers", "contact"}


def named(book: PolicyBundle) -> set[tuple[str, str]]:
    """(role, exchange) for which any identifier comes out finer than a pseudonym, for any purpose."""
    found = set()
    for role, purpose, exchange in product(
        book.registry.roles.values(), book.registry.purposes, EXCHANGES.values()
    ):
        principal = Principal("c", role.agency, role.id, "530423", school="s", officer="o")
        try:
            grant = book.decide(principal, exchange.action, exchange.id, purpose, "530423")
        except errors.NotPermitted:
            continue
        kept = {
            name
            for name, treatment in grant.fields.items()
            if exchange.field(name).classification == "identifier" and treatment is not Treatment.PSEUDONYM
        }
        if kept:
            assert kept <= PERSON | {"pseudonym"}
            found.add((role.id, exchange.id))
    return found


def test_one_exchange_resolves() -> None:
    assert [each.id for each in EXCHANGES.values() if each.action is Action.RESOLVE] == ["identity"]


def test_two_roles_and_nobody_else() -> None:
    assert named(bundle()) == TEAM


def test_nor_anybody_by_careless_permits() -> None:
    """Permits for everything, purposes for everyone: the floor holds elsewhere, the walls hold here."""
    assert named(opened()) == TEAM


def test_the_team_resolves_for_dropout_control_alone() -> None:
    lead = Principal("c", "education", "education/dropout_lead", "530423")
    for purpose in bundle().registry.purposes:
        if purpose == "dropout_control":
            grant = bundle().decide(lead, Action.RESOLVE, "identity", purpose, "530423")
            assert {name for name in PERSON if grant.fields[name] is Treatment.KEEP} == PERSON
            continue
        with pytest.raises(errors.NotPermitted):
            bundle().decide(lead, Action.RESOLVE, "identity", purpose, "530423")


def test_a_grant_reaches_the_own_region_only() -> None:
    officer = Principal("c", "township", "township/return_officer", "530423101")
    rows = bundle().decide(officer, Action.RESOLVE, "identity", "dropout_control", "530423101").rows
    assert rows.evaluate({"region": "530423101", "sealed": False})
    assert not rows.evaluate({"region": "530423102", "sealed": False})
    assert not rows.evaluate({"region": "530423", "sealed": False})
    assert not rows.evaluate({"region": "530423101", "sealed": True})
    assert not rows.evaluate({"region": None, "sealed": False})
