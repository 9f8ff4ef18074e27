"""A county's worth of rows for the benchmarks: invented, seeded, as large as asked."""

import random
from datetime import date, timedelta

from schemas.identifiers import resident_id_check

HEADINGS = (
    "姓名,性别,出生日期,身份证件类型,身份证件号,学籍号,学校标识码,学校名称,年级,就读方式,学生状态,状态日期,"
    "现住址行政区划,家庭经济困难,留守儿童,单亲家庭"
)
_SURNAMES, _GIVEN = "赵钱孙李周吴郑王冯陈", "子涵梓轩宇浩欣怡佳琪思雨强建国远"
_TOWNSHIPS = ("530423101", "530423102", "530423201")


def resident_ids(count: int, seed: int = 1) -> list[str]:
    """`count` different valid ids of children between six and fifteen on 2026-11-20."""
    random_ = random.Random(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        born = date(2011, 6, 1) + timedelta(days=random_.randrange(3300))
        area = random_.choice(("530423", "530402", "530424", "522401"))
        first = f"{area}{born:%Y%m%d}{random_.randrange(1000):03d}"
        found[first + resident_id_check(first)] = None
    return list(found)


def student_csv(ids: list[str], seed: int = 1, needy: bool = False, changed: bool = False) -> bytes:
    """The student register of these children as UTF-8 CSV. `needy` makes every child left behind;
    `changed` moves everyone to another grade, so that every row differs from what was there."""
    random_ = random.Random(seed)
    lines = [HEADINGS]
    for resident_id in ids:
        name = random_.choice(_SURNAMES) + random_.choice(_GIVEN) + random_.choice(_GIVEN)
        born = f"{resident_id[6:10]}-{resident_id[10:12]}-{resident_id[12:14]}"
        grade = min(9, max(1, 2026 - int(resident_id[6:10]) - 5))
        status = "辍学" if random_.random() < 0.002 else "在校"
        poor = "是" if random_.random() < 0.1 else "否"
        cells = (
            name,
            "女" if int(resident_id[16]) % 2 == 0 else "男",
            born,
            "居民身份证",
            resident_id,
            "G" + resident_id,
            f"21530012{random_.randrange(40):02d}",
            "示范学校",
            str(grade % 9 + 1 if changed else grade),
            "走读",
            status,
            "2026-09-01",
            random_.choice(_TOWNSHIPS),
            poor,
            "是" if needy else "否",
            "否",
        )
        lines.append(",".join(cells))
    return "\n".join(lines).encode()
