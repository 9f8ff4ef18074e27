"""`attendance`: days absent, one row a student and month. A reason makes the absence excused."""

from schemas.records.base import Column, Dataset, Kind

ATTENDANCE = Dataset(
    id="attendance",
    title_zh="考勤",
    title_en="Attendance",
    provider="education",
    subject="student_number",
    key=("month",),
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
            "month",
            "月份",
            Kind.MONTH,
            "plain",
            required=True,
            not_future=True,
            aliases=("年月",),
            sample="2026-10",
        ),
        Column(
            "days_expected",
            "应到天数",
            Kind.INTEGER,
            "plain",
            required=True,
            maximum=31,
            aliases=("应出勤天数",),
            sample="22",
        ),
        Column("days_absent", "缺勤天数", Kind.INTEGER, "sensitive", required=True, maximum=31, sample="0"),
        Column(
            "longest_absence",
            "连续缺勤天数",
            Kind.INTEGER,
            "sensitive",
            required=True,
            maximum=366,
            aliases=("最长连续缺勤天数",),
            sample="0",
        ),
        Column("reason", "事由", Kind.TEXT, "sensitive", aliases=("缺勤事由", "请假事由"), sample=""),
    ),
)
