"""`sightings`: what labour inspection found at an employer, one row a child, or one row for the place without any.

Sources: 禁止使用童工规定 (国务院令第364号) art. 5, 6; 劳动保障监察条例 (国务院令第423号) art. 15, 17.
"""

from schemas.records.base import Column, Dataset, Kind

SIGHTINGS = Dataset(
    id="sightings",
    title_zh="用工核查现场记录",
    title_en="Sightings at work",
    provider="human_resources",
    subject="id_number",
    key=("employer_uscc", "inspected_on"),
    otherwise=("place",),
    columns=(
        Column(
            "employer_uscc",
            "统一社会信用代码",
            Kind.USCC,
            "plain",
            required=True,
            aliases=("信用代码", "用人单位代码"),
            sample="91530423MA6K2JJF8R",
        ),
        Column(
            "employer_name", "用人单位名称", Kind.TEXT, "plain", aliases=("单位名称",), sample="示范加工厂"
        ),
        Column(
            "inspected_on",
            "检查日期",
            Kind.DATE,
            "quasi",
            required=True,
            not_future=True,
            aliases=("核查日期",),
            sample="2026-11-12",
        ),
        Column("place", "地点", Kind.TEXT, "quasi", aliases=("检查地点",), sample="一号车间"),
        Column(
            "region",
            "行政区划",
            Kind.REGION,
            "quasi",
            required=True,
            aliases=("检查地行政区划",),
            sample="530423101",
        ),
        Column(
            "id_number",
            "身份证号",
            Kind.RESIDENT_ID,
            "identifier",
            aliases=("resident_id", "儿童身份证号", "身份证件号", "证件号码"),
            sample="530423201503050028",
        ),
        Column(
            "finding",
            "检查结果",
            Kind.CODE,
            "sensitive",
            required=True,
            codes="sighting_finding",
            aliases=("核查结果",),
            sample="确认使用童工",
        ),
        Column(
            "measure",
            "处理措施",
            Kind.CODE,
            "sensitive",
            required=True,
            codes="sighting_measure",
            aliases=("处理结果",),
            sample="责令改正",
        ),
    ),
)
