"""残疾人教育条例 art. 20: what an assessment says reaches education and health, whatever permits say."""

from dataclasses import replace
from itertools import product

import pytest

from gateway.adapters.cedar import PolicyBundle, assemble
from gateway.domain import errors
from gateway.domain.decision import Treatment, Withholding
from gateway.domain.principal import Principal
from schemas.catalogue import EXCHANGES
from tests.policy.support import bundle, files

WALLED = ("human_resources", "market_regulation", "justice", "civil_affairs", "gateway", "public_security")
DATASET = "disability-assessment"

CARELESS = """
@id("open-use") @legal_basis("x") permit (
  principal,
  action in [
    Action::"ask", Action::"list", Action::"upload", Action::"subscribe", Action::"refer", Action::"resolve"
  ],
  resource
);
@id("open-fields") @treatment("keep") permit (principal, action == Action::"release", resource);
@id("open-leads") @treatment("keep")
permit (principal, action == Action::"release", resource in Exchange::"leads");
@id("open-facts") @treatment("keep")
permit (principal, action == Action::"release", resource == Field::"leads/facts");
@id("open-rule") @treatment("keep")
permit (principal, action == Action::"release", resource == Field::"leads/rule");
@id("open-rows") permit (principal, action == Action::"read", resource);
"""


def opened() -> PolicyBundle:
    """What a careless author could write; and every role states, every exchange serves, every purpose."""
    purposes = tuple(bundle().registry.purposes)
    everything = {name: replace(each, purposes=purposes) for name, each in EXCHANGES.items()}
    book = assemble(files(education_cedar=CARELESS), everything)
    roles = {name: replace(role, purposes=purposes) for name, role in book.registry.roles.items()}
    return replace(book, registry=replace(book.registry, roles=roles))


def derived(exchange: str) -> set[str]:
    return {field.name for field in EXCHANGES[exchange].fields if DATASET in field.derived_from}


def obtained(book: PolicyBundle, agency: str) -> tuple[set[str], int]:
    """The walled fields that any role of the agency gets anywhere, and how many grants it got at all."""
    found: set[str] = set()
    grants = 0
    roles = [role for role in book.registry.roles.values() if role.agency == agency]
    for role, purpose, exchange in product(roles, book.registry.purposes, EXCHANGES.values()):
        principal = Principal("c", agency, role.id, "530423", school="s", officer="o")
        try:
            grant = book.decide(principal, exchange.action, exchange.id, purpose, "530423")
        except errors.NotPermitted:
            continue
        grants += 1
        found |= {f"{exchange.id}/{name}" for name in derived(exchange.id) & grant.fields.keys()}
    return found, grants


def test_the_catalogue_has_something_to_wall() -> None:
    assert derived("leads") == {"rule", "facts"}


@pytest.mark.parametrize("agency", WALLED)
def test_no_role_obtains_it(agency: str) -> None:
    assert obtained(bundle(), agency)[0] == set()


@pytest.mark.parametrize("agency", WALLED)
def test_nor_by_careless_permits(agency: str) -> None:
    found, grants = obtained(opened(), agency)
    assert found == set()
    assert grants > 0, "the careless permits did open the exchanges, or the test proves nothing"


def test_the_wall_is_what_holds_it() -> None:
    """With the wall taken out, the same careless permits do let it through."""
    book = opened()
    texts = files(education_cedar=CARELESS)
    texts["walls.cedar"] = ""
    without = replace(assemble(texts, book.exchanges), registry=book.registry)
    assert obtained(without, "justice")[0] == {
        "leads/rule",
        "leads/facts",
        "placement-advice/pseudonym",
        "placement-outcomes/pseudonym",
    }
    principal = Principal("c", "justice", "justice/legal_aid_officer", "530423")
    assert book.withheld(principal, "leads", "legal_aid") == {
        "rule": Withholding.FORBIDDEN,
        "facts": Withholding.FORBIDDEN,
        # justice has a wall of its own besides: of a case that it has not accepted, nothing but plain fields
        "region": Withholding.FORBIDDEN,
        "pseudonym": Withholding.FORBIDDEN,
    }


def test_education_still_sees_why_a_lead_was_raised() -> None:
    principal = Principal("c", "education", "education/dropout_lead", "530423")
    grant = bundle().decide(principal, EXCHANGES["leads"].action, "leads", "dropout_control", "530423")
    assert grant.fields["rule"] is Treatment.KEEP


def test_the_operator_reads_nothing_by_careless_permits() -> None:
    book = opened()
    principal = Principal("c", "gateway", "gateway/operator", "530423", officer="o")
    for exchange in EXCHANGES.values():
        try:
            grant = book.decide(principal, exchange.action, exchange.id, "statistics", "530423")
        except errors.NotPermitted:
            continue
        assert not grant.rows.evaluate({"region": "530423", "sealed": False, "owner": "o", "school": "s"})
        assert all(exchange.field(name).classification == "plain" for name in grant.fields)
