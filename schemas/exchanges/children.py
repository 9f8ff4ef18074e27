"""Lists of children: needy, unpaid, assessed."""

from schemas.exchanges.base import AID, ASSESSED, NEEDY, PAID, REGISTER, SCHOOLING, Action, Exchange, Field

CHILDREN = (
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
            Field("pseudonym", "代号", "identifier", REGISTER),
            Field("age_band", "年龄段", "quasi", REGISTER),
            Field("sex", "性别", "quasi", REGISTER),
            Field("township", "乡镇", "quasi", REGISTER),
            Field("need_classes", "困境类别", "sensitive", NEEDY),
            Field("schooling", "就学状况", "sensitive", SCHOOLING),
            Field("aid_received", "是否已获资助", "sensitive", PAID),
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
            Field("pseudonym", "代号", "identifier", REGISTER),
            Field("township", "乡镇", "quasi", REGISTER),
            Field("stage", "学段", "quasi", REGISTER),
            Field("direction", "差异", "sensitive", AID),
            Field("basis", "认定依据", "sensitive", NEEDY),
            Field("entitled_yuan", "应发金额（元）", "quasi", NEEDY),
            Field("paid_yuan", "实发金额（元）", "quasi", PAID),
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
            Field("pseudonym", "代号", "identifier", ASSESSED),
            Field("advised_placement", "建议安置方式", "sensitive", ASSESSED),
            Field("needs_support", "是否需要支持服务", "sensitive", ASSESSED),
            Field("placed", "是否已安置", "sensitive", (*ASSESSED, *REGISTER)),
            Field("category", "残疾类别", "sensitive", ASSESSED),
            Field("grade", "残疾等级", "sensitive", ASSESSED),
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
            Field("pseudonym", "代号", "identifier", ASSESSED),
            Field("placed", "是否已安置", "sensitive", (*ASSESSED, *REGISTER)),
        ),
    ),
)
