"""Kinds of alarms: what the auditor must look at, with the words for each.

Sources: 数据安全法 art. 29 (risk monitoring), 个人信息保护法 art. 54 (compliance audit), art. 51.
"""

from collections.abc import Mapping

ENUMERATION = "enumeration"
LOG_FORK = "log-fork"
EMERGENCY_UNREVIEWED = "emergency-unreviewed"
EMERGENCY_UNJUSTIFIED = "emergency-unjustified"
RESOLUTION_QUOTA = "resolution-quota"
IDENTITY_UNREADABLE = "identity-unreadable"
DELETION_UNCONFIRMED = "deletion-unconfirmed"

TITLES: Mapping[str, tuple[str, str]] = {
    ENUMERATION: ("逐一查询儿童超出限额", "Children gone through one after the other"),
    LOG_FORK: ("另一网关的日志出现分叉", "Another gateway's log contradicts itself"),
    EMERGENCY_UNREVIEWED: ("紧急还原逾期未复核", "An emergency was not reviewed in time"),
    EMERGENCY_UNJUSTIFIED: ("紧急还原经复核不成立", "An emergency was found unjustified"),
    RESOLUTION_QUOTA: ("身份还原申请超出每日限额", "Too many resolutions of identity in a day"),
    IDENTITY_UNREADABLE: ("保险库中的身份无法读出", "An identity in the vault cannot be read"),
    DELETION_UNCONFIRMED: ("删除通知逾期未回执", "Deletion notices were not confirmed in time"),
}
"""By kind: Chinese, English. A kind that is not here cannot be raised (`gateway.domain.model.AlarmDraft`)."""
