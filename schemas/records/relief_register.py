"""`relief-register`: children on relief. Source: 社会救助暂行办法 (国务院令第649号); 国发〔2016〕36号."""

from schemas.records.base import Column, Dataset, Kind

RELIEF_REGISTER = Dataset(
    id="relief-register",
    title_zh="救助登记",
    title_en="Relief register",
    provider="civil_affairs",
    subject="id_number",
    key=("relief_class", "from_date"),
    columns=(
        Column("name", "姓名", Kind.NAME, "identifier", required=True, aliases=("儿童姓名",), sample="张三"),
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
            "relief_class",
            "救助类别",
            Kind.CODE,
            "sensitive",
            required=True,
            codes="relief_class",
            aliases=("救助类型",),
            sample="低保",
        ),
        Column(
            "from_date",
            "起始日期",
            Kind.DATE,
            "plain",
            required=True,
            aliases=("开始日期",),
            sample="2026-01-01",
        ),
        Column("to_date", "终止日期", Kind.DATE, "plain", aliases=("结束日期",), sample=""),
        Column(
            "region",
            "行政区划",
            Kind.REGION,
            "quasi",
            required=True,
            aliases=("现住址行政区划", "居住地行政区划"),
            sample="530423101",
        ),
    ),
)
