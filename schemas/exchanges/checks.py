"""Asks about one person, and the employers with confirmed hits."""

from schemas.exchanges.base import SCHOOLING, SIGHTINGS, Action, Exchange, Field

CHECKS = (
    Exchange(
        id="applicant-check",
        title_zh="用工核查",
        title_en="Applicant check",
        action=Action.ASK,
        provider="education",
        sharing="conditional",
        purposes=("child_labour_check",),
        legal_basis="禁止使用童工规定 第四条",
        fields=(
            Field("under_16", "未满十六周岁", "plain"),
            Field("out_of_school", "是否失学", "plain", SCHOOLING),
            Field("exception_possible", "可能适用例外", "plain"),
            Field("verdict", "结论", "plain"),
            Field("lead", "线索编号", "plain"),
        ),
    ),
    Exchange(
        id="licence-check",
        title_zh="登记核查",
        title_en="Licence check",
        action=Action.ASK,
        provider="education",
        sharing="conditional",
        purposes=("licence_check",),
        legal_basis="促进个体工商户发展条例 第二条；禁止使用童工规定 第二条",
        fields=(Field("must_not_license", "不得登记", "plain"),),
    ),
    Exchange(
        id="registration-check",
        title_zh="失业登记核查",
        title_en="Registration check",
        action=Action.ASK,
        provider="education",
        sharing="conditional",
        purposes=("child_labour_check",),
        legal_basis="就业服务与就业管理规定 第六十三条；禁止使用童工规定 第二条",
        fields=(Field("must_not_register", "不得登记失业", "plain"),),
    ),
    Exchange(
        id="employer-hits",
        title_zh="使用童工单位名单",
        title_en="Employers found with children at work",
        action=Action.LIST,
        provider="human_resources",
        sharing="conditional",
        purposes=("labour_inspection",),
        legal_basis="禁止使用童工规定 第五条、第六条",
        # About employers: no child, no pseudonym, no day. How many children, and when at the latest, by month.
        fields=(
            Field("employer_uscc", "统一社会信用代码", "plain", SIGHTINGS),
            Field("confirmed_hits", "确认使用童工人次", "plain", SIGHTINGS),
            Field("last_hit_month", "最近一次月份", "plain", SIGHTINGS),
            Field("repeated", "是否重复使用", "plain", SIGHTINGS),
        ),
    ),
)
