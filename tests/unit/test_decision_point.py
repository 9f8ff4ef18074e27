"""The decision point: which refusal is which, errors are denials, the cache, and reloading."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.adapters.cedar import CedarDecisionPoint, assemble, load
from gateway.adapters.cedar import point as point_module
from gateway.domain import errors
from gateway.domain.decision import Grant, PolicyDecisionPoint, PolicyError, Treatment
from gateway.domain.predicate import Nothing
from gateway.domain.principal import Principal
from schemas.catalogue import Action
from tests.policy.support import bundle, careless, files, write

CHECKER = Principal("c", "human_resources", "human_resources/recruitment_checker", "530423")
LEAD = Principal("c", "education", "education/dropout_lead", "530423")
ASK = (Action.ASK, "applicant-check", "child_labour_check", "530423")
LEADS = (Action.SUBSCRIBE, "leads", "dropout_control", "530423")


@pytest.fixture
def point() -> CedarDecisionPoint:
    return CedarDecisionPoint(bundle())


def test_it_is_a_decision_point(point: CedarDecisionPoint) -> None:
    typed: PolicyDecisionPoint = point
    assert len(typed.version) == 12
    assert int(typed.version, 16) >= 0


def test_the_first_story(point: CedarDecisionPoint) -> None:
    fields = ("under_16", "out_of_school", "exception_possible", "verdict", "lead")
    assert point.decide(CHECKER, *ASK) == Grant(
        exchange="applicant-check",
        action=Action.ASK,
        purpose="child_labour_check",
        policy_ids=("hr-check", "hr-check-answer"),
        legal_basis=("禁止使用童工规定 第四条",),
        fields=dict.fromkeys(fields, Treatment.KEEP),
        withheld=(),
        rows=Nothing(),
        policy_version=point.version,
    )


REFUSALS = [
    (CHECKER, (Action.ASK, "applicant-check", "curiosity", "530423"), errors.UnknownPurpose),
    (CHECKER, (Action.ASK, "applicant-check", "statistics", "530423"), errors.PurposeNotGranted),
    (CHECKER, (Action.ASK, "applicant-check", "child_relief", "530424"), errors.PurposeNotGranted),
    (CHECKER, (Action.ASK, "applicant-check", "child_labour_check", "530424"), errors.RegionOutOfReach),
    (CHECKER, (Action.ASK, "applicant-check", "child_labour_check", "5304"), errors.RegionOutOfReach),
    (CHECKER, (Action.ASK, "applicant-check", "child_labour_check", "53042"), errors.RegionOutOfReach),
    (CHECKER, (Action.ASK, "applicant-check", "child_labour_check", "5304230"), errors.RegionOutOfReach),
    (CHECKER, (Action.ASK, "applicant-check", "child_labour_check", ""), errors.RegionOutOfReach),
    (CHECKER, (Action.LIST, "applicant-check", "child_labour_check", "530423"), errors.NotPermitted),
    (CHECKER, (Action.SUBSCRIBE, "leads", "dropout_control", "530423"), errors.NotPermitted),
    (CHECKER, (Action.ASK, "no-such-exchange", "child_labour_check", "530423"), errors.NotPermitted),
    (Principal("c", "human_resources", "human_resources/nobody", "530423"), ASK, errors.NotPermitted),
    (Principal("c", "education", CHECKER.role, "530423"), ASK, errors.NotPermitted),
    (Principal("c", "human_resources", CHECKER.role, "53042"), ASK, errors.NotPermitted),
    (Principal("c", "human_resources", CHECKER.role, ""), ASK, errors.NotPermitted),
    (Principal("c", "school", "school/class_teacher", "530423"), LEADS, errors.NotPermitted),
]


@pytest.mark.parametrize(("principal", "request_", "refusal"), REFUSALS)
def test_each_refusal_is_told_apart_the_second_time_too(point, principal, request_, refusal) -> None:
    for _ in range(2):
        with pytest.raises((errors.UnknownPurpose, errors.NotPermitted)) as refused:
            point.decide(principal, *request_)
        assert type(refused.value) is refusal


def test_a_forbid_is_named_for_the_evidence(point: CedarDecisionPoint) -> None:
    operator = Principal("c", "gateway", "gateway/operator", "53")
    for _ in range(2):
        with pytest.raises(errors.NotPermitted) as refused:
            point.decide(operator, Action.SUBSCRIBE, "leads", "statistics", "53")
        assert refused.value.policy_ids == ("wall-operator-use",)


OVERFLOW = "9223372036854775807 + 1 > 0"


@pytest.mark.parametrize(
    ("principal", "request_", "action", "condition"),
    [
        (CHECKER, ASK, "ask", OVERFLOW),
        (CHECKER, ASK, "release", OVERFLOW),
        (LEAD, LEADS, "release", OVERFLOW),
        (LEAD, LEADS, "read", OVERFLOW),
        (LEAD, LEADS, "read", f"resource.sealed && {OVERFLOW}"),
    ],
)
def test_an_erring_forbid_is_a_denial(principal, request_, action, condition) -> None:
    """Cedar skips a policy that errs; were that left so, the forbid would let through what it forbids."""
    assert bundle().decide(principal, *request_)
    forbid = f'@id("errs") forbid (principal, action == Action::"{action}", resource) when {{ {condition} }};'
    with pytest.raises(errors.NotPermitted) as refused:
        careless(forbid).decide(principal, *request_)
    assert type(refused.value) is errors.NotPermitted


def test_an_untranslatable_condition_on_rows_is_a_denial() -> None:
    book = careless(
        '@id("odd") permit (principal, action == Action::"read", resource)'
        'when { resource has school && resource.school like "3*" };'
    )
    with pytest.raises(errors.NotPermitted):
        book.decide(LEAD, *LEADS)


def test_a_field_permitted_without_known_treatment_stays_in() -> None:
    book = careless(
        '@id("odd") @treatment("blur")'
        'permit (principal, action == Action::"release", resource == Field::"leads/region");'
    )
    assert "region" in book.decide(LEAD, *LEADS).withheld


def test_ids_that_would_break_out_of_cedar_text_are_only_ids(point: CedarDecisionPoint) -> None:
    school = 's" || true || "'
    teacher = Principal("c", "school", "school/class_teacher", "530423", school=school, officer='"x"\n')
    rows = point.decide(teacher, *LEADS).rows
    assert not rows.evaluate({"region": "530423", "school": "s", "sealed": False})
    assert rows.evaluate({"region": "530423", "school": school, "sealed": False})


def test_a_second_decision_is_the_same_grant_for_any_client(point: CedarDecisionPoint) -> None:
    first = point.decide(CHECKER, *ASK)
    other = Principal("another", CHECKER.agency, CHECKER.role, CHECKER.region, officer="li")
    assert point.decide(other, *ASK) is first


def test_the_key_holds_everything_that_decides(point: CedarDecisionPoint) -> None:
    first = point.decide(LEAD, *LEADS)
    for other in (
        Principal("c", "education", LEAD.role, "5304"),
        Principal("c", "education", LEAD.role, "530423", school="s"),
        Principal("c", "education", LEAD.role, "530423", officer="li"),
    ):
        assert point.decide(other, *LEADS) is not first
    assert point.decide(LEAD, *LEADS[:3], "530423100") is not first
    with pytest.raises(errors.NotPermitted):
        point.decide(Principal("c", "justice", LEAD.role, "530423"), *LEADS)


def test_a_grant_cannot_be_changed_by_who_holds_it(point: CedarDecisionPoint) -> None:
    with pytest.raises(TypeError):
        point.decide(LEAD, *LEADS).fields["rule"] = Treatment.WITHHOLD  # type: ignore[index]


def test_the_cache_is_bounded_and_keeps_what_is_used() -> None:
    point = CedarDecisionPoint(bundle(), size=3)
    kept = point.decide(CHECKER, *ASK)
    for town in range(8):
        point.decide(CHECKER, *ASK[:3], f"53042310{town}")
        assert point.decide(CHECKER, *ASK) is kept
        with pytest.raises(errors.RegionOutOfReach):
            point.decide(CHECKER, *ASK[:3], f"53042410{town}")
    assert len(point._state.grants) == len(point._state.refusals) == 3


def test_many_threads_agree() -> None:
    point = CedarDecisionPoint(bundle(), size=2)
    towns = [f"53042310{step % 5}" for step in range(160)]
    with ThreadPoolExecutor(4) as pool:
        grants = list(pool.map(lambda town: point.decide(CHECKER, *ASK[:3], town), towns))
    assert {grant.exchange for grant in grants} == {"applicant-check"}


def test_reload_takes_a_sound_set_and_forgets_old_grants(point: CedarDecisionPoint, tmp_path: Path) -> None:
    before = point.decide(LEAD, *LEADS)
    texts = files()
    policy = '@id("leads-lead-region") @treatment('
    texts["education.cedar"] = texts["education.cedar"].replace(f'{policy}"keep")', f'{policy}"generalise")')
    cases = texts["education.cases.yaml"]
    texts["education.cases.yaml"] = cases.replace("region: keep", "region: generalise", 1)
    point.reload(write(tmp_path, texts))
    after = point.decide(LEAD, *LEADS)
    assert after.policy_version == point.version != before.policy_version
    assert after.fields["region"] is Treatment.GENERALISE


@pytest.mark.parametrize(
    ("file", "old", "new", "code"),
    [
        ("education.cedar", "permit (", "permt (", "unreadable"),
        ("education.cedar", 'Role::"education/dropout_lead"', 'Role::"education/lead"', "unknown-id"),
        ("education.cases.yaml", "region: keep", "region: band", "case-failed"),
    ],
)
def test_reload_keeps_the_old_set_and_says_why(point, tmp_path: Path, file, old, new, code) -> None:
    before, version = point.decide(LEAD, *LEADS), point.version
    texts = files()
    texts[file] = texts[file].replace(old, new)
    with pytest.raises(PolicyError) as refused:
        point.reload(write(tmp_path, texts))
    assert code in {finding.code for finding in refused.value.findings}
    assert point.version == version
    assert point.decide(LEAD, *LEADS) is before


def test_version_is_of_the_content(tmp_path: Path) -> None:
    texts = files()
    assert assemble(texts).version == bundle().version
    texts["roles.yaml"] += "# a comment\n"
    assert assemble(texts).version != bundle().version
    assert load(write(tmp_path, files())).version == bundle().version


def test_a_grant_dropped_meanwhile_is_still_given(point, monkeypatch) -> None:
    first = point.decide(CHECKER, *ASK)

    class Dropping(point_module.OrderedDict):
        def move_to_end(self, key, last=True):
            raise KeyError(key)

    point._state.grants = Dropping(point._state.grants)
    assert point.decide(CHECKER, *ASK) is first
