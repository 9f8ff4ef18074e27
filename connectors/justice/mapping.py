"""How the justice bureau's case system names things: its own headings, and the words of its registers."""

from connectors.base import Mapping

CASE_OUTCOME = Mapping(
    dataset="case-outcome",
    headings={
        "referral": ("来文移送编号", "线索移送编号"),
        "outcome": ("办结方式", "处理方式"),
        "decided_on": ("结案日期", "决定日期"),
        "note": ("承办意见",),
    },
    codes={
        "outcome": {
            "FY01": "legal_aid_granted",
            "指派法律援助律师": "legal_aid_granted",
            "XJ01": "admonished",
            "口头训诫": "admonished",
            "TJ01": "mediated",
            "人民调解协议": "mediated",
            "CD01": "court_ordered",
            "BY01": "not_taken",
            "QT01": "other",
        },
    },
)

PROVIDES: tuple[Mapping, ...] = (CASE_OUTCOME,)
