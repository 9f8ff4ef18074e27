"""`aid-payments`: living allowance paid to a pupil, one row a payment.

Source: 城乡义务教育补助经费管理办法 (财教〔2021〕56号) for what is paid; terms as schools name them.
"""

from schemas.records.base import Column, Dataset, Kind

AID_PAYMENTS = Dataset(
    id="aid-payments",
    title_zh="资助发放",
    title_en="Aid payments",
    provider="education",
    subject="student_number",
    key=("term", "scheme", "paid_on"),
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
            "term",
            "学期",
            Kind.TERM,
            "plain",
            required=True,
            aliases=("学年学期", "发放学期"),
            sample="2026-2027-1",
        ),
        Column("scheme", "资助类别", Kind.CODE, "sensitive", codes="aid_scheme", sample="生活补助"),
        Column(
            "amount",
            "金额",
            Kind.MONEY,
            "sensitive",
            required=True,
            minimum=1,
            maximum=10_000_000,
            aliases=("发放金额", "金额(元)", "金额（元）"),
            sample="250.00",
        ),
        Column(
            "paid_on",
            "发放日期",
            Kind.DATE,
            "plain",
            required=True,
            not_future=True,
            aliases=("发放时间",),
            sample="2026-10-20",
        ),
    ),
)
"""`amount` is kept in fen (hundredths of a yuan), a whole number: half of 625 yuan is 312.50."""
