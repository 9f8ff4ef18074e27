"""Work that outlives its request, the files it makes, and of which children an agency was told."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from gateway.domain.model import SubjectId


class FileStore(Protocol):
    """Files for one client to fetch: sealed at rest, gone at their expiry."""

    def write(self, file_id: str, chunks: Iterable[bytes]) -> int:
        """Stores the chunks sealed; the number of plain bytes."""
        ...

    def read(self, file_id: str) -> Iterator[bytes]: ...

    def remove(self, file_id: str) -> None: ...

    def orphans(self, before: float) -> list[str]:
        """Ids of files written before a moment (seconds since the epoch)."""
        ...


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file's card: whose it is, what it is, when it goes."""

    id: str
    client: str
    media_type: str
    name: str
    size: int
    sha256: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Job:
    """Work that outlives its request. `state`: running, done, failed, cancelled."""

    id: str
    client: str
    exchange: str
    purpose: str
    region: str
    format: str
    state: str
    progress: float
    created_at: datetime
    expires_at: datetime
    manifest: Mapping[str, Any] | None = None
    error: str | None = None


class ToldChildren(Protocol):
    """Of which children an agency was told by pseudonym: what the evidence says."""

    def told(self, agency: str, region: str) -> Sequence[SubjectId]:
        """Children whose pseudonym that agency was ever told for the region or a part of it; for worker threads."""
        ...

    def fetched(self, who: tuple[str, str, int, int]) -> bool:
        """Whether (agency, region, from, to) has its mapping and may not have it again; for worker threads."""
        ...


class Jobs(Protocol):
    """Jobs and the files they made."""

    def add(self, job: Job) -> None: ...

    def get(self, job_id: str, client: str) -> Job | None: ...

    def update(self, job_id: str, **changes: object) -> None: ...

    def add_file(self, file: StoredFile) -> None: ...

    def file(self, file_id: str, client: str) -> StoredFile | None: ...

    def without_card(self, names: list[str]) -> list[str]:
        """Those of the files that have no card."""
        ...

    def drop_files(self, names: list[str]) -> None: ...

    def expired(self, now: datetime) -> list[str]:
        """Files past their expiry; their cards are gone after this."""
        ...
