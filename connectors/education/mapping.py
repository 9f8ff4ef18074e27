"""How the education bureau's exports name things: the student-register system and the schools' attendance."""

from connectors.base import Mapping

_YES_NO = {"是(已认定)": "yes", "已认定": "yes", "否(未认定)": "no", "未认定": "no"}

STUDENT_REGISTER = Mapping(
    dataset="student-register",
    headings={
        "name": ("学生名称",),
        "sex": ("学生性别",),
        "birth_date": ("学生出生日期",),
        "id_type": ("学生身份证件类型",),
        "id_number": ("学生身份证件号",),
        "student_number": ("国家学籍号", "全国统一学籍号"),
        "school_code": ("学校(机构)标识码", "学校机构标识码"),
        "school_name": ("学校(机构)名称", "就读学校"),
        "grade": ("就读年级", "年级名称"),
        "boarding": ("是否寄宿生", "住宿类别"),
        "status": ("学生类别", "学籍状态"),
        "status_date": ("学籍变动日期", "异动日期"),
        "region": ("现住址代码", "居住地区划代码"),
        "economic_hardship": ("是否家庭经济困难学生", "困难认定"),
        "left_behind": ("是否留守儿童",),
        "single_parent": ("是否单亲家庭子女",),
    },
    codes={
        "sex": {"女(2)": "female", "男(1)": "male"},
        "grade": {
            "小一": "1",
            "小二": "2",
            "小三": "3",
            "小四": "4",
            "小五": "5",
            "小六": "6",
            "初中一": "7",
            "初中二": "8",
            "初中三": "9",
        },
        "boarding": {"否": "day", "不寄宿": "day", "是": "boarding", "校内寄宿": "boarding"},
        "status": {
            "在籍": "enrolled",
            "正常在籍": "enrolled",
            "休学在籍": "on_leave",
            "已转出": "transferred_out",
            "失学": "dropped_out",
            "已毕业": "graduated",
            "死亡注销": "deceased",
            "缓学审批": "deferred",
            "免学审批": "exempt",
        },
        "economic_hardship": _YES_NO,
        "left_behind": _YES_NO,
        "single_parent": _YES_NO,
    },
)

# A reason excuses an absence, so only the heading for leave is one: 未到校原因 holds truancy (旷课) too.
ATTENDANCE = Mapping(
    dataset="attendance",
    headings={
        "student_number": ("国家学籍号", "全国统一学籍号"),
        "month": ("考勤月份", "统计月份"),
        "days_expected": ("应到校天数", "本月应到"),
        "days_absent": ("缺勤合计", "未到校天数"),
        "longest_absence": ("最长连续缺课(天)", "连续未到校天数"),
        "reason": ("请假类型",),
    },
    codes={},
)

# The aid system writes terms as seasons (2026年秋季) and sums in yuan.
AID_PAYMENTS = Mapping(
    dataset="aid-payments",
    headings={
        "student_number": ("国家学籍号", "全国统一学籍号"),
        "term": ("资助学期", "发放学年学期"),
        "scheme": ("资助项目", "项目名称"),
        "amount": ("实发金额", "发放金额(元)"),
        "paid_on": ("到账日期", "打卡日期"),
    },
    codes={"scheme": {"义教生活补助": "living_allowance", "其他项目": "other"}},
)

FOCUS_GROUPS = Mapping(
    dataset="focus-groups",
    headings={
        "student_number": ("国家学籍号", "全国统一学籍号"),
        "focus": ("重点学生类别", "群体类别"),
        "from_date": ("纳入日期", "列入日期"),
        "to_date": ("移出日期", "解除日期"),
    },
    codes={"focus": {"学业困难": "learning_difficulty", "随迁": "mobile", "行为偏差": "misconduct"}},
)
