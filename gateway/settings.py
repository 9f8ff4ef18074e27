"""Settings: frozen, from the environment (`HUXUE_…`) and the command line. A required secret has no default."""

import re
from datetime import date
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

Network = IPv4Network | IPv6Network

POLICIES = Path(__file__).resolve().parent.parent / "policies"


class Settings(BaseSettings):
    """What a gateway is told from outside."""

    model_config = SettingsConfigDict(env_prefix="HUXUE_", frozen=True, extra="ignore")

    data: Path = Field(
        description="数据目录 / Data folder: the store, sealed files, and by default the key ring."
    )
    profile: Literal["production", "demo"] = Field(
        "production",
        description="运行方式 / `demo` makes what is missing in the data folder; `production` refuses to start.",
    )
    host: str = Field("127.0.0.1", description="监听地址 / Address to listen on.")
    port: int = Field(8420, ge=0, le=65535, description="监听端口 / Port to listen on.")
    workers: int = Field(1, ge=1, le=64, description="进程数 / Worker processes.")
    public_url: str = Field(
        "",
        description="对外地址 / Address clients use; audience of their assertions. Default: host and port.",
    )
    database_url: str = Field("", description="数据库 / `sqlite:///…`; default: huxue.db in the data folder.")
    keyring: str = Field(
        "",
        description="密钥存放处 / Where the key ring is: a file (default: keyring.json in the data folder), sealed by"
        " `HUXUE_KEYRING_PASSPHRASE`; `env:` (`HUXUE_KEYRING_BODY`, base64); `pkcs11:` (`HUXUE_PKCS11_PIN`).",
    )
    keyring_passphrase_file: Path | None = Field(
        None,
        description="密钥口令文件 / File with the ring's passphrase, mode 0600. A file beside the ring is read by"
        " itself in the demo profile only.",
    )
    keyring_body_file: Path | None = Field(
        None, description="密钥内容文件 / With `env:`: file with the ring's body in base64, mode 0600."
    )
    pkcs11_module: str = Field("", description="密码机驱动 / With `pkcs11:`: the module's library.")
    pkcs11_token: str = Field("", description="密码机令牌 / With `pkcs11:`: the token's label.")
    pkcs11_pin_file: Path | None = Field(
        None, description="密码机口令文件 / With `pkcs11:`: file with the token's PIN, mode 0600."
    )
    cipher_suite: Literal["intl", "gm"] = Field(
        "intl",
        description="密码套件 / Cipher suite: `intl`, or `gm` (SM2, SM3, SM4). The ring must be of it.",
    )
    log_origin: str = Field(
        "",
        description="日志名称 / Name of the transparency log, kept from the first start; default: of its key.",
    )
    witnesses: str = Field("", description="见证方 / Witnesses of the log: `URL VKEY, URL VKEY`.")
    witnessed_logs: Path | None = Field(
        None, description="所见证的日志公钥文件 / File of the keys of logs this gateway cosigns, one a line."
    )
    policies: Path = Field(POLICIES, description="策略目录 / Folder of policies.")
    max_upload_mb: int = Field(100, ge=1, le=2048, description="上传上限 / Largest upload in MB.")
    as_of: date | None = Field(None, description="法定日期 / Law date, demo profile only.")
    token_binding: Literal["optional", "required"] = Field(
        "optional",
        description="令牌绑定 / `required` refuses tokens that are not bound to a key (DPoP) or certificate.",
    )
    trusted_proxies: str = Field(
        "",
        description="可信代理 / Addresses or networks of the proxies in front, separated by commas.",
    )
    client_cert_header: str = Field(
        "",
        description="客户端证书头 / Header in which a trusted proxy passes the client certificate; empty: not used.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="日志级别 / Log level."
    )

    @field_validator("database_url")
    @classmethod
    def _embedded_only(cls, url: str) -> str:
        if url and not url.startswith("sqlite:///"):
            raise ValueError("this release keeps its store in SQLite: sqlite:///PATH")
        return url

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, text: str) -> str:
        for each in filter(None, (part.strip() for part in text.split(","))):
            ip_network(each, strict=False)
        return text

    @field_validator("client_cert_header")
    @classmethod
    def _header_name(cls, name: str) -> str:
        if name and not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,60}", name):
            raise ValueError("a header's name has letters, digits and hyphens")
        return name

    @model_validator(mode="after")
    def _believed_from_somebody(self) -> Self:
        if self.client_cert_header and not self.trusted_proxies.strip():
            raise ValueError(
                "client_cert_header needs trusted_proxies: the header is believed from nobody else"
            )
        return self

    @property
    def store_path(self) -> Path:
        """The SQLite file."""
        return (
            Path(self.database_url.removeprefix("sqlite:///"))
            if self.database_url
            else self.data / "huxue.db"
        )

    @property
    def keyring_path(self) -> Path:
        """The key ring file; with `pkcs11:` the one the token opens."""
        if not self.keyring or self.keyring.startswith(("env:", "pkcs11:")):
            return self.data / "keyring.json"
        return Path(self.keyring)

    @property
    def log_key_path(self) -> Path:
        """The public keys of the log, for whoever verifies it."""
        return self.store_path.parent / "log.vkey"

    @property
    def issuer(self) -> str:
        """The address under which clients know this gateway, without a trailing slash."""
        return (self.public_url or f"http://{self._shown_host}:{self.port}").rstrip("/")

    @property
    def _shown_host(self) -> str:
        """A wildcard address is listened on, not called."""
        if _is_wildcard(self.host):
            return "127.0.0.1"
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def audiences(self) -> list[str]:
        """What a client may name as audience: the issuer and its token endpoint; on loopback by every name of it."""
        return sorted(address + path for address in self.addresses for path in ("", "/oauth2/token"))

    @property
    def addresses(self) -> list[str]:
        """The addresses under which clients may call, without a trailing slash; the issuer's first."""
        names = ("127.0.0.1", "localhost", "[::1]")
        loopback = not self.public_url and self._shown_host in names
        others = [f"http://{name}:{self.port}" for name in names] if loopback else []
        return list(dict.fromkeys([self.issuer, *others]))

    @property
    def only_bound(self) -> bool:
        """Whether unbound tokens are refused."""
        return self.token_binding.startswith("required")

    @property
    def proxies(self) -> list[Network]:
        """The trusted proxies' networks."""
        return [
            ip_network(each.strip(), strict=False) for each in self.trusted_proxies.split(",") if each.strip()
        ]


def _is_wildcard(host: str) -> bool:
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False
