"""`disability-assessment`: one assessment of one child.

Sources: GB/T 26341-2010 for category and grade; 残疾人教育条例 (2017) art. 20 for what it may serve.
"""

from schemas.records.base import Column, Dataset, Kind

DISABILITY_ASSESSMENT = Dataset(
    id="disability-assessment",
    title_zh="残疾评估",
    title_en="Disability assessment",
    provider="health",
    subject="id_number",
    key=("assessed_on",),
    columns=(
        Column("name", "姓名", Kind.NAME, "identifier", required=True, sample="张三"),
        Column(
            "id_number",
            "身份证号",
            Kind.RESIDENT_ID,
            "identifier",
            required=True,
            aliases=("身份证件号", "身份证号码", "证件号码"),
            sample="530423201503050028",
        ),
        Column(
            "category",
            "残疾类别",
            Kind.CODE,
            "sensitive",
            required=True,
            codes="disability_category",
            sample="听力",
        ),
        Column(
            "grade",
            "残疾等级",
            Kind.CODE,
            "sensitive",
            required=True,
            codes="disability_grade",
            sample="三级",
        ),
        Column(
            "assessed_on",
            "评估日期",
            Kind.DATE,
            "plain",
            required=True,
            not_future=True,
            sample="2026-10-11",
        ),
        Column(
            "suitability",
            "教育适宜性",
            Kind.CODE,
            "sensitive",
            required=True,
            codes="suitability",
            sample="可随班就读",
        ),
        Column(
            "region",
            "现住址行政区划",
            Kind.REGION,
            "quasi",
            required=True,
            aliases=("行政区划",),
            sample="530423101",
        ),
        Column(
            "needs_support",
            "是否需要支持服务",
            Kind.CODE,
            "sensitive",
            codes="yes_no",
            aliases=("需要支持", "需要支持服务"),
            sample="是",
        ),
        Column("assessor", "评估机构", Kind.TEXT, "plain", sample="县人民医院"),
    ),
)
