"""The words of the contract as the demo shows them: Chinese first, the contract's own word beside."""

from collections.abc import Mapping

_ZH: Mapping[str, str] = {
    "True": "是",
    "False": "否",
    "None": "不明",
    "yes": "是",
    "no": "否",
    "unknown": "不明",
    "completed": "已毕业",
    "not_applicable": "不适用",
    "must_not_hire": "不得录用",
    "no_bar": "无禁止情形",
    "refer": "转人工核实",
    "in": "在学",
    "out": "失学",
    "female": "女",
    "male": "男",
    "economic_hardship": "家庭经济困难",
    "left_behind": "留守",
    "single_parent": "单亲",
    "out_of_school": "失学",
    "permit": "准许",
    "refuse": "拒绝",
    "fail": "未成",
    "keep": "原值",
    "presence": "只答有无",
    "generalise": "概括",
    "band": "分段",
    "pseudonym": "换成代号",
    "suppress": "隐去",
    "withhold": "不予提供",
    "open": "待办",
    "acknowledged": "已签收",
    "closed": "已办结",
}


def word(value: object) -> str:
    """A value of the contract, `不得录用 must_not_hire`; a truth value in Chinese; others as they are."""
    text = str(value)
    zh = _ZH.get(text)
    if zh is None:
        return text
    return zh if text in ("True", "False", "None") else f"{zh} {text}"


def zh(value: object) -> str:
    """A value of the contract in Chinese; others as they are."""
    return _ZH.get(str(value), str(value))
