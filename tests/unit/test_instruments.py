"""The wording of legal instruments: what may be put into the gaps, who issues, and what stops the start."""

import shutil
from datetime import date
from pathlib import Path

import pytest
import yaml

from gateway.adapters.documents.templates import ISSUERS, TemplateError, load_offices, load_templates
from gateway.domain.errors import Malformed
from gateway.domain.instruments import GAP, Kind, Template, checked, numbered, worded
from gateway.domain.principal import Principal

POLICIES = Path(__file__).parents[2] / "policies"
DUTIES = {"guardian-return", "guardian-correct", "reminder-return"}
TEMPLATES = load_templates(POLICIES, DUTIES)
GIVEN = {
    "guardian": "张建国",
    "relation": "父亲",
    "absent_since": "2026-09-01",
    "school": "通海县第三中学",
    "contact": "李老师 0877-0000000",
}
HEAD = ("530423教控复字〔2026〕第0001号", "通海县教育局", date(2026, 11, 20))


def _given(template: Template) -> dict[str, str]:
    return {name: GIVEN[name] for name in template.asked_of_officer()}


def _rest(template: Template) -> dict[str, str]:
    return dict.fromkeys(template.slots.keys() - template.asked_of_officer(), "张小明")


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_is_worded_without_a_gap_left(kind: Kind) -> None:
    template = TEMPLATES[kind]
    document = worded(template, checked(template, _given(template)) | _rest(template), HEAD)
    words = "".join((document.addressee, *document.paragraphs))
    assert "张建国" in words
    assert "张小明" in words
    assert not GAP.search(words)
    assert "张建国" not in repr(document)


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_stands_on_law_and_is_issued_by_nobody_else(kind: Kind) -> None:
    assert TEMPLATES[kind].issued_by == ISSUERS == {"education/dropout_lead", "township/return_officer"}
    assert any(law.startswith("义务教育法") for law in TEMPLATES[kind].legal_basis)


def test_the_reminder_names_the_law_on_enforcement_and_the_right_to_be_heard() -> None:
    reminder = TEMPLATES[Kind.REMINDER]
    assert {"行政强制法 第三十五条", "行政强制法 第三十六条"} <= set(reminder.legal_basis)
    assert any("陈述和申辩" in text for text in reminder.body)
    assert reminder.follows == (Kind.RETURN_ORDER, Kind.CORRECTION_ORDER)


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"guardian": ""}, "/slots/guardian", "missing_required"),
        ({"guardian": " \u3000 "}, "/slots/guardian", "missing_required"),
        ({"guardian": "张\n建国"}, "/slots/guardian", "bad_text"),
        ({"guardian": "张\x07建国"}, "/slots/guardian", "bad_text"),
        ({"guardian": "张\u202e国建"}, "/slots/guardian", "bad_text"),
        ({"guardian": "张\ud800"}, "/slots/guardian", "bad_text"),
        ({"guardian": "\ue000"}, "/slots/guardian", "bad_text"),
        ({"guardian": "张" * 41}, "/slots/guardian", "bad_text"),
        ({"absent_since": "2026-13-01"}, "/slots/absent_since", "bad_date"),
        ({"absent_since": "九月一日"}, "/slots/absent_since", "bad_date"),
        ({"child": "李四"}, "/slots/child", "unknown_field"),
        ({"term": "1日"}, "/slots/term", "unknown_field"),
        ({"张三 110101199001011234": "x"}, "/slots", "unknown_field"),
    ],
)
def test_a_gap_that_is_not_filled_well_stops(change: dict[str, str], pointer: str, code: str) -> None:
    template = TEMPLATES[Kind.RETURN_ORDER]
    with pytest.raises(Malformed) as error:
        checked(template, _given(template) | change)
    assert [(flaw.pointer, flaw.code) for flaw in error.value.flaws] == [(pointer, code)]
    assert not any(value and value in repr(error.value.flaws) for value in change.values() if len(value) > 1)


def test_a_missing_or_unknown_value_stops_the_wording() -> None:
    template = TEMPLATES[Kind.RETURN_ORDER]
    values = checked(template, _given(template)) | _rest(template)
    del values["child"]
    with pytest.raises(Malformed) as error:
        worded(template, values | {"more": "x"}, HEAD)
    assert {flaw.code for flaw in error.value.flaws} == {"missing_required", "unknown_field"}


def test_the_vaults_name_is_checked_like_an_officers_text() -> None:
    template = TEMPLATES[Kind.RETURN_ORDER]
    with pytest.raises(Malformed):
        worded(template, checked(template, _given(template)) | _rest(template) | {"child": "张\x00"}, HEAD)


def test_a_value_that_looks_like_a_gap_is_not_filled_again() -> None:
    template = TEMPLATES[Kind.RETURN_ORDER]
    values = checked(template, _given(template) | {"guardian": "{child}"}) | _rest(template)
    assert worded(template, values, HEAD).addressee == "{child}（张小明的父亲）："


def test_a_day_is_written_in_chinese() -> None:
    template = TEMPLATES[Kind.RETURN_ORDER]
    assert checked(template, _given(template))["absent_since"] == "2026年9月1日"


def test_numbers() -> None:
    template = TEMPLATES[Kind.RETURN_ORDER]
    assert numbered(template, "530423", 2026, 1) == "530423教控复字〔2026〕第0001号"
    assert numbered(template, "通", 2027, 12345) == "通教控复字〔2027〕第12345号"


def _copied(folder: Path, kind: str, change: dict[str, object]) -> Path:
    shutil.copytree(POLICIES / "notices", folder / "notices")
    path = folder / "notices" / f"{kind}.yaml"
    body = yaml.safe_load(path.read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump(body | change, allow_unicode=True), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"issued_by": ["justice/mediation_officer"]}, "nobody else"),
        ({"issued_by": ["township/return_officer", "school/class_teacher"]}, "nobody else"),
        ({"issued_by": []}, "nobody else"),
        ({"number": "〔{year}〕第{serial}号"}, "region, year and serial"),
        ({"number": "{region}〔{year}〕{serial:.1s}"}, "format"),
        ({"body": ["{nobody}"]}, "nobody fills: nobody"),
        ({"body": ["没有空格"]}, "in no text"),
        ({"addressee": "{guardian}{child}{relation}{"}, "brace"),
        ({"legal_basis": []}, "may not be empty"),
        ({"follows": ["return-order"]}, "itself"),
        ({"kind": "correction-order"}, "name of the file"),
        ({"more": 1}, "more"),
        ({"duty": "nobodys"}, "duties.yaml lacks"),
        ({"states": ["asleep"]}, "asleep"),
    ],
)
def test_a_wrong_template_stops_the_start(tmp_path: Path, change: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        load_templates(_copied(tmp_path, "return-order", change), DUTIES)


def test_two_kinds_may_not_number_alike(tmp_path: Path) -> None:
    number = TEMPLATES[Kind.REMINDER].number
    with pytest.raises(TemplateError, match="number alike"):
        load_templates(_copied(tmp_path, "return-order", {"number": number}), DUTIES)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"regions": {"530423": {"sign": "通"}, "530424": {"sign": "通"}}}, "same sign"),
        ({"regions": {"530423": {"seal": "通"}}}, "nothing else"),
        ({"defaults": {"justice/mediation_officer": "司法局"}}, "missing or unknown"),
    ],
)
def test_wrong_offices_stop_the_start(tmp_path: Path, change: dict[str, object], says: str) -> None:
    with pytest.raises(TemplateError, match=says):
        load_offices(_copied(tmp_path, "offices", change))


def _who(agency: str, region: str) -> Principal:
    role = {"education": "dropout_lead", "township": "return_officer"}.get(agency, "mediation_officer")
    return Principal("c", agency, f"{agency}/{role}", region)


@pytest.mark.parametrize(
    ("agency", "region", "may"),
    [
        ("education", "530423", True),
        ("education", "4419", True),
        ("education", "5304", False),
        ("education", "53", False),
        ("education", "530423101", False),
        ("township", "530423101", True),
        ("township", "530423", False),
        ("justice", "530423", False),
        ("school", "530423", False),
    ],
)
def test_only_counties_and_townships_issue(agency: str, region: str, may: bool) -> None:
    assert load_offices(POLICIES).may_issue(_who(agency, region)) is may


def test_the_names_of_offices(tmp_path: Path) -> None:
    offices = load_offices(POLICIES)
    assert offices.name("education/dropout_lead", "530423") == "通海县教育局"
    assert offices.name("township/return_officer", "530423101") == "通海县杨广镇人民政府"
    assert offices.name("township/return_officer", "530423001") == "通海县秀山街道办事处"
    assert offices.name("township/return_officer", "530423999") is None
    assert offices.sign("530423101") == "530423101"
    own = {"regions": {"530423": {"name": "通海县教育体育局", "sign": "通"}}}
    named = load_offices(_copied(tmp_path, "offices", own))
    assert named.name("education/dropout_lead", "530423") == "通海县教育体育局"
    assert named.sign("530423") == "通"
