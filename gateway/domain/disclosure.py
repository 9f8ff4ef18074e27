"""What is told of one use of a child's data: a record, and a sentence in Chinese and in English.

It is made of the evidence alone: who, when, for which purpose, by which rule, which fields in which form. Nothing of
what was said about the child is in it, nor the name of an officer. Sources: 个人信息保护法 art. 44, 45, 48.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

import msgspec

from gateway.domain.case_sentences import CASES
from gateway.domain.decision import Registry
from gateway.domain.model import SubjectId
from gateway.domain.moments import to_second
from schemas.catalogue import EXCHANGES
from schemas.codes.region import regions

EXCHANGE = "disclosures"
_LOCAL = ZoneInfo("Asia/Shanghai")


class Use(msgspec.Struct, frozen=True):
    """One entry of the evidence, as far as a guardian is told of it (`gateway.domain.audit.canonical`)."""

    reference: str
    at: datetime
    agency: str
    role: str
    region: str
    action: str
    exchange: str
    purpose: str
    decision: str
    asked_region: str = ""
    detail: str = ""
    count: int = 0
    policy_ids: tuple[str, ...] = ()
    fields: Mapping[str, str] = {}

    @property
    def establishes_a_place(self) -> bool:
        """Whether the child was dealt with there; that somebody looked, or was refused, makes no place a child's."""
        return self.decision == "permit" and self.exchange in EXCHANGES and self.exchange != EXCHANGE


_USE = msgspec.json.Decoder(Use)


def uses_of(bodies: Iterable[bytes]) -> list[Use]:
    """Entries as they were written down, read."""
    return [_USE.decode(body) for body in bodies]


class EvidenceIndex(Protocol):
    """Finds a child's entries in the evidence; an entry committed before the call is never missed."""

    def seqs_of(self, subject: SubjectId) -> list[int]:
        """Sequence numbers of every entry about the child, alone or among others; newest first."""
        ...

    def catch_up(self) -> int:
        """Index what is not indexed yet; how many entries. From time to time."""
        ...


class ChildEvidence(Protocol):
    """What the store says of one child and its entries; from worker threads."""

    def subject_of(self, lookup: bytes) -> SubjectId | None:
        """The child with that keyed identifier. Nobody is made."""
        ...

    def places(self, subject: SubjectId) -> frozenset[str]:
        """Regions of every row about the child: registers, assessments, leads."""
        ...

    def seq_of(self, reference: str) -> int | None:
        """Where an entry stands; None when there is none of that reference."""
        ...

    def bodies(self, seqs: Sequence[int]) -> list[bytes]:
        """The entries' bytes, newest first."""
        ...


TREATMENTS: Mapping[str, tuple[str, str]] = {
    "keep": ("", ""),
    "presence": ("仅知有无", "presence only"),
    "generalise": ("概括", "generalised"),
    "band": ("分段", "as a band"),
    "pseudonym": ("代号", "as a pseudonym"),
    "suppress": ("隐去", "suppressed"),
}
_DONE: Mapping[str, tuple[str, str]] = {
    "ask": ("通过“{zh}”查询了该儿童", "asked about this child ({en})"),
    "list": ("查看了包含该儿童的“{zh}”", "read a list with this child ({en})"),
    "upload": ("报送了包含该儿童的“{zh}”数据", "handed in a file with this child ({en})"),
    "subscribe": ("收到了关于该儿童的“{zh}”", "was told of this child ({en})"),
    "refer": ("试图办理该儿童个案的移送或移交", "tried a step of a referral or hand-over"),
    "resolve": ("试图办理该儿童的身份还原", "tried a step of a resolution of identity"),
}
_EXPORTED = ("导出了包含该儿童的“{zh}”", "exported a list with this child ({en})")
_DETAILS: Mapping[tuple[str, str], tuple[str, str]] = {
    ("needy-children", "job"): _EXPORTED,
    ("aid-gap", "job"): _EXPORTED,
    ("placement-advice", "job"): _EXPORTED,
    ("placement-outcomes", "job"): _EXPORTED,
    ("placement-advice", "asked"): ("通过“{zh}”查询了该儿童", "asked about this child ({en})"),
    ("leads", "explained"): ("查看了关于该儿童的线索因何产生", "read why a lead about this child was opened"),
    ("ledgers", ""): ("查看了包含该儿童的控辍保学台账", "read a ledger with this child"),
    ("leads", "acknowledged"): ("签收了关于该儿童的线索", "acknowledged a lead about this child"),
    ("duties", "done"): ("登记办结了一项有关该儿童的职责", "recorded a duty towards this child as done"),
    ("duties", "waiting"): (
        "登记一项有关该儿童的职责在等待其他部门",
        "recorded that a duty towards this child waits for another agency",
    ),
    ("duties", "resumed"): ("恢复办理一项有关该儿童的职责", "went on with a duty towards this child"),
    ("duties", "assigned"): (
        "为一项有关该儿童的职责指定了经办人",
        "gave a duty towards this child to an officer",
    ),
    ("duties", "handed-over"): (
        "在经办人之间移交了有关该儿童的职责",
        "handed duties towards this child from one officer to another",
    ),
    ("identity", "requested"): ("申请了解该儿童是谁", "asked who this child is"),
    ("identity", "read"): ("查看了身份还原申请的办理状态", "read the state of a resolution of identity"),
    ("identity", "approved"): (
        "批准了解该儿童身份的申请",
        "approved that a colleague learns who this child is",
    ),
    ("identity", "rejected"): ("驳回了解该儿童身份的申请", "rejected a request to learn who this child is"),
    ("identity", "shown"): ("经批准看到了该儿童的身份", "was shown who this child is, as approved"),
    ("identity", "emergency"): (
        "因紧急情况未经批准即看到了该儿童的身份，须由他人复核",
        "was shown who this child is in an emergency, without approval and subject to review",
    ),
    ("identity", "justified"): ("复核紧急查看，认定属实", "reviewed the emergency and found it justified"),
    ("identity", "unjustified"): (
        "复核紧急查看，认定无正当理由，已告警",
        "reviewed the emergency and found it unjustified; an alarm was raised",
    ),
    ("identity", "expired"): (
        "了解身份的申请或批准已过期",
        "a request or an approval to learn who this child is expired",
    ),
    ("identity", "escalated"): (
        "紧急查看逾期未复核，已向审计员告警",
        "an emergency was not reviewed in time; the auditor was alarmed",
    ),
    ("identity", "worded"): (
        "经批准将该儿童的姓名写入法律文书",
        "had this child's name put into a legal instrument, as approved",
    ),
    ("identity", "document"): (
        "下载了写有该儿童姓名的法律文书",
        "fetched a legal instrument with this child's name",
    ),
    ("notices", "issued"): ("签发了关于该儿童的法律文书", "issued a legal instrument about this child"),
    ("notices", "served"): ("登记了该文书的送达", "recorded that the legal instrument was served"),
    ("notices", "voided"): ("撤回了该文书", "withdrew the legal instrument"),
    ("notices", "read"): ("查看了该儿童个案的法律文书目录", "read which legal instruments the case has"),
    **{("cases", word): told for word, told in CASES.items()},
    ("child-file", "file"): ("查看了该儿童的一生一档", "read this child's file"),
    ("case-referral", "sent"): (
        "将该儿童的个案移送其他部门",
        "referred this child's case to another agency",
    ),
    ("case-referral", "read"): ("查看了该儿童个案的移送", "looked at the referral of this child's case"),
    ("case-referral", "rejected"): (
        "退回了该儿童个案的移送",
        "rejected the referral of this child's case",
    ),
    ("case-referral", "revoked"): ("撤回了该儿童个案的移送", "revoked the referral of this child's case"),
    ("case-referral", "commented"): (
        "就该儿童个案的移送提出意见",
        "commented on the referral of this child's case",
    ),
    ("case-referral", "lapsed"): (
        "该儿童的个案已办结或复学，移送自动撤回",
        "the case was over or the child back: the referral was taken back",
    ),
    ("case-referral", "notified"): (
        "该儿童的个案已办结，已告知接收移送的部门",
        "the case was over: the agency that had accepted the referral was notified",
    ),
    ("referred-case", "accepted"): (
        "接收了该儿童个案的移送",
        "accepted the referral of this child's case",
    ),
    ("referred-case", "read"): ("查看了已接收的该儿童个案", "looked at this child's case, as accepted"),
    ("referred-case", "commented"): (
        "就已接收的该儿童个案提出意见",
        "commented on this child's case, as accepted",
    ),
    ("referred-case", "taken_over"): (
        "接手了已接收的该儿童个案",
        "took over this child's case, as accepted by a colleague",
    ),
    ("case-handover", "sent"): (
        "向另一县提出移交该儿童的个案",
        "proposed to hand this child's case over to another county",
    ),
    ("case-handover", "read"): ("查看了该儿童个案的县际移交", "looked at the hand-over of this child's case"),
    ("case-handover", "accepted"): (
        "接收了由另一县移交的该儿童个案",
        "accepted this child's case from another county",
    ),
    ("case-handover", "rejected"): (
        "退回了由另一县移交的该儿童个案",
        "rejected this child's case from another county",
    ),
    ("case-handover", "revoked"): (
        "撤回了该儿童个案的县际移交",
        "revoked the hand-over of this child's case",
    ),
    ("case-handover", "lapsed"): (
        "该儿童的个案已办结，县际移交自动撤回",
        "the case was over: its hand-over was taken back",
    ),
    (EXCHANGE, ""): ("在窗口查询了本清单", "read this list at the counter"),
}
_MAPPING = (
    "取得了该儿童在本部门的新旧代号对照（密钥轮换）",
    "fetched its old and new pseudonyms of this child, as the key turned",
)
_SYSTEM = ("自动程序", "automatic task")
SYSTEM_ROLE = "gateway/system"
"""The gateway itself, where time alone brings something about. It is no role: nobody can be given it."""


def record_of(use: Use, registry: Registry) -> dict[str, object]:
    """A use as the contract shows it, before the mask."""
    return {
        "at": to_second(use.at),
        "agency": use.agency,
        "role": use.role,
        "region": use.region,
        "exchange": use.exchange,
        "purpose": use.purpose,
        "rule": list(use.policy_ids),
        "legal_basis": _law(use),
        "fields": [
            {"name": name, "title": _title(use.exchange, name), "treatment": use.fields[name]}
            for name in _ordered(use)
        ],
        "reference": use.reference,
        "sentence": sentence_zh(use, registry),
        "sentence_en": sentence_en(use, registry),
    }


def totals_of(uses: Iterable[Use], registry: Registry) -> list[dict[str, object]]:
    """How often each agency, the most frequent first."""
    counted = Counter(use.agency for use in uses)
    return [
        {
            "agency": agency,
            "title_zh": _agency(agency, registry)[0],
            "title_en": _agency(agency, registry)[1],
            "uses": uses,
        }
        for agency, uses in sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    ]


def sentence_zh(use: Use, registry: Registry) -> str:
    """`2026-11-20 10:15 … 招用工核查员 为“童工核查”查询了该儿童，得到：…；依据：…。`"""
    exchange = EXCHANGES.get(use.exchange)
    name = exchange.title_zh if exchange else use.exchange
    purpose = registry.purposes.get(use.purpose)
    aim = purpose.title_zh if purpose else use.purpose
    who = f"{regions().name(use.region)} {_agency(use.agency, registry)[0]} {_role(use.role, registry)[0]}"
    got = "、".join(
        _with(_title(use.exchange, each), _treatment(use, each)[0], "（", "）") for each in _ordered(use)
    )
    gained = _gained(use, got, "，得到：", "，未得到任何信息")
    law = f"{_law(use) or '无'}{_rule(use, '（策略 ', '）')}"
    return f"{_when(use)} {who} 为“{aim}”{_done(use)[0].format(zh=name)}{gained}；依据：{law}。"


def sentence_en(use: Use, registry: Registry) -> str:
    """The same in English; laws keep their Chinese names."""
    exchange = EXCHANGES.get(use.exchange)
    name = exchange.title_en if exchange else use.exchange
    purpose = registry.purposes.get(use.purpose)
    aim = purpose.title_en if purpose else use.purpose
    who = f"{_agency(use.agency, registry)[1]} ({use.region}), {_role(use.role, registry)[1]}"
    got = ", ".join(
        _with(each.replace("_", " "), _treatment(use, each)[1], " (", ")") for each in _ordered(use)
    )
    gained = _gained(use, got, "; obtained: ", "; obtained nothing")
    law = f"{_law(use) or 'none'}{_rule(use, ' (policy ', ')')}"
    return f"{_when(use)} {who}, for “{aim}”: {_done(use)[1].format(en=name)}{gained}; legal basis: {law}."


def _when(use: Use) -> str:
    return use.at.astimezone(_LOCAL).strftime("%Y-%m-%d %H:%M")


def _done(use: Use) -> tuple[str, str]:
    """What was done, by the entry's own words; of an exchange nobody here knows, that it was used."""
    word = use.detail.partition(" ")[0]
    kind = "job" if word.startswith("job-") else word
    if word.startswith("mapping:"):
        return _MAPPING
    unknown = ("使用了该儿童的信息（{zh}）", "used this child's data ({en})")
    return (
        _DETAILS.get((use.exchange, kind))
        or _DETAILS.get((use.exchange, ""))
        or _DONE.get(use.action, unknown)
    )


def _gained(use: Use, got: str, gained: str, nothing: str) -> str:
    if use.role == SYSTEM_ROLE:
        return ""
    if use.decision != "permit":
        return nothing
    if use.exchange == EXCHANGE:
        return "" if use.count else nothing
    if use.action == "upload":
        return ""
    return gained + got if got else nothing


def _law(use: Use) -> str:
    exchange = EXCHANGES.get(use.exchange)
    return exchange.legal_basis if exchange else ""


def _rule(use: Use, before: str, after: str) -> str:
    """The first policy: the one that let the caller use the exchange at all."""
    return f"{before}{use.policy_ids[0]}{after}" if use.policy_ids else ""


def _ordered(use: Use) -> list[str]:
    """The fields in the contract's order; those it no longer has come last."""
    exchange = EXCHANGES.get(use.exchange)
    known = [field.name for field in exchange.fields if field.name in use.fields] if exchange else []
    return known + sorted(use.fields.keys() - set(known))


def _title(exchange: str, name: str) -> str:
    found = EXCHANGES.get(exchange)
    return next((field.title_zh for field in found.fields if field.name == name), name) if found else name


def _treatment(use: Use, name: str) -> tuple[str, str]:
    word = use.fields[name]
    return TREATMENTS.get(word, (word, word))


def _with(title: str, treatment: str, before: str, after: str) -> str:
    return f"{title}{before}{treatment}{after}" if treatment and treatment != title else title


def _agency(agency: str, registry: Registry) -> tuple[str, str]:
    found = registry.agencies.get(agency)
    return (found.title_zh, found.title_en) if found else (agency, agency)


def _role(role: str, registry: Registry) -> tuple[str, str]:
    if role == SYSTEM_ROLE:
        return _SYSTEM
    found = registry.roles.get(role)
    return (found.title_zh, found.title_en) if found else (role, role)
