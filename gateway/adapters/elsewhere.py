"""The list of places, second part: copies of a child's data that are in no table, and the rule that ends each.

Files in the data folder, memory of a process, and whoever was told. The tables stand in `gateway.adapters.places`.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A place that is no table: what it is by pattern or name, its rule, and how it ends."""

    id: str
    kind: Literal["file", "memory", "recipient"]
    zh: str
    en: str
    rule: str
    ends: str


FILES: tuple[Elsewhere, ...] = (
    Elsewhere(
        "huxue.db*",
        "file",
        "数据库文件及其日志",
        "the store, its log and index",
        "child",
        "secure_delete zeroes what is deleted, the vault is rewritten, the log is truncated after a purge",
    ),
    Elsewhere(
        "files/file-*",
        "file",
        "导出与错误文件",
        "exports and error files, sealed",
        "exports",
        "removed within a minute of their card's expiry; without a card, an hour after they were written",
    ),
    Elsewhere(
        "log.vkey*",
        "file",
        "日志公钥",
        "public keys of the log",
        "provision-records",
        "holds public keys and no child",
    ),
    Elsewhere(
        "keyring*",
        "file",
        "密钥文件",
        "the key ring",
        "provision-records",
        "holds keys and no child; a child's own data key is in the vault",
    ),
)
"""Kinds of files in the data folder, as patterns. Logs hold nobody (`gateway.http.logging`) and are the operator's."""

MEMORY: tuple[Elsewhere, ...] = (
    Elsewhere(
        "gateway.services.list.ListRecords._kept",
        "memory",
        "已计算的名单",
        "computed lists",
        "child",
        "forgotten when any fact changes, at every new day and after every purge, in each worker",
    ),
    Elsewhere(
        "temp.wanted, temp.facts_of, temp.going",
        "memory",
        "临时表",
        "temporary tables of the writer: random ids",
        "child",
        "emptied by the purge",
    ),
    Elsewhere(
        "sqlite page caches",
        "memory",
        "数据库页缓存",
        "pages of the store",
        "child",
        "the writer's are zeroed by secure_delete; readers throw theirs away at the next read",
    ),
)

RECIPIENTS: tuple[Elsewhere, ...] = (
    Elsewhere(
        "lists and exports",
        "recipient",
        "名单接收部门",
        "agencies that got a list or its file",
        "notices",
        "told by a deletion notice with their own pseudonym; their receipt is tracked",
    ),
    Elsewhere(
        "errors files",
        "recipient",
        "上报部门",
        "the agency that handed in the rows",
        "error-files",
        "gets its own rows back: it holds the original",
    ),
    Elsewhere(
        "answers and leads",
        "recipient",
        "询问与线索接收人",
        "who asked about one child or works on a lead",
        "leads",
        "told a verdict or a lead's number, no pseudonym: the number leads nowhere once the lead is gone",
    ),
)

ELSEWHERE = (*FILES, *MEMORY, *RECIPIENTS)
