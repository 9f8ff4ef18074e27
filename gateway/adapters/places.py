"""THE LIST OF PLACES: everywhere a copy of a child's data can be, with the rule that ends it.

To add a table: one `Place(...)` in TABLES, or one line in NO_CHILD (`no_place`), with why. `tests/integration/test_places.py`
fails until it stands in one of them, and the purge (`gateway.adapters.db.purging`) then does as the line says:

- `child="subject_id"`: the row goes with the child, by that column;
- `lookup="lookup"`: the row goes with the child, by the keyed look-up of one of the child's identifiers;
- `through=("lead_id", "lead")`: the row goes with the row of a child's table that it names;
- `expires="expires_at"`: the row goes when that moment has passed (the period was added when it was made);
- `clock="made_at"`: the row goes when that day or moment and the rule's period are over; `only` narrows it;
- `stays="…"`: nothing removes the row; the reason says why it names nobody once the child is gone.

`holds` names every column that could lead to a child: ids, look-ups, keys, sealed or free text, bytes and JSON.
"""

from gateway.adapters.no_place import HARMLESS, NO_CHILD
from gateway.adapters.place import FACT, LOOKUP, PSEUDONYM, SEALED, SET, SUBJECT, TEXT, Place
from gateway.adapters.place_of_work import WORK

__all__ = ["COPIES", "HARMLESS", "NO_CHILD", "TABLES", "Place", "of_children", "with_clock"]

_CHILD = "subject_id"

TABLES: tuple[Place, ...] = (
    # facts, one table a dataset: the id is the table's, the rule the dataset's
    Place(
        "student_register",
        "学籍信息",
        "student register",
        "student-register",
        {"subject_id": SUBJECT, "birth_date": FACT},
        _CHILD,
    ),
    Place("attendance", "考勤", "attendance", "attendance", {"subject_id": SUBJECT}, _CHILD),
    Place(
        "relief_register", "救助登记", "relief register", "relief-register", {"subject_id": SUBJECT}, _CHILD
    ),
    Place(
        "disability_assessment",
        "残疾评估",
        "disability assessments",
        "disability-assessment",
        {"subject_id": SUBJECT, "assessor": TEXT},
        _CHILD,
    ),
    Place(
        "sighting",
        "现场核查（儿童）",
        "children found at work",
        "sightings",
        {"subject_id": SUBJECT, "inspection_id": "derived from the random id"},
        _CHILD,
    ),
    Place("aid_payment", "资助发放", "aid payments", "aid-payments", {"subject_id": SUBJECT}, _CHILD),
    Place("focus_group", "重点学生名册", "focus groups", "focus-groups", {"subject_id": SUBJECT}, _CHILD),
    *WORK,
    # the vault, last: what finds and names the child
    Place(
        "identifier", "标识索引", "identifiers", "child", {"lookup": LOOKUP, "subject_id": SUBJECT}, _CHILD
    ),
    Place(
        "subject",
        "身份保险库",
        "identity vault",
        "child",
        {"id": SUBJECT, "data_key": SEALED, "sealed": SEALED, "tag": "keyed digest of the identity"},
        "id",
    ),
    # copies with a clock of their own
    Place(
        "idempotency",
        "幂等键",
        "idempotency keys",
        "idempotency",
        {"key": TEXT, "body_digest": "digest of the file"},
        expires="expires_at",
    ),
    Place(
        "stored_file",
        "文件卡片",
        "file cards",
        "exports",
        {"sha256": "digest of the file", "name": "a dataset or exchange"},
        expires="expires_at",
    ),
    Place(
        "job",
        "导出任务",
        "export jobs",
        "exports",
        {"manifest": PSEUDONYM, "error": TEXT},
        expires="expires_at",
    ),
    Place(
        "assertion", "已用断言", "used client assertions", "assertions", {"jti": TEXT}, expires="expires_at"
    ),
    Place(
        "alarm",
        "告警",
        "alarms",
        "alarms",
        {"about": TEXT, "facts": TEXT, "acknowledged_by": TEXT},
        clock="last_at",
    ),
    Place(
        "inspection",
        "现场核查（用人单位）",
        "what was found at employers",
        "inspections",
        {"id": "derived from the random id", "employer_name": TEXT, "place": TEXT},
        clock="inspected_on",
    ),
    Place(
        "deletion_notice",
        "删除通知",
        "deletion notices",
        "notices",
        {"pseudonyms": PSEUDONYM, "exchanges": "names of exchanges", "received_by": TEXT},
        clock="received_at",
        only="received_at IS NOT NULL",
    ),
    Place(
        "deletion_notice",
        "未回执的删除通知",
        "deletion notices never confirmed",
        "notices-unreceived",
        {"pseudonyms": PSEUDONYM, "exchanges": "names of exchanges", "received_by": TEXT},
        clock="made_at",
        only="received_at IS NULL",
    ),
    Place(
        "upload",
        "上报回执",
        "receipts",
        "receipts",
        {"receipt": TEXT, "body_digest": "digest of the file"},
        clock="received_at",
        # the newest of a county says how old its register is: it is emptied instead (see `purging`)
        only="rowid NOT IN (SELECT max(rowid) FROM upload GROUP BY region, exchange)",
    ),
    # proof without the person
    Place(
        "audit_entry",
        "提供记录",
        "provision records",
        "provision-records",
        {
            "subject_id": SUBJECT,
            "members": SET,
            "body": "canonical entry: a commitment, no id",
            "leaf": "hash of the body",
        },
        stays="append-only proof (网络数据安全管理条例 art. 12); its random ids name nobody once the vault row is gone",
    ),
    Place(
        "disclosed_set",
        "提供名单集合",
        "sets of children told of",
        "provision-records",
        {"digest": SET, "members": SET},
        stays="part of the proof; its random ids name nobody once the vault row is gone",
    ),
    Place(
        "audit_subject",
        "存证索引（个人）",
        "index of the evidence by child",
        "provision-records",
        {"subject_id": SUBJECT},
        stays="part of the proof; its random ids name nobody once the vault row is gone",
    ),
    Place(
        "audit_set",
        "存证索引（名单）",
        "index of the evidence by set",
        "provision-records",
        {"digest": SET},
        stays="part of the proof; holds the digest of a set only",
    ),
    # counters of the day
    Place(
        "guard_seen",
        "当日查询去重",
        "children counted today",
        "child",
        {"key": "keyed digest of caller, day and child"},
        stays="removed within a minute of the end of its day (`transient`); no other day's key makes the same digest",
    ),
    Place(
        "guard_count",
        "当日查询计数",
        "counters of today",
        "child",
        {"key": "keyed digest of a counter's name", "children": "how many"},
        stays="removed within a minute of the end of its day (`transient`)",
    ),
    Place(
        "rotation",
        "密钥轮换进度",
        "how far a rotation is",
        "child",
        {"position": "random id, keyed look-up or number of the last row that was done"},
        stays="one row a kind of key, emptied at the end of the pass",
    ),
    Place(
        "disclosed_to",
        "名单去向",
        "who got which set",
        "provision-records",
        {"digest": SET},
        stays="says which agency is owed a notice; holds the digest of a set only",
    ),
)

COPIES = (frozenset(place.rule for place in TABLES) | {"error-files", "unknown-child"}) - {
    "child",
    "provision-records",
}
"""Every rule a place names, datasets included; the policy file must have a row for each."""


def of_children() -> list[Place]:
    """Tables whose rows go with the child, in the order in which they must go."""
    return [place for place in TABLES if place.child or place.lookup or place.through]


def with_clock() -> list[Place]:
    """Tables whose rows go by themselves."""
    return [place for place in TABLES if place.clock or place.expires]
