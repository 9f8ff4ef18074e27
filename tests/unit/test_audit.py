"""The bytes that are hashed never change their form: the vector below is what `huxue audit verify` will see for years."""

import hashlib
import json
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from msgspec.structs import fields, replace

from gateway.domain.audit import AuditEntry, canonical, leaf_hash
from gateway.domain.model import SubjectId

ENTRY = AuditEntry(
    reference="ref-aaaaaaaaaaaaaaaaaaaaaaaaaa",
    at=datetime(2026, 11, 20, 1, 2, 3, 4, UTC),
    law_date=date(2026, 11, 20),
    client="hr-1",
    agency="human_resources",
    role="human_resources/recruitment_checker",
    region="530423",
    asked_region="530423",
    action="ask",
    exchange="applicant-check",
    purpose="child_labour_check",
    decision="permit",
    policy_version="0123456789ab",
    policy_ids=("hr-check", "hr-check-answer"),
    fields={"verdict": "keep", "lead": "keep"},
    count=1,
    answer_digest="00" * 32,
    subject=SubjectId(bytes(range(16))),
    officer=None,
    detail="",
)
CANONICAL = (
    b'{"action":"ask","agency":"human_resources","answer_digest":"'
    + b"00" * 32
    + b'","asked_region":"530423",'
    b'"at":"2026-11-20T01:02:03.000004+00:00","client":"hr-1","count":1,"decision":"permit","detail":"",'
    b'"exchange":"applicant-check","fields":{"lead":"keep","verdict":"keep"},"law_date":"2026-11-20","members":null,'
    b'"officer":null,"policy_ids":["hr-check","hr-check-answer"],"policy_version":"0123456789ab",'
    b'"purpose":"child_labour_check","reference":"ref-aaaaaaaaaaaaaaaaaaaaaaaaaa","region":"530423",'
    b'"role":"human_resources/recruitment_checker","subject":"'
    + hashlib.sha256(b"subject\0ref-aaaaaaaaaaaaaaaaaaaaaaaaaa\0" + bytes(range(16))).hexdigest().encode()
    + b'","v":2}'
)


def test_canonical_bytes_are_pinned() -> None:
    assert canonical(ENTRY) == CANONICAL


def test_the_order_of_fields_does_not_count() -> None:
    assert canonical(replace(ENTRY, fields={"lead": "keep", "verdict": "keep"})) == CANONICAL


def test_every_member_of_an_entry_is_in_its_bytes() -> None:
    assert set(json.loads(CANONICAL)) == {field.name for field in fields(AuditEntry)} - {"cut_from"} | {"v"}


@pytest.mark.parametrize(
    "change",
    [
        {"reference": "ref-b"},
        {"at": ENTRY.at + timedelta(microseconds=1)},
        {"law_date": date(2026, 11, 21)},
        {"client": "hr-2"},
        {"agency": "health"},
        {"role": "x"},
        {"region": "530424"},
        {"asked_region": "530423100"},
        {"action": "list"},
        {"exchange": "licence-check"},
        {"purpose": "licence_check"},
        {"decision": "refuse"},
        {"policy_version": "0"},
        {"policy_ids": ()},
        {"fields": {}},
        {"count": 2},
        {"answer_digest": ""},
        {"subject": None},
        {"subject": SubjectId(bytes(16))},
        {"members": bytes(16)},
        {"officer": "o-1"},
        {"detail": "malformed"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_any_change_changes_the_leaf(change: dict[str, object]) -> None:
    assert leaf_hash(canonical(replace(ENTRY, **change))) != leaf_hash(CANONICAL)


def test_a_whole_second_keeps_its_microseconds() -> None:
    entry = replace(ENTRY, at=datetime(2026, 11, 20, 1, 2, 3, tzinfo=UTC))
    assert json.loads(canonical(entry))["at"] == "2026-11-20T01:02:03.000000+00:00"


def test_leaf_hash_is_rfc_9162s() -> None:
    assert leaf_hash(CANONICAL) == hashlib.sha256(b"\x00" + CANONICAL).digest()
    # RFC 9162's hash of an empty leaf, as published with the test data of Certificate Transparency.
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"


def test_the_pinned_leaf() -> None:
    assert leaf_hash(CANONICAL).hex() == "179f9396674d4adccfe36bdb3ae5a174816aec1a630951ed728f10b680db8b42"


def test_chinese_is_written_as_utf_8() -> None:
    assert "教育".encode() in canonical(replace(ENTRY, officer="教育"))


def test_an_entry_in_another_zone_is_the_same_moment_for_the_reader() -> None:
    entry = replace(ENTRY, at=ENTRY.at.astimezone(timezone(timedelta(hours=8))))
    assert datetime.fromisoformat(json.loads(canonical(entry))["at"]) == ENTRY.at
