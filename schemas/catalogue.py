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
_SIGHTINGS = ("sightings",)
_PAID = ("student-register", "aid-payments")
_AID = ("student-register", "relief-register", "aid-payments")
_ASSESSED = ("disability-assessment",)
_ALL = ("student-register", "attendance", "relief-register", "disability-assessment", "sightings")


def _upload(dataset: str, law: str, *purposes: str) -> Exchange:
    """The upload exchange of a dataset bears the dataset's own id; it releases a receipt and nothing else."""
    record = DATASETS[dataset]
    return Exchange(
        id=dataset,
        title_zh=record.title_zh,
        title_en=record.title_en,
        action=Action.UPLOAD,
        provider=record.provider,
        sharing="conditional",
        purposes=purposes,
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
    _upload("student-register", "中小学生学籍管理办法 第二十二条", "student_registration"),
    _upload("attendance", "义务教育法 第十三条", "attendance_reporting"),
    _upload("relief-register", "社会救助暂行办法 第五十九条", "relief_registration"),
    _upload("disability-assessment", "残疾人教育条例 第二十条", "disability_assessment"),
    _upload("sightings", "禁止使用童工规定 第五条；劳动保障监察条例 第十五条", "labour_inspection"),
    _upload("aid-payments", "义务教育法 第四十四条", "aid_delivery"),
    _upload(
        "focus-groups",
        "未成年人保护法 第二十九条；义务教育法 第十三条",
        "student_registration",
        "dropout_control",
    ),
    _upload("case-outcome", "法律援助法 第二十四条；人民调解法 第三条", "legal_aid"),
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
        id="registration-check",
        title_zh="失业登记核查",
        title_en="Registration check",
        action=Action.ASK,
        provider="education",
        sharing="conditional",
        purposes=("child_labour_check",),
        legal_basis="就业服务与就业管理规定 第六十三条；禁止使用童工规定 第二条",
        fields=(Field("must_not_register", "不得登记失业", "plain"),),
    ),
    Exchange(
        id="employer-hits",
        title_zh="使用童工单位名单",
        title_en="Employers found with children at work",
        action=Action.LIST,
        provider="human_resources",
        sharing="conditional",
        purposes=("labour_inspection",),
        legal_basis="禁止使用童工规定 第五条、第六条",
        # About employers: no child, no pseudonym, no day. How many children, and when at the latest, by month.
        fields=(
            Field("employer_uscc", "统一社会信用代码", "plain", _SIGHTINGS),
            Field("confirmed_hits", "确认使用童工人次", "plain", _SIGHTINGS),
            Field("last_hit_month", "最近一次月份", "plain", _SIGHTINGS),
            Field("repeated", "是否重复使用", "plain", _SIGHTINGS),
        ),
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
            Field("aid_received", "是否已获资助", "sensitive", _PAID),
        ),
    ),
    Exchange(
        id="aid-gap",
        title_zh="资助应享未享与错发名单",
        title_en="Gaps in aid",
        action=Action.LIST,
        provider="gateway",
        sharing="conditional",
        purposes=("aid_delivery",),
        legal_basis="义务教育法 第四十四条；未成年人保护法 第九十一条",
        # Amounts tell stage and boarding to whoever knows the standards: they are as good as those.
        fields=(
            Field("pseudonym", "代号", "identifier", _REGISTER),
            Field("township", "乡镇", "quasi", _REGISTER),
            Field("stage", "学段", "quasi", _REGISTER),
            Field("direction", "差异", "sensitive", _AID),
            Field("basis", "认定依据", "sensitive", _NEEDY),
            Field("entitled_yuan", "应发金额（元）", "quasi", _NEEDY),
            Field("paid_yuan", "实发金额（元）", "quasi", _PAID),
        ),
    ),
    Exchange(
        id="placement-advice",
        title_zh="残疾儿童安置建议",
        title_en="Placement advice",
        action=Action.LIST,
        provider="health",
        sharing="conditional",
        purposes=("placement", "aid_delivery"),
        legal_basis="残疾人教育条例 第二十条",
        fields=(
            Field("pseudonym", "代号", "identifier", _ASSESSED),
            Field("advised_placement", "建议安置方式", "sensitive", _ASSESSED),
            Field("needs_support", "是否需要支持服务", "sensitive", _ASSESSED),
            Field("placed", "是否已安置", "sensitive", (*_ASSESSED, *_REGISTER)),
            Field("category", "残疾类别", "sensitive", _ASSESSED),
            Field("grade", "残疾等级", "sensitive", _ASSESSED),
        ),
    ),
    Exchange(
        id="placement-outcomes",
        title_zh="评估安置结果",
        title_en="What came of assessments",
        action=Action.LIST,
        provider="education",
        sharing="conditional",
        purposes=("disability_assessment",),
        legal_basis="残疾人教育条例 第二十条",
        fields=(
            Field("pseudonym", "代号", "identifier", _ASSESSED),
            Field("placed", "是否已安置", "sensitive", (*_ASSESSED, *_REGISTER)),
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
        id="reports",
        title_zh="控辍保学报告",
        title_en="Reports",
        action=Action.SUBSCRIBE,
        provider="gateway",
        sharing="conditional",
        purposes=("dropout_control",),
        legal_basis="义务教育法 第十三条；国办发〔2017〕72号",
        fields=(
            Field("id", "报告编号", "plain"),
            Field("kind", "报告种类", "plain"),
            Field("title_zh", "名称", "plain"),
            Field("title_en", "英文名称", "plain"),
            Field("level", "层级", "plain"),
            Field("region", "行政区划", "plain"),
            Field("school", "学校", "plain"),
            Field("period", "报告期", "plain"),
            Field("first", "起始日期", "plain"),
            Field("last", "截止日期", "plain"),
            Field("status", "状态", "plain"),
            Field("due_on", "签发期限", "plain"),
            Field("made_on", "生成日期", "plain"),
            Field("signed_by", "签发人", "plain"),
            Field("signed_on", "签发日期", "plain"),
            Field("missing", "缺少数据的县", "plain"),
            Field("figures", "数据", "sensitive", _SCHOOLING),
            Field("stated", "自报数据", "sensitive", _SCHOOLING),
            Field("disagreements", "与事实不符之处", "sensitive", _SCHOOLING),
            # of a list of lost students, child by child
            Field("pseudonym", "代号", "identifier", _REGISTER),
            Field("case", "个案编号", "plain"),
            Field("township", "乡镇", "quasi", _REGISTER),
            Field("home_school", "学校", "quasi", _REGISTER),
            Field("since", "自何时起", "sensitive", _SCHOOLING),
            Field("because", "依据", "sensitive", _SCHOOLING),
        ),
    ),
    Exchange(
        id="cases",
        title_zh="控辍个案",
        title_en="Cases",
        action=Action.SUBSCRIBE,
        provider="gateway",
        sharing="conditional",
        purposes=("dropout_control",),
        legal_basis="义务教育法 第十三条、第五十八条；未成年人保护法 第八十三条",
        fields=(
            Field("ref", "个案编号", "plain"),
            Field("pseudonym", "代号", "identifier", _REGISTER),
            Field("region", "行政区划", "quasi", _REGISTER),
            Field("township", "乡镇", "quasi", _REGISTER),
            Field("school", "学校", "quasi", _REGISTER),
            Field("state", "个案状态", "sensitive", _SCHOOLING),
            Field("since", "进入该状态日期", "plain"),
            Field("opened_at", "立案时间", "plain"),
            Field("owner", "当前责任部门", "sensitive", _SCHOOLING),
            Field("ended_on", "办结日期", "plain"),
            Field("merged_into", "并入个案", "plain"),
            Field("history", "办理经过", "sensitive", _ALL),
            Field("plan", "一人一策", "sensitive", _ALL),
            Field("leads", "线索", "sensitive", _ALL),
            Field("duties", "职责", "sensitive", _ALL),
            Field("observation", "观察期到课", "sensitive", _SCHOOLING),
            Field("steps", "可办理事项", "sensitive", _SCHOOLING),
        ),
    ),
    Exchange(
        id="child-file",
        title_zh="一生一档",
        title_en="One child, one file",
        action=Action.SUBSCRIBE,
        provider="gateway",
        sharing="conditional",
        purposes=("dropout_control",),
        legal_basis="义务教育法 第十三条、第五十八条；未成年人保护法 第八十三条",
        fields=(
            Field("case", "个案编号", "plain"),
            Field("pseudonym", "代号", "identifier", _REGISTER),
            Field("registers", "学籍", "sensitive", _REGISTER),
            Field("attendance", "考勤", "sensitive", _SCHOOLING),
            Field("relief", "救助类别", "sensitive", ("relief-register",)),
            Field("placement_advice", "安置建议", "sensitive", ("disability-assessment",)),
            Field("focus_groups", "重点关注群体", "sensitive", _NEEDY),
            Field("misconduct", "不良行为", "sensitive"),
            Field("leads", "线索", "sensitive", _ALL),
            Field("cases", "个案", "sensitive", _SCHOOLING),
            Field("history", "办理经过", "sensitive", _ALL),
        ),
    ),
    Exchange(
        id="duties",
        title_zh="职责与期限",
        title_en="Duties",
        action=Action.SUBSCRIBE,
        provider="gateway",
        sharing="conditional",
        purposes=("dropout_control", "labour_inspection", "child_relief", "legal_aid"),
        legal_basis="义务教育法 第十三条、第五十八条；未成年人保护法 第六条、第一百零八条",
        # What an agency owes is its own to know. Which child it is about tells the case, or the pseudonym: named fields.
        fields=(
            Field("id", "职责编号", "plain"),
            Field("duty", "职责类别", "plain"),
            Field("title_zh", "职责名称", "plain"),
            Field("title_en", "职责英文名称", "plain"),
            Field("owner", "责任部门", "plain"),
            Field("region", "行政区划", "plain"),
            Field("township", "乡镇", "quasi", _REGISTER),
            Field("school", "学校标识码", "quasi", _REGISTER),
            Field("case", "个案编号", "sensitive"),
            Field("pseudonym", "代号", "identifier", _REGISTER),
            Field("due_on", "办理期限", "plain"),
            Field("status", "状态", "plain"),
            Field("escalated_to", "已上报至", "plain"),
            Field("escalated_on", "上报日期", "plain"),
            Field("reminded_on", "提醒日期", "plain"),
            Field("opened_at", "产生时间", "plain"),
            Field("done_on", "办结日期", "plain"),
            Field("waiting_for", "等待部门", "plain"),
            Field("assignee", "经办人", "plain"),
            Field("employer", "用人单位代码", "plain"),
            Field("facts", "相关事实", "sensitive", _ALL),
            Field("count", "逾期件数", "plain"),
            Field("since", "最早期限", "plain"),
        ),
    ),
    Exchange(
        id="ledgers",
        title_zh="控辍保学台账",
        title_en="The three ledgers",
        action=Action.SUBSCRIBE,
        provider="gateway",
        sharing="conditional",
        purposes=("dropout_control",),
        legal_basis="义务教育法 第十一条、第五十八条；未成年人保护法 第八十三条",
        fields=(
            Field("case", "个案编号", "plain"),
            Field("child", "代号", "identifier", _REGISTER),
            Field("status", "状态", "sensitive", _SCHOOLING),
            Field("since", "起始日期", "quasi", _SCHOOLING),
            Field("township", "乡镇", "quasi", _REGISTER),
            Field("school", "学校标识码", "quasi", _REGISTER),
            Field("sources", "数据来源", "plain"),
            Field("carried_forward", "沿用上期", "plain", _REGISTER),
            Field("ledger", "台账", "plain"),
            Field("children", "人数", "plain"),
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
        id="notices",
        title_zh="法律文书",
        title_en="Legal instruments",
        action=Action.SUBSCRIBE,
        provider="gateway",
        sharing="conditional",
        purposes=("dropout_control",),
        legal_basis="义务教育法 第十三条、第五十八条；行政强制法 第三十五条、第三十六条",
        # Names are in the document alone, and only an approved resolution puts one there (exchange `identity`).
        fields=(
            Field("id", "文书编号", "plain"),
            Field("kind", "文书种类", "plain"),
            Field("title", "文书名称", "plain"),
            Field("number", "文号", "plain"),
            Field("case", "个案编号", "plain"),
            Field("office", "发文机关行政区划", "plain"),
            Field("state", "状态", "plain"),
            Field("issued_on", "签发日期", "plain"),
            Field("due_on", "期限届满日", "plain"),
            Field("service", "送达情况", "sensitive"),
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
        purposes=("child_relief", "dropout_control", "disability_assessment", "legal_aid"),
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
