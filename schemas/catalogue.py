"""The catalogue: every exchange, what it may at most release, where each field comes from, and on which law it stands.

Sharing classes follow 政务数据共享条例 (国务院令第809号) art. 10: unconditional 无条件, conditional 有条件, withheld 不予共享.
A field names every dataset it is derived from, so that a policy which forbids a dataset walls off the field too.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from schemas.records import DATASETS, Classification

SharingClass = Literal["unconditional", "conditional", "withheld"]


class Action(StrEnum):
    """What a caller does with an exchange; Cedar's action ids."""

    ASK = "ask"
    LIST = "list"
    UPLOAD = "upload"
    SUBSCRIBE = "subscribe"
    REFER = "refer"


@dataclass(frozen=True, slots=True)
class Field:
    """One value an exchange may release: `name` in the answer, `derived_from` the datasets it tells about."""

    name: str
    title_zh: str
    classification: Classification
    derived_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exchange:
    """A data product: who provides it, how it is used, what it may at most release."""

    id: str
    title_zh: str
    title_en: str
    action: Action
    provider: str
    sharing: SharingClass
    purposes: tuple[str, ...]
    legal_basis: str
    fields: tuple[Field, ...] = ()
    dataset: str | None = None

    def field(self, name: str) -> Field:
        """The field of that name; KeyError when the exchange has none."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)


_REGISTER = ("student-register",)
_SCHOOLING = ("student-register", "attendance")
_NEEDY = ("student-register", "relief-register")
_ALL = ("student-register", "attendance", "relief-register", "disability-assessment")


def _upload(dataset: str, purpose: str, law: str) -> Exchange:
    """The upload exchange of a dataset bears the dataset's own id; it releases a receipt and nothing else."""
    record = DATASETS[dataset]
    return Exchange(
        id=dataset,
        title_zh=record.title_zh,
        title_en=record.title_en,
        action=Action.UPLOAD,
        provider=record.provider,
        sharing="conditional",
        purposes=(purpose,),
        legal_basis=law,
        dataset=dataset,
    )


_EXCHANGES = (
    _upload("student-register", "student_registration", "中小学生学籍管理办法 第二十二条"),
    _upload("attendance", "attendance_reporting", "义务教育法 第十三条"),
    _upload("relief-register", "relief_registration", "社会救助暂行办法 第五十九条"),
    _upload("disability-assessment", "disability_assessment", "残疾人教育条例 第二十条"),
    Exchange(
        id="applicant-check",
        title_zh="用工核查",
        title_en="Applicant check",
        action=Action.ASK,
        provider="education",
        sharing="conditional",
        purposes=("child_labour_check",),
        legal_basis="禁止使用童工规定 第四条",
        fields=(
            Field("under_16", "未满十六周岁", "plain"),
            Field("out_of_school", "是否失学", "plain", _SCHOOLING),
            Field("exception_possible", "可能适用例外", "plain"),
            Field("verdict", "结论", "plain"),
            Field("lead", "线索编号", "plain"),
        ),
    ),
    Exchange(
        id="licence-check",
        title_zh="登记核查",
        title_en="Licence check",
        action=Action.ASK,
        provider="education",
        sharing="conditional",
        purposes=("licence_check",),
        legal_basis="促进个体工商户发展条例 第二条；禁止使用童工规定 第二条",
        fields=(Field("must_not_license", "不得登记", "plain"),),
    ),
    Exchange(
        id="needy-children",
        title_zh="困境儿童名单",
        title_en="Needy children",
        action=Action.LIST,
        provider="education",
        sharing="conditional",
        purposes=("child_relief",),
        legal_basis="未成年人保护法 第九十一条",
        fields=(
            Field("pseudonym", "代号", "identifier", _REGISTER),
            Field("age_band", "年龄段", "quasi", _REGISTER),
            Field("sex", "性别", "quasi", _REGISTER),
            Field("township", "乡镇", "quasi", _REGISTER),
            Field("need_classes", "困境类别", "sensitive", _NEEDY),
            Field("schooling", "就学状况", "sensitive", _SCHOOLING),
            Field("aid_received", "是否已获资助", "sensitive", _REGISTER),
        ),
    ),
    Exchange(
        id="leads",
        title_zh="控辍线索",
        title_en="Leads",
        action=Action.SUBSCRIBE,
        provider="gateway",
        sharing="conditional",
        purposes=("dropout_control",),
        legal_basis="义务教育法 第五十八条；未成年人保护法 第八十三条",
        fields=(
            Field("id", "线索编号", "plain"),
            Field("rule", "触发规则", "sensitive", _ALL),
            Field("case", "个案编号", "plain"),
            Field("region", "行政区划", "quasi", _REGISTER),
            Field("status", "状态", "plain"),
            Field("opened_at", "产生时间", "plain"),
            Field("due_on", "办理期限", "plain"),
            Field("facts", "触发事实", "sensitive", _ALL),
        ),
    ),
    Exchange(
        id="deletions",
        title_zh="删除通知",
        title_en="Deletion notices",
        action=Action.SUBSCRIBE,
        provider="gateway",
        sharing="conditional",
        purposes=("child_relief",),
        legal_basis="个人信息保护法 第四十七条",
        fields=(
            Field("id", "通知编号", "plain"),
            Field("exchanges", "所涉名单", "plain"),
            Field("pseudonyms", "代号", "identifier", _REGISTER),
            Field("deleted_on", "删除日期", "plain"),
            Field("due_on", "回执期限", "plain"),
            Field("received_at", "回执时间", "plain"),
        ),
    ),
)

EXCHANGES: dict[str, Exchange] = {exchange.id: exchange for exchange in _EXCHANGES}
