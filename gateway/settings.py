"""Settings: frozen, from the environment (`HUXUE_…`) and the command line. A required secret has no default."""

from datetime import date
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

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
    keyring: Path | None = Field(
        None, description="密钥文件 / Key ring file; default: keyring.json in the data folder."
    )
    cipher_suite: Literal["intl"] = Field("intl", description="密码套件 / Cipher suite.")
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
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="日志级别 / Log level."
    )

    @field_validator("database_url")
    @classmethod
    def _embedded_only(cls, url: str) -> str:
        if url and not url.startswith("sqlite:///"):
            raise ValueError("this release keeps its store in SQLite: sqlite:///PATH")
        return url

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
        """The key ring file."""
        return self.keyring or self.data / "keyring.json"

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
        addresses = {self.issuer}
        if not self.public_url and self._shown_host in ("127.0.0.1", "localhost", "[::1]"):
            addresses |= {f"http://{name}:{self.port}" for name in ("127.0.0.1", "localhost", "[::1]")}
        return sorted(address + path for address in addresses for path in ("", "/oauth2/token"))


def _is_wildcard(host: str) -> bool:
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False
