"""`student-register`: the county's student register (学籍), one row a child.

Source: 中小学生学籍管理办法 (教基一〔2013〕7号) for the states; the columns are the export the schools use.
"""

from schemas.records.base import Column, Dataset, Kind

STUDENT_REGISTER = Dataset(
    id="student-register",
    title_zh="学籍信息",
    title_en="Student register",
    provider="education",
    subject="student_number",
    columns=(
        Column("name", "姓名", Kind.NAME, "identifier", required=True, aliases=("学生姓名",), sample="张三"),
        Column("sex", "性别", Kind.CODE, "quasi", codes="sex", sample="女"),
        Column(
            "birth_date",
            "出生日期",
            Kind.DATE,
            "quasi",
            required=True,
            not_future=True,
            aliases=("出生年月日",),
            sample="2015-03-05",
        ),
        Column(
            "id_type",
            "身份证件类型",
            Kind.CODE,
            "plain",
            required=True,
            codes="id_type",
            aliases=("证件类型",),
            sample="居民身份证",
        ),
        Column(
            "id_number",
            "身份证件号",
            Kind.RESIDENT_ID,
            "identifier",
            aliases=("身份证号", "身份证件号码", "证件号码", "身份证号码"),
            sample="530423201503050028",
        ),
        Column(
            "student_number",
            "学籍号",
            Kind.STUDENT_NUMBER,
            "identifier",
            required=True,
            aliases=("全国学籍号", "学籍号码"),
            sample="G530423201503050028",
        ),
        Column(
            "school_code",
            "学校标识码",
            Kind.SCHOOL_CODE,
            "quasi",
            required=True,
            aliases=("学校代码",),
            sample="2153001234",
        ),
        Column("school_name", "学校名称", Kind.TEXT, "quasi", aliases=("学校",), sample="示范小学"),
        Column("grade", "年级", Kind.CODE, "quasi", required=True, codes="grade", sample="四年级"),
        Column(
            "boarding",
            "就读方式",
            Kind.CODE,
            "plain",
            required=True,
            codes="boarding",
            aliases=("是否住校",),
            sample="走读",
        ),
        Column(
            "status", "学生状态", Kind.CODE, "sensitive", required=True, codes="student_status", sample="在校"
        ),
        Column(
            "status_date",
            "状态日期",
            Kind.DATE,
            "plain",
            required=True,
            not_future=True,
            aliases=("状态变更日期",),
            sample="2026-09-01",
        ),
        Column(
            "region",
            "现住址行政区划",
            Kind.REGION,
            "quasi",
            required=True,
            aliases=("行政区划", "现住址", "居住地行政区划"),
            sample="530423101",
        ),
        Column("economic_hardship", "家庭经济困难", Kind.CODE, "sensitive", codes="yes_no", sample="否"),
        Column("left_behind", "留守儿童", Kind.CODE, "sensitive", codes="yes_no", sample="否"),
        Column(
            "single_parent",
            "单亲家庭",
            Kind.CODE,
            "sensitive",
            codes="yes_no",
            aliases=("单亲",),
            sample="否",
        ),
    ),
)
