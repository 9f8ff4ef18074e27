"""What a guardian is told of each use: plain sentences, for every exchange there is, with nothing of the child in them."""

import re
from datetime import UTC, datetime

import orjson
import pytest
from msgspec.structs import replace

from gateway.domain.audit import canonical
from gateway.domain.decision import Agency, Purpose, Registry, Role, Treatment
from gateway.domain.disclosure import (
    SYSTEM_ROLE,
    TREATMENTS,
    Use,
    record_of,
    sentence_en,
    sentence_zh,
    totals_of,
    uses_of,
)
from gateway.http.page import disclosures_page
from schemas.catalogue import EXCHANGES
from tests.policy.support import bundle
from tests.unit.test_evidence_index import entry

REGISTRY = Registry(
    {"human_resources": Agency("human_resources", "人力资源和社会保障局", "Human resources bureau")},
    {"child_labour_check": Purpose("child_labour_check", "童工核查", "Child labour check")},
    {
        "human_resources/recruitment_checker": Role(
            "human_resources/recruitment_checker",
            "human_resources",
            "招用工核查员",
            "Recruitment checker",
            (),
        )
    },
)


def use(**changes: object) -> Use:
    body = {
        "reference": "ref-1",
        "at": datetime(2026, 11, 20, 2, 15, tzinfo=UTC),
        "agency": "human_resources",
        "role": "human_resources/recruitment_checker",
        "region": "530423",
        "action": "ask",
        "exchange": "applicant-check",
        "purpose": "child_labour_check",
        "decision": "permit",
        "policy_ids": ("hr-check", "hr-check-answer"),
        "fields": {"verdict": "keep", "under_16": "presence"},
    }
    return Use(**{**body, **changes})  # type: ignore[arg-type]


def test_the_sentence_of_an_ask() -> None:
    assert sentence_zh(use(), REGISTRY) == (
        "2026-11-20 10:15 云南省玉溪市通海县 人力资源和社会保障局 招用工核查员 为“童工核查”通过“用工核查”查询了该儿童，"
        "得到：未满十六周岁（仅知有无）、结论；依据：禁止使用童工规定 第四条（策略 hr-check）。"
    )
    assert sentence_en(use(), REGISTRY) == (
        "2026-11-20 10:15 Human resources bureau (530423), Recruitment checker, for “Child labour check”: asked about"
        " this child (Applicant check); obtained: under 16 (presence only), verdict; legal basis: 禁止使用童工规定 第四条"
        " (policy hr-check)."
    )


@pytest.mark.parametrize("exchange", sorted(EXCHANGES))
@pytest.mark.parametrize("decision", ["permit", "fail", "refuse"])
def test_every_exchange_has_its_sentence(exchange: str, decision: str) -> None:
    action = EXCHANGES[exchange].action.value
    found = use(exchange=exchange, action=action, decision=decision, detail="x y", count=1)
    for text in (sentence_zh(found, REGISTRY), sentence_en(found, REGISTRY)):
        assert "{" not in text
        assert EXCHANGES[exchange].legal_basis in text
    assert ("未得到任何信息" in sentence_zh(found, REGISTRY)) is (decision != "permit")


@pytest.mark.parametrize(
    ("exchange", "detail", "told"),
    [
        ("identity", "requested res-1", "申请了解该儿童是谁"),
        ("identity", "approved res-1", "批准了解该儿童身份的申请"),
        ("identity", "shown res-1", "经批准看到了该儿童的身份"),
        ("identity", "emergency res-1", "因紧急情况未经批准即看到了该儿童的身份"),
        ("identity", "escalated res-1", "逾期未复核"),
        ("leads", "acknowledged", "签收了"),
        ("leads", "events:7", "收到了"),
        ("needy-children", "job-abc", "导出了"),
        ("needy-children", "", "查看了"),
        ("disclosures", "", "查询了本清单"),
        ("a-later-exchange", "", "使用了该儿童的信息"),
    ],
)
def test_what_was_done(exchange: str, detail: str, told: str) -> None:
    action = EXCHANGES[exchange].action.value if exchange in EXCHANGES else "other"
    assert told in sentence_zh(use(exchange=exchange, action=action, detail=detail), REGISTRY)


def test_what_nobody_knows_any_more_is_told_by_its_id() -> None:
    text = sentence_zh(
        use(agency="old", role="old/role", purpose="gone", fields={"lost": "strange"}), REGISTRY
    )
    assert "old" in text
    assert "“gone”" in text
    assert "lost（strange）" in text


def test_what_time_brings_about_is_nobodys_gain() -> None:
    lapsed = use(
        exchange="identity", action="resolve", agency="gateway", role=SYSTEM_ROLE, decision="fail", fields={},
        detail="escalated res-1",
    )  # fmt: skip
    text = sentence_zh(lapsed, REGISTRY)
    assert "自动程序" in text
    assert "未得到" not in text
    assert SYSTEM_ROLE not in bundle().registry.roles


def test_a_look_that_found_nothing_to_tell_says_so() -> None:
    looked = use(exchange="disclosures", action="list", count=3)
    assert "未得到" not in sentence_zh(looked, REGISTRY)
    other_county = use(exchange="disclosures", action="list", count=0)
    assert "查询了本清单，未得到任何信息" in sentence_zh(other_county, REGISTRY)


def test_an_attempt_is_called_one() -> None:
    tried = use(exchange="identity", action="resolve", decision="fail", fields={}, detail="conflict")
    assert "试图办理该儿童的身份还原，未得到任何信息" in sentence_zh(tried, REGISTRY)


def test_every_treatment_has_words() -> None:
    released = {each.name.lower() for each in Treatment} - {"withhold"}
    assert set(TREATMENTS) == released


def test_totals_count_by_agency_most_first() -> None:
    uses = [use(), use(), use(agency="education")]
    found = [(each["agency"], each["uses"]) for each in totals_of(uses, REGISTRY)]
    assert found == [("human_resources", 2), ("education", 1)]


def test_entries_of_both_forms_are_read() -> None:
    new = canonical(replace(entry(1), fields={"id": "keep"}))
    old = orjson.dumps({k: v for k, v in orjson.loads(new).items() if k not in ("v", "members")})
    assert uses_of([new])[0] == uses_of([old])[0]
    assert uses_of([new])[0].fields == {"id": "keep"}


def test_the_page_is_whole_escaped_and_runs_nothing() -> None:
    evil = "<script>alert(1)</script>\"'&"
    answer = {
        "reference": evil,
        "as_of": "2026-11-20T17:00:00Z",
        "total": 1,
        "totals": [{"agency": evil, "title_zh": evil, "title_en": evil, "uses": 1}],
        "items": [{"sentence": evil, "sentence_en": evil, "reference": evil}],
        "next_cursor": "ref-1",
        "notes": [{"zh": evil, "en": evil}],
    }
    page = disclosures_page(answer).decode()
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 8
    assert "2026-11-21" in page, "the date of issue is the county's"
    assert "第四十七条" in page
    assert "续见下页" in page
    assert not re.search(r"(?:src|href|style|on\w+)=", page)


def test_the_page_holds_what_the_policy_leaves() -> None:
    answer = {
        "reference": "ref-1",
        "as_of": "2026-11-20T17:00:00Z",
        "items": [{}],
        "next_cursor": None,
        "notes": [],
    }
    assert "共 0 次使用" in disclosures_page(answer).decode()


def test_a_record_has_every_field_of_an_item() -> None:
    names = {field.name for field in EXCHANGES["disclosures"].fields} - {"total", "totals"}
    assert set(record_of(use(), REGISTRY)) == names
