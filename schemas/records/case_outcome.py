"""`case-outcome`: what came of a case that justice accepted. Sources: 法律援助法; 人民调解法; 未成年人保护法 art. 118.

Its rows name no child: the referral says whose case it is, and only to the gateway.
"""

from schemas.records.base import Column, Dataset, Kind

CASE_OUTCOME = Dataset(
    id="case-outcome",
    title_zh="移送办理结果",
    title_en="Outcomes of referrals",
    provider="justice",
    subject="referral",
    columns=(
        Column(
            "referral",
            "移送编号",
            Kind.TEXT,
            "plain",
            required=True,
            aliases=("移送单号",),
            sample="rfl-00000000000000000000000000",
        ),
        Column(
            "outcome",
            "办理结果",
            Kind.CODE,
            "plain",
            required=True,
            codes="case_outcome",
            aliases=("处理结果", "结果"),
            sample="法律援助",
        ),
        Column(
            "decided_on",
            "日期",
            Kind.DATE,
            "plain",
            required=True,
            not_future=True,
            aliases=("办结日期", "作出日期"),
            sample="2026-11-18",
        ),
        Column("note", "备注", Kind.TEXT, "sensitive", aliases=("说明",), sample=""),
    ),
)
