"""`focus-groups`: pupils a school keeps an eye on, where no other register says so (重点关注群体).

The other groups have sources of their own: hardship, left behind and single parent the student register, disability
the assessments, relief the relief register. 不良行为 is kept as strictly as a sealed record (预防未成年人犯罪法 art. 59).
"""

from schemas.records.base import Column, Dataset, Kind

FOCUS_GROUPS = Dataset(
    id="focus-groups",
    title_zh="重点学生名册",
    title_en="Focus groups",
    provider="education",
    subject="student_number",
    key=("focus", "from_date"),
    columns=(
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
            "focus",
            "类别",
            Kind.CODE,
            "sensitive",
            required=True,
            codes="focus_group",
            aliases=("重点类别", "关注类别"),
            sample="学习困难",
        ),
        Column(
            "from_date",
            "起始日期",
            Kind.DATE,
            "plain",
            required=True,
            not_future=True,
            aliases=("开始日期",),
            sample="2026-09-01",
        ),
        Column("to_date", "终止日期", Kind.DATE, "plain", aliases=("结束日期",), sample=""),
    ),
)
