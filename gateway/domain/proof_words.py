"""What the pieces of evidence of a case's steps are called in Chinese, and the codes that may stand in them.

Messages name a code beside its title, since the code is what a caller sends. A name that a county's own file adds and
that is not here is told as it is.
"""

from collections.abc import Iterable, Mapping

NAMES: Mapping[str, str] = {
    "who": "参与人员",
    "on": "日期",
    "how": "方式",
    "met": "见到的人",
    "result": "结果",
    "note": "备注",
    "responsible": "责任人",
    "deadline": "完成期限",
    "measure": "措施",
    "measures": "措施",
    "finding": "核实情况",
    "found_on": "核实日期",
    "notice": "文书编号",
    "served_on": "送达日期",
    "referral": "移送编号",
    "outcome": "办理结果",
    "returned_on": "复学日期",
    "school": "学校标识码",
    "source": "依据来源",
    "placement": "安置方式",
    "placed_on": "安置日期",
    "day": "观察日",
    "attended_on": "到课日期",
    "closed_on": "销号日期",
    "relapsed_on": "再次辍学日期",
    "approval_number": "批准文号",
    "kind": "种类",
    "until": "截止日期",
    "receiving_region": "接收地行政区划代码",
    "confirmation": "接收确认",
    "graduated_on": "毕业日期",
    "certificate": "毕业证书编号",
    "deceased_on": "死亡日期",
    "document": "证明文件",
    "into": "并入的个案",
}
CODES: Mapping[str, str] = {
    "home_visit": "入户",
    "phone": "电话",
    "message": "短信或即时消息",
    "school": "在校",
    "other": "其他",
    "guardian": "监护人",
    "child": "儿童本人",
    "relative": "亲属",
    "nobody": "无人",
    "agreed": "同意返校",
    "undecided": "未决定",
    "refused": "拒绝",
    "needs_help": "需要帮助",
    "not_found": "未找到",
    "aid": "资助",
    "psychological_help": "心理辅导",
    "school_change": "转学",
    "home_delivery": "送教上门",
    "legal": "法律途径",
    "dropped_out": "辍学",
    "working": "务工",
    "married": "结婚",
    "ill": "患病",
    "abroad": "在境外",
    "whereabouts_unknown": "去向不明",
    "visit": "走访",
    "register": "登记数据",
    "mainstream": "随班就读",
    "special_school": "特殊教育学校",
    "deferral": "缓学",
    "exemption": "免学",
    "in_school": "在校就读",
    "excused": "请假",
    "other_child": "误认为其他儿童",
    "over_age": "超过义务教育年龄",
    # duties: what was done, what is waited for
    "contacted": "已联系",
    "visited": "已走访",
    "reported": "已上报",
    "located": "已查明去向",
    "placed": "已安置",
    "assessed": "已评估",
    "inspected": "已检查",
    "confirmed": "已确认",
    "decided": "已决定",
    "applied": "已申请",
    "reply": "答复",
    "document": "文件",
    "joint_visit": "联合走访",
    "decision": "决定",
    "record": "登记",
    # agencies
    "education": "教育",
    "civil_affairs": "民政",
    "human_resources": "人力资源社会保障",
    "health": "卫生健康",
    "market_regulation": "市场监管",
    "justice": "司法行政",
    "public_security": "公安",
    "township": "乡镇（街道）",
    "county": "县级",
}


def name_zh(name: str) -> str:
    """What a piece of evidence is called."""
    return NAMES.get(name, name)


def codes_zh(codes: Iterable[str]) -> str:
    """Codes with their titles, as a message lists them."""
    return "、".join(f"{CODES[code]}（{code}）" if code in CODES else code for code in codes)
