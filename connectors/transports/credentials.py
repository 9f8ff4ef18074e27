"""Who an agency's system is to the gateway: the file `huxue client add` wrote, and what its key signs."""

import json
import os
import secrets
import stat
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

ASSERTION_SECONDS = 60
_TEXTS = ("client_id", "agency", "role", "region")


class CredentialsError(Exception):
    """The credentials file cannot be used; the message names what is wrong and never holds its content."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A registered client. `region` is a short region code; `school` a class teacher's school code."""

    client_id: str
    agency: str
    role: str
    region: str
    key: ECKey = field(repr=False, compare=False)
    school: str | None = None
    alg: str = "ES256"

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the JSON file at `path`; CredentialsError when others may read it or it is no such file."""
        try:
            document = json.loads(_private_text(path))
        except OSError as error:
            raise CredentialsError(f"读不到凭证文件 {path}: {error.strerror} (cannot be read)") from None
        except ValueError:
            raise CredentialsError(f"凭证文件 {path} 不是 JSON (not JSON)") from None
        return cls.of(document)

    @classmethod
    def of(cls, document: object) -> Self:
        """The credentials in the parsed file; CredentialsError names the member that is wrong."""
        if not isinstance(document, dict):
            raise CredentialsError("凭证文件应为一个 JSON 对象 (not a JSON object)")
        for name in _TEXTS:
            if not isinstance(document.get(name), str) or not document[name]:
                raise CredentialsError(f"凭证文件缺少 {name} ({name} is missing)")
        if document.get("alg") != "ES256":
            raise CredentialsError("凭证文件的 alg 应为 ES256 (alg must be ES256)")
        school = document.get("school")
        if school is not None and not isinstance(school, str):
            raise CredentialsError("凭证文件的 school 有误 (school must be text or null)")
        return cls(**{name: document[name] for name in _TEXTS}, key=_key(document.get("key")), school=school)


def client_assertion(
    credentials: Credentials, audience: str, now: datetime, officer: str | None = None
) -> str:
    """The client's signed statement of who it is (RFC 7523, 3), good for a minute, at `audience` only.

    `officer` names the person at work, by a name of the agency's own (1–64 of A-Z a-z 0-9 . _ -); never an id number.
    """
    issued = int(now.timestamp())
    header = {"alg": credentials.alg, "kid": credentials.key.kid, "typ": "JWT"}
    claims = {
        "iss": credentials.client_id,
        "sub": credentials.client_id,
        "aud": audience,
        "jti": secrets.token_urlsafe(24),
        "iat": issued,
        "exp": issued + ASSERTION_SECONDS,
        **({"officer": officer} if officer is not None else {}),
    }
    return jwt.encode(header, claims, credentials.key, algorithms=[credentials.alg])


def _private_text(path: Path) -> str:
    """The file's text, its mode taken from the open file so that it cannot be swapped in between."""
    with path.open(encoding="utf-8") as file:
        if os.name == "posix" and stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
            raise CredentialsError(
                f"凭证文件 {path} 可被其他用户读取，请先执行 chmod 600 (readable by group or others)"
            )
        return file.read()


def _key(jwk: Any) -> ECKey:
    try:
        key = ECKey.import_key(jwk)
        usable = key.is_private and key.curve_name == "P-256" and bool(key.kid)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        usable = False
    if not usable:
        raise CredentialsError("凭证文件的 key 应为带 kid 的 P-256 私钥 (not a private P-256 JWK)")
    return key
