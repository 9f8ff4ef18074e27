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
    RESOLVE = "resolve"


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


_REFERRAL_HEAD = (
    Field("id", "移送编号", "plain"),
    Field("kind", "类别", "plain"),
    Field("to", "移送去向", "plain"),
    Field("status", "办理状态", "plain"),
    Field("measure", "请求措施", "plain"),
    Field("region", "移出县", "plain"),
    Field("sent_on", "移送日期", "plain"),
    Field("decided_on", "决定日期", "plain"),
    Field("outcome", "办理结果", "plain"),
    Field("outcome_on", "办结日期", "plain"),
)
_COMMENTS = Field("comments", "往来意见", "sensitive")
_NOTE = Field("note", "说明", "sensitive")

# A referral as its sender sees it, and as its receiver sees it before acceptance: to the receiver, `plain` fields only.
# After acceptance the one officer who accepted has `referred-case`, which holds no school mark and no medical detail.
REFERRALS = (
    Exchange(
        id="case-referral",
        title_zh="个案移送",
        title_en="Referral of a case",
        action=Action.REFER,
        provider="education",
        sharing="conditional",
        purposes=("dropout_control", "legal_aid", "labour_inspection"),
        legal_basis="义务教育法 第五十八条；未成年人保护法 第八十三条、第一百一十八条",
        fields=(
            *_REFERRAL_HEAD,
            Field("due_on", "决定期限", "plain"),
            Field("ground", "退回事由", "plain"),
            Field("stage", "个案阶段", "plain"),
            Field("case_open_weeks", "立案周数", "plain"),
            Field("notices_served", "已送达文书日期", "plain"),
            Field("concerns", "所涉移送", "plain"),
            Field("employer_uscc", "用人单位统一社会信用代码", "plain"),
            Field("month", "查实月份", "plain"),
            Field("measure_taken", "已采取措施", "plain"),
            Field("case", "个案编号", "sensitive"),
            Field("pseudonym", "代号", "identifier", _REGISTER),
            _NOTE,
            Field("reason", "退回或撤回理由", "sensitive"),
            _COMMENTS,
        ),
    ),
    Exchange(
        id="referred-case",
        title_zh="已接收的移送个案",
        title_en="A referred case, accepted",
        action=Action.REFER,
        provider="education",
        sharing="conditional",
        purposes=("legal_aid",),
        legal_basis="法律援助法 第二十四条；未成年人保护法 第一百零四条、第一百一十八条",
        fields=(
            *_REFERRAL_HEAD,
            Field("pseudonym", "代号", "identifier", _REGISTER),
            Field("guardian", "监护人联系方式", "sensitive"),
            Field("notices", "文书编号和送达日期", "sensitive"),
            _NOTE,
            _COMMENTS,
        ),
    ),
    Exchange(
        id="case-handover",
        title_zh="县际个案移交",
        title_en="Hand-over of a case to another county",
        action=Action.REFER,
        provider="education",
        sharing="conditional",
        purposes=("dropout_control",),
        legal_basis="义务教育法 第十二条、第十三条；未成年人保护法 第八十三条",
        fields=(
            Field("id", "移交编号", "plain"),
            Field("kind", "类别", "plain"),
            Field("status", "办理状态", "plain"),
            Field("from_region", "移出县", "plain"),
            Field("to_region", "接收县", "plain"),
            Field("stage", "个案阶段", "plain"),
            Field("case_open_weeks", "立案周数", "plain"),
            Field("notices_served", "已送达文书日期", "plain"),
            Field("has_plan", "是否有一人一策", "plain"),
            Field("sent_on", "移交日期", "plain"),
            Field("due_on", "决定期限", "plain"),
            Field("decided_on", "决定日期", "plain"),
            Field("package_sha256", "移交文件摘要", "plain"),
            Field("case", "移出县个案编号", "sensitive"),
            Field("new_case", "接收县个案编号", "sensitive"),
            Field("pseudonym", "代号", "identifier", _REGISTER),
            Field("reason", "退回或撤回理由", "sensitive"),
            Field("package", "签名移交文件", "sensitive"),
        ),
    ),
)


_EXCHANGES = (
    _upload("student-register", "student_registration", "中小学生学籍管理办法 第二十二条"),
    _upload("attendance", "attendance_reporting", "义务教育法 第十三条"),
    _upload("relief-register", "relief_registration", "社会救助暂行办法 第五十九条"),
    _upload("disability-assessment", "disability_assessment", "残疾人教育条例 第二十条"),
    _upload("case-outcome", "legal_aid", "法律援助法 第二十四条；人民调解法 第三条"),
    *REFERRALS,
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
            Field("pseudonym", "代号", "identifier", _REGISTER),
        ),
    ),
    Exchange(
        id="identity",
        title_zh="身份还原",
        title_en="Resolution of identity",
        action=Action.RESOLVE,
        provider="gateway",
        sharing="conditional",
        purposes=("dropout_control",),
        legal_basis="义务教育法 第十三条、第五十八条；未成年人保护法 第八十三条",
        fields=(
            Field("id", "申请编号", "plain"),
            Field("state", "办理状态", "plain"),
            Field("emergency", "是否紧急", "plain"),
            Field("case", "个案编号", "plain"),
            Field("requested_by", "申请人", "plain"),
            Field("requested_at", "申请时间", "plain"),
            Field("expires_at", "失效时间", "plain"),
            Field("review_due_at", "复核期限", "plain"),
            Field("pseudonym", "代号", "identifier", _REGISTER),
            Field("reason", "申请理由", "sensitive"),
            Field("note", "审批或复核意见", "sensitive"),
            Field("name", "姓名", "identifier", _REGISTER),
            Field("resident_id", "身份证件号", "identifier", _REGISTER),
            Field("student_numbers", "学籍号", "identifier", _REGISTER),
            Field("contact", "联系方式", "identifier", _REGISTER),
        ),
    ),
    Exchange(
        id="disclosures",
        title_zh="儿童信息使用清单",
        title_en="Who looked",
        action=Action.LIST,
        provider="gateway",
        sharing="conditional",
        purposes=("subject_access",),
        legal_basis="个人信息保护法 第四十四条、第四十五条",
        # Whom a child's data reached, and for what: nothing of what the data said. That there was an assessment can be
        # read off it all the same, so these are sensitive: a policy must name each.
        fields=(
            Field("at", "时间", "sensitive"),
            Field("agency", "机构", "sensitive"),
            Field("role", "岗位", "sensitive"),
            Field("region", "机构所在地", "sensitive"),
            Field("exchange", "交换项", "sensitive"),
            Field("purpose", "用途", "sensitive"),
            Field("rule", "所依策略", "sensitive"),
            Field("legal_basis", "法律依据", "sensitive"),
            Field("fields", "所得字段及处理方式", "sensitive"),
            Field("reference", "凭证编号", "sensitive"),
            Field("sentence", "说明", "sensitive"),
            Field("sentence_en", "英文说明", "sensitive"),
            Field("total", "使用总次数", "sensitive"),
            Field("totals", "各机构使用次数", "sensitive"),
        ),
    ),
    Exchange(
        id="audit-log",
        title_zh="存证日志",
        title_en="Audit log",
        action=Action.LIST,
        provider="gateway",
        sharing="conditional",
        purposes=("audit",),
        legal_basis="数据安全法 第二十七条；个人信息保护法 第五十四条",
        fields=(
            Field("reference", "凭据编号", "plain"),
            Field("at", "时间", "plain"),
            Field("law_date", "法定日期", "plain"),
            Field("client", "客户端", "plain"),
            Field("officer", "经办人", "plain"),
            Field("agency", "部门", "plain"),
            Field("role", "岗位", "plain"),
            Field("region", "调用方行政区划", "plain"),
            Field("asked_region", "所问行政区划", "plain"),
            Field("action", "操作", "plain"),
            Field("exchange", "交换项", "plain"),
            Field("purpose", "用途", "plain"),
            Field("decision", "系统决定", "plain"),
            Field("detail", "说明", "plain"),
            Field("policy_version", "策略版本", "plain"),
            Field("policy_ids", "策略编号", "plain"),
            Field("fields", "提供的字段", "plain"),
            Field("count", "条数", "plain"),
            Field("answer_digest", "答复摘要", "plain"),
        ),
    ),
    Exchange(
        id="alarms",
        title_zh="安全告警",
        title_en="Alarms",
        action=Action.LIST,
        provider="gateway",
        sharing="conditional",
        purposes=("audit",),
        legal_basis="数据安全法 第二十九条；个人信息保护法 第五十四条",
        fields=(
            Field("id", "告警编号", "plain"),
            Field("rule", "类别", "plain"),
            Field("title_zh", "名称", "plain"),
            Field("title_en", "英文名称", "plain"),
            Field("case", "个案编号", "plain"),
            Field("region", "行政区划", "plain"),
            Field("status", "状态", "plain"),
            Field("opened_at", "产生时间", "plain"),
            Field("due_on", "办理期限", "plain"),
            Field("facts", "事实", "plain"),
            Field("raised", "次数", "plain"),
            Field("about", "涉及对象", "plain"),
        ),
    ),
    Exchange(
        id="deletions",
        title_zh="删除通知",
        title_en="Deletion notices",
        action=Action.SUBSCRIBE,
        provider="gateway",
        sharing="conditional",
        purposes=("child_relief", "dropout_control", "legal_aid"),
        legal_basis="个人信息保护法 第四十七条",
        fields=(
            Field("id", "通知编号", "plain"),
            Field("exchanges", "所涉交换项", "plain"),
            Field("pseudonyms", "代号", "identifier", _REGISTER),
            Field("deleted_on", "删除日期", "plain"),
            Field("due_on", "回执期限", "plain"),
            Field("received_at", "回执时间", "plain"),
        ),
    ),
)

EXCHANGES: dict[str, Exchange] = {exchange.id: exchange for exchange in _EXCHANGES}
