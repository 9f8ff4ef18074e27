"""The files agencies hand in: one exchange a dataset."""

from schemas.exchanges.base import upload

UPLOADS = (
    upload("student-register", "中小学生学籍管理办法 第二十二条", "student_registration"),
    upload("attendance", "义务教育法 第十三条", "attendance_reporting"),
    upload("relief-register", "社会救助暂行办法 第五十九条", "relief_registration"),
    upload("disability-assessment", "残疾人教育条例 第二十条", "disability_assessment"),
    upload("sightings", "禁止使用童工规定 第五条；劳动保障监察条例 第十五条", "labour_inspection"),
    upload("aid-payments", "义务教育法 第四十四条", "aid_delivery"),
    upload(
        "focus-groups",
        "未成年人保护法 第二十九条；义务教育法 第十三条",
        "student_registration",
        "dropout_control",
    ),
    upload("case-outcome", "法律援助法 第二十四条；人民调解法 第三条", "legal_aid"),
)
