"""What the policies grant, as one text under review; and why, for one combination."""

from gateway.adapters.cedar import assemble
from gateway.domain.decision import Treatment
from gateway.services.policy import explain, matrix
from tests.policy.support import GOLDEN, bundle, careless, files


def test_matrix_is_as_reviewed() -> None:
    """When it differs on purpose: `python -m tests.policy.regenerate`, and read the diff."""
    assert matrix(bundle()) == GOLDEN.read_text(encoding="utf-8")


def test_matrix_counts_every_combination() -> None:
    lines = matrix(bundle()).splitlines()[1:]
    granted = {tuple(line.split("\t")[:3]) for line in lines if not line.startswith("#")}
    counts = [part for line in lines if line.startswith("#") for part in line.split()[3:]]
    refused = sum(int(part.partition("=")[2]) for part in counts)
    registry = bundle().registry
    assert len(granted) + refused == len(registry.roles) * len(registry.purposes) * len(bundle().exchanges)


def test_explain_a_grant() -> None:
    found = explain(bundle(), "school/class_teacher", "dropout_control", "leads")
    assert found.permitted
    assert found.legal_basis == ("未成年人保护法 第二十八条",)
    assert found.fields["rule"] is Treatment.KEEP
    unopened = ("没有策略开放此字段", "no policy releases this field")
    assert found.withheld == {"facts": unopened, "pseudonym": unopened}


MORE = """
@id("a") @legal_basis("x")
permit (principal in Role::"justice/legal_aid_officer", action == Action::"subscribe", resource)
when { context.purpose == "dropout_control" && context.region in principal.region };
@id("b") @treatment("keep")
permit (principal in Role::"justice/legal_aid_officer", action == Action::"release", resource)
when { context.purpose == "dropout_control" };
@id("c") @treatment("withhold")
permit (principal, action == Action::"release", resource == Field::"needy-children/sex");
"""


def test_explain_each_reason() -> None:
    texts = files(education_cedar=MORE)
    texts["roles.yaml"] = texts["roles.yaml"].replace(
        "[legal_aid, statistics]", "[legal_aid, dropout_control]"
    )
    texts["civil_affairs.cedar"] = texts["civil_affairs.cedar"].replace(
        'resource == Field::"needy-children/schooling"', 'resource in Exchange::"needy-children"'
    )
    book = assemble(texts)
    leads = explain(book, "justice/legal_aid_officer", "dropout_control", "leads")
    assert leads.withheld["rule"][1] == "the law walls it off from this role"
    needy = explain(book, "civil_affairs/relief_officer", "child_relief", "needy-children")
    assert needy.withheld["sex"][1] == "the policy says to withhold it"
    assert needy.withheld["schooling"][1] == "a sensitive field must be granted by name"
    assert needy.fields["pseudonym"] is Treatment.PSEUDONYM


def test_explain_a_refusal_without_policy_text() -> None:
    for role, purpose, exchange, name in (
        ("gateway/operator", "statistics", "leads", "not-permitted"),
        ("education/dropout_lead", "statistics", "leads", "purpose-not-granted"),
        ("education/dropout_lead", "gossip", "leads", "unknown-purpose"),
        ("nobody", "audit", "leads", "not-permitted"),
        ("gateway/auditor", "audit", "nothing", "not-permitted"),
    ):
        found = explain(bundle(), role, purpose, exchange)
        assert not found.permitted
        assert found.refusal is not None
        assert found.refusal[0] == name
        assert found.policy_ids == ()


def test_a_wider_permit_shows_in_the_matrix() -> None:
    wider = careless(
        '@id("w") @treatment("keep")'
        'permit (principal, action == Action::"release", resource == Field::"leads/facts")'
        'when { context.purpose == "dropout_control" };'
    )
    assert "school/class_teacher\tdropout_control\tleads\tsubscribe\tfacts\tkeep" in matrix(wider)
