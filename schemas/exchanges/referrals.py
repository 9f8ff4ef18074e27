"""Referrals, what their receiver gets after acceptance, and hand-overs between counties."""

from schemas.exchanges.base import REGISTER, Action, Exchange, Field

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
            Field("pseudonym", "代号", "identifier", REGISTER),
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
            Field("pseudonym", "代号", "identifier", REGISTER),
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
            Field("pseudonym", "代号", "identifier", REGISTER),
            Field("reason", "退回或撤回理由", "sensitive"),
            Field("package", "签名移交文件", "sensitive"),
        ),
    ),
)
