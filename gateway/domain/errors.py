"""What can go wrong, as a typed tree that knows no HTTP; `gateway.http.problems` translates it once, at the edge.

Messages are for people and never hold an id number, a name, a phone number or policy text.
"""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing wrong with what was sent: a JSON `pointer`, or a `row` and `column` of a file; `code` is stable."""

    code: str
    message_zh: str
    message_en: str
    pointer: str | None = None
    row: int | None = None
    column: str | None = None
    value_hint: str | None = None


class HuxueError(Exception):
    """Every error the gateway raises on purpose. `name` is the problem type's last path segment."""

    name = "internal"
    title_zh = "内部错误"
    title_en = "Internal error"

    def __init__(self, detail_zh: str = "", detail_en: str = "", flaws: tuple[Flaw, ...] = ()) -> None:
        super().__init__(self.name)
        self.detail_zh = detail_zh
        self.detail_en = detail_en
        self.flaws = flaws


class Malformed(HuxueError):
    """The request cannot be read."""

    name, title_zh, title_en = "malformed", "请求格式有误", "Malformed request"

    @classmethod
    def of(cls, code: str, zh: str, en: str, pointer: str | None = None) -> Self:
        """The error whose one flaw says all there is to say; `pointer` is JSON Pointer (RFC 6901)."""
        return cls(zh, en, (Flaw(code, zh, en, pointer=pointer),))


class UnknownPurpose(HuxueError):
    """The purpose is in no list of purposes."""

    name, title_zh, title_en = "unknown-purpose", "未知的用途", "Unknown purpose"


class InvalidResidentId(HuxueError):
    """The id number's form, checksum or date is wrong; the answer never echoes it."""

    name, title_zh, title_en = "invalid-resident-id", "身份证件号有误", "Invalid resident id"


class Unauthenticated(HuxueError):
    """No token, or one that is expired, revoked or not ours."""

    name, title_zh, title_en = "unauthenticated", "未通过身份验证", "Unauthenticated"


class TokenNotBound(Unauthenticated):
    """The token is bound to a key that the caller did not show (RFC 9449, RFC 8705)."""

    name, title_zh, title_en = "token-not-bound", "令牌与持有者不符", "Token not bound to its holder"

    def __init__(self, detail_zh: str = "", detail_en: str = "", reason: str = "invalid_token") -> None:
        """`reason` is the error code of RFC 9449: `invalid_token`, `invalid_dpop_proof` or `use_dpop_nonce`."""
        super().__init__(detail_zh, detail_en)
        self.reason = reason


class NotPermitted(HuxueError):
    """No policy permits it, or it does not exist: the two look alike. `policy_ids` go to the evidence only."""

    name, title_zh, title_en = "not-permitted", "无权进行此操作", "Not permitted"

    def __init__(self, detail_zh: str = "", detail_en: str = "", policy_ids: tuple[str, ...] = ()) -> None:
        super().__init__(detail_zh, detail_en)
        self.policy_ids = policy_ids


class PurposeNotGranted(NotPermitted):
    """The purpose exists, but not for this role and exchange."""

    name, title_zh, title_en = "purpose-not-granted", "该岗位不得以此用途办理", "Purpose not granted"


class RegionOutOfReach(NotPermitted):
    """The region is not the caller's or below it."""

    name, title_zh, title_en = "region-out-of-reach", "超出管辖区域", "Region out of reach"


class EnumerationQuotaExceeded(NotPermitted):
    """Too many different children, or neighbouring ids, in a day."""

    name, title_zh, title_en = "quota-exceeded-enumeration", "查询人数超出限额", "Enumeration quota exceeded"


class OfficerUnnamed(NotPermitted):
    """Only a person who is named may do this, and the token names none (`officer`)."""

    name, title_zh, title_en = "officer-unnamed", "未注明经办人", "Officer not named"


class Conflict(HuxueError):
    """The state does not allow it (a lead already closed, a job already cancelled)."""

    name, title_zh, title_en = "conflict", "当前状态不允许此操作", "Conflict"


class IdentityUnreadable(HuxueError):
    """The vault cannot open this child's identity: it was erased, or what is kept of it was changed."""

    name, title_zh, title_en = "identity-unreadable", "该儿童的身份信息无法读取", "Identity cannot be read"


class IdempotencyMismatch(HuxueError):
    """The same Idempotency-Key came with other content."""

    name, title_zh, title_en = "idempotency-mismatch", "幂等键对应的内容不一致", "Idempotency key mismatch"


class Stale(HuxueError):
    """What the caller saw has changed since."""

    name, title_zh, title_en = "stale", "内容已被更新", "Stale"


class TooLarge(HuxueError):
    """The body, or what it unpacks to, is larger than is read."""

    name, title_zh, title_en = "too-large", "文件过大", "Too large"


class UnsupportedMedia(HuxueError):
    """The media type is not read here, or the content is not what it claims to be."""

    name, title_zh, title_en = "unsupported-media", "不支持的文件类型", "Unsupported media type"


class InvalidRecord(HuxueError):
    """The file or record as a whole cannot be taken; nothing was written."""

    name, title_zh, title_en = "invalid-record", "数据无法受理", "Invalid record"


class Unprintable(HuxueError):
    """A document holds a character that the font inside the file cannot show."""

    name, title_zh, title_en = "unprintable", "文书含有无法打印的字符", "Document cannot be printed"


class RateLimited(HuxueError):
    """Too many requests; `retry_after` in seconds."""

    name, title_zh, title_en = "rate-limited", "请求过于频繁", "Rate limited"

    def __init__(self, retry_after: int) -> None:
        super().__init__()
        self.retry_after = retry_after


class SourceUnavailable(HuxueError):
    """The store or a source cannot serve now (read-only, full, locked): nothing was half-written."""

    name, title_zh, title_en = "source-unavailable", "服务暂不可用", "Source unavailable"

    def __init__(self, detail_zh: str = "", detail_en: str = "", retry_after: int = 5) -> None:
        super().__init__(detail_zh, detail_en)
        self.retry_after = retry_after


def problem_types() -> dict[str, type[HuxueError]]:
    """Every problem type by name, for the documentation and the tests that hold the two together."""
    found: dict[str, type[HuxueError]] = {}
    waiting: list[type[HuxueError]] = [HuxueError]
    while waiting:
        kind = waiting.pop()
        found[kind.name] = kind
        waiting.extend(kind.__subclasses__())
    return found
