"""How the hospitals' information system (HIS) names an assessment: its own headings, two-digit categories,
grade codes `D1` to `D4` and the suitability codes `A1` to `A4` of its assessment form.
"""

from connectors.base import Mapping

DISABILITY_ASSESSMENT = Mapping(
    dataset="disability-assessment",
    headings={
        "name": ("患者姓名", "受评人姓名"),
        "id_number": ("患者证件号", "受评人身份证号"),
        "category": ("残疾类型代码", "评定类别"),
        "grade": ("残疾程度", "评定等级"),
        "assessed_on": ("评定日期", "评估完成日期"),
        "suitability": ("就学建议代码", "教育安置建议"),
        "region": ("现住址区划代码", "居住地区划"),
        "needs_support": ("支持服务需求", "康复支持需求"),
        "assessor": ("评定机构", "评定医院"),
    },
    codes={
        "category": {
            "01": "1",
            "02": "2",
            "03": "3",
            "04": "4",
            "05": "5",
            "06": "6",
            "07": "7",
        },
        "grade": {"D1": "1", "D2": "2", "D3": "3", "D4": "4"},
        "suitability": {
            "A1": "mainstream",
            "A2": "special_school",
            "A3": "home_delivery",
            "A4": "deferral",
        },
    },
)
