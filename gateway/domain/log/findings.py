"""What can be wrong with a log, in words for the person who checks it."""

from dataclasses import dataclass

WORDS: dict[str, tuple[str, str]] = {
    "body-changed": ("记录内容被改动", "the entry's content was changed"),
    "leaf-changed": ("记录旁的哈希被改动", "the hash kept beside the entry was changed"),
    "entry-changed": ("记录及其哈希被改动", "the entry was changed, its hash too"),
    "entry-removed": ("记录被删除", "the entry was removed"),
    "entry-inserted": ("插入了日志中没有的记录", "an entry that is not in the log was put in"),
    "entry-repeated": ("插入了重复的记录", "a copy of another entry was put in"),
    "entry-moved": ("记录次序被调换", "the entry was moved to another place"),
    "entry-renumbered": ("记录的行号被改动", "the entry's row number was changed"),
    "reference-changed": ("凭据编号与内容不符", "the reference is not the content's"),
    "subject-changed": (
        "所涉儿童与内容中的承诺不符",
        "the child concerned is not the one the content commits to",
    ),
    "members-changed": (
        "所涉儿童名册与内容中的承诺不符",
        "the set of children is not the one the content commits to",
    ),
    "set-changed": ("所涉儿童名册被改动或删除", "the kept set of children was changed or removed"),
    "history-changed": (
        "记录与瓦片一并被改动，位于此号至下一个日志头之间",
        "an entry from here to the next head was changed together with its tile",
    ),
    "tile-changed": ("瓦片（哈希表）被改动或删除", "a tile was changed or removed"),
    "head-changed": ("日志头与其签名文本不符", "the head is not what its signed text says"),
    "head-signature": ("日志头的签名不成立", "the head's signature does not hold"),
    "head-key": ("日志头由不受信任的密钥签署", "the head is signed by a key that is not trusted"),
    "head-missing": ("日志头被删除", "a head was removed"),
    "against-signature": ("所给检查点不是此日志签署的", "the checkpoint given is not signed by this log"),
    "against-shorter": (
        "日志比所给检查点短：记录被删，或换回了旧库",
        "the log is shorter than the checkpoint given: entries were removed, or an older copy was put back",
    ),
    "against-differs": (
        "日志与所给检查点不一致：历史被改写",
        "the log does not continue the checkpoint given: its history was rewritten",
    ),
    "witness": ("见证方的签名与日志头不符", "a witness's signature does not fit the head"),
    "unreadable": ("内容无法识别", "something that is kept cannot be read"),
    "index-changed": ("按儿童的索引被改动", "the index by child was changed"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """The first thing wrong. `index` is the place in the tree, from 0; `seq` the row; `where` more of it."""

    kind: str
    index: int | None = None
    seq: int | None = None
    reference: str = ""
    where: str = ""

    @property
    def zh(self) -> str:
        """In Chinese."""
        return WORDS[self.kind][0] + self._place("第 {} 条", "行号 {}", "编号 {}", "，")

    @property
    def en(self) -> str:
        """In English."""
        return WORDS[self.kind][1] + self._place("index {}", "row {}", "reference {}", ", ")

    def _place(self, index: str, seq: str, reference: str, comma: str) -> str:
        parts = [
            text.format(value)
            for text, value in (
                (index, self.index),
                (seq, self.seq),
                (reference, self.reference),
                ("{}", self.where),
            )
            if value not in (None, "")
        ]
        return (" (" + comma.join(parts) + ")") if parts else ""
