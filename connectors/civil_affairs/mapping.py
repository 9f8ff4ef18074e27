"""How civil affairs' relief system names things: its own headings, and class codes by kind of relief."""

from connectors.base import Mapping

RELIEF_REGISTER = Mapping(
    dataset="relief-register",
    headings={
        "name": ("救助对象姓名", "保障对象"),
        "id_number": ("救助对象身份证号", "保障对象证件号"),
        "relief_class": ("保障类别", "救助项目"),
        "from_date": ("享受开始日期", "待遇起始日期"),
        "to_date": ("享受截止日期", "停保日期"),
        "region": ("所属行政区划", "居住地区划"),
    },
    codes={
        "relief_class": {
            "A01": "dibao",
            "农村居民最低生活保障": "dibao",
            "城市居民最低生活保障": "dibao",
            "A02": "tekun",
            "分散供养特困": "tekun",
            "集中供养特困": "tekun",
            "B01": "orphan",
            "B02": "de_facto_unsupported",
            "B03": "child_in_difficulty",
            "C01": "temporary",
        },
    },
)
