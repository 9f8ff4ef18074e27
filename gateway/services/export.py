"""A whole list as a file: a job that outlives its request, evidence committed before the file can be fetched."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.domain.decision import Grant
from gateway.domain.errors import Conflict, NotPermitted, RateLimited
from gateway.domain.jobs import FileStore, Job, Jobs, StoredFile
from gateway.domain.listing import Table
from gateway.domain.moments import to_second
from gateway.domain.ports import Clock
from gateway.domain.principal import Principal
from gateway.domain.purging import Notices
from gateway.domain.retention import Period
from gateway.services.evidence import UNKNOWN, Evidence, Request, new_reference
from gateway.services.tables import Lists
from schemas.catalogue import Action

ORPHAN_SECONDS = 3600
AT_ONCE = 8
"""Exports of one client that are not finished, in each process."""
_MADE_AT_ONCE = 2
"""Of all clients: log-ins and proofs want worker threads too."""
_AGAIN_SECONDS = 5

MEDIA_TYPES = {
    "ndjson": "application/x-ndjson",
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class TableWriter(Protocol):
    """Writes released columns as a file."""

    def write(self, form: str, table: Table) -> bytes:
        """The file's bytes; no cell of a csv or xlsx starts a formula."""
        ...


@dataclass(frozen=True, slots=True)
class _Made:
    """What a finished job leaves."""

    file: StoredFile
    rows: int


class Export:
    """The use case: start a job, ask after it, cancel it, fetch its file."""

    def __init__(
        self,
        evidence: Evidence,
        lists: Lists,
        writer: TableWriter,
        jobs: Jobs,
        files: FileStore,
        notices: Notices,
        clock: Clock,
        keep: Period,
    ) -> None:
        self._evidence, self._lists, self._writer = evidence, lists, writer
        self._jobs, self._files, self._clock = jobs, files, clock
        self._notices, self._keep = notices, keep
        self._running: dict[str, asyncio.Task[None]] = {}
        self._busy: Counter[str] = Counter()
        self._making = asyncio.Semaphore(_MADE_AT_ONCE)

    async def start(self, request: Request, grant: Grant, form: str) -> Job:
        """Keep the job and begin; the answer is its id."""
        await self._check_room(request, grant)
        now = self._clock.now()
        job = Job(
            id=new_reference(now).replace("ref-", "job-"),
            client=request.principal.client,
            exchange=request.exchange,
            purpose=request.purpose,
            region=request.region,
            format=form,
            state="running",
            progress=0.0,
            created_at=now,
            expires_at=self._keep.after_moment(now),
        )
        try:
            await asyncio.to_thread(self._jobs.add, job)
        except BaseException:
            self._ended(job)
            raise
        task = asyncio.create_task(self._run(job, request, grant))
        self._running[job.id] = task
        task.add_done_callback(lambda _: self._ended(job))
        return job

    async def _check_room(self, request: Request, grant: Grant) -> None:
        """RateLimited while many exports of the client are being made: each costs a whole list and a file.

        Counted at once: nothing is awaited between the look and the count.
        """
        if self._busy[request.principal.client] >= AT_ONCE:
            await self._evidence.failed(request, grant, RateLimited.name)
            raise RateLimited(_AGAIN_SECONDS)
        self._busy[request.principal.client] += 1

    def _ended(self, job: Job) -> None:
        self._running.pop(job.id, None)
        self._busy[job.client] -= 1
        self._busy += Counter()  # drops those that have none

    async def _run(self, job: Job, request: Request, grant: Grant) -> None:
        try:
            async with self._making:
                table = await asyncio.to_thread(self._lists.table, request, grant)
                await asyncio.to_thread(self._jobs.update, job.id, progress=0.5)
                made = await asyncio.to_thread(self._make, job, table)
            await self._finish(job, request, grant, table, made)
        except asyncio.CancelledError:
            raise
        except Exception:
            await asyncio.to_thread(self._jobs.update, job.id, state="failed", error="internal")
            await self._evidence.failed(request, grant, f"failed:{job.id}")
            raise

    def _make(self, job: Job, table: Table) -> _Made:
        body = self._writer.write(job.format, table)
        file_id = new_reference(self._clock.now()).replace("ref-", "file-")
        self._files.write(file_id, _chunks(body))
        file = StoredFile(
            id=file_id,
            client=job.client,
            media_type=MEDIA_TYPES[job.format],
            name=f"{job.exchange}.{job.format}",
            size=len(body),
            sha256=hashlib.sha256(body).hexdigest(),
            expires_at=job.expires_at,
        )
        return _Made(file, len(table.keys))

    async def _finish(self, job: Job, request: Request, grant: Grant, table: Table, made: _Made) -> None:
        """Evidence first; only then does the manifest name the file."""
        entry = self._evidence.entry(
            request,
            grant,
            count=made.rows,
            digest=made.file.sha256,
            members=table.subjects,
            detail=f"{job.id} {self._lists.detail(request)}".rstrip(),
            fields=table.words,
        )
        try:
            await self._evidence.journal.record(entry)
        except BaseException:
            self._files.remove(made.file.id)
            raise
        now, list_ = self._clock.now(), (job.exchange, job.region)
        gone = await asyncio.to_thread(
            self._notices.deleted_since_export, job.client, request.principal.agency, *list_
        )
        manifest = {**_manifest(job, made, table, entry.reference, now), "deleted": gone}
        await asyncio.to_thread(self._jobs.add_file, made.file)
        await asyncio.to_thread(self._jobs.update, job.id, state="done", progress=1.0, manifest=manifest)
        await asyncio.to_thread(self._notices.exported, job.client, *list_, now)

    async def get(self, job_id: str, principal: Principal) -> Job:
        """The client's own job; NotPermitted for any other, and for one that never was."""
        job = await asyncio.to_thread(self._jobs.get, job_id, principal.client)
        if job is None or job.expires_at <= self._clock.now():
            await self._evidence.refused(principal, "unknown-job")
            raise NotPermitted
        return job

    async def cancel(self, job_id: str, principal: Principal) -> None:
        """Stop the job and remove what it made; Conflict when it was cancelled before."""
        job = await self.get(job_id, principal)
        if job.state == "cancelled":
            raise Conflict
        task = self._running.get(job_id)
        if task is not None:
            task.cancel()
        await asyncio.to_thread(self._jobs.update, job_id, state="cancelled")
        for entry in (job.manifest or {}).get("files", []):
            file_id = str(entry["url"]).rsplit("/", 1)[-1]
            await asyncio.to_thread(self._jobs.drop_files, [file_id])
            self._files.remove(file_id)

    async def file(self, file_id: str, principal: Principal) -> StoredFile:
        """The card of the client's own file, its fetching recorded; NotPermitted otherwise, and after its expiry."""
        file = await asyncio.to_thread(self._jobs.file, file_id, principal.client)
        if file is None or file.expires_at <= self._clock.now():
            await self._evidence.refused(principal, "unknown-file")
            raise NotPermitted
        request = Request(principal, Action.LIST, UNKNOWN, UNKNOWN, principal.region)
        entry = self._evidence.entry(request, None, count=1, digest=file.sha256, detail=f"fetched:{file.id}")
        await self._evidence.journal.record(entry)
        return file

    def expire(self) -> int:
        """Remove files past their expiry, and files a crash left without a card; how many went.

        For a worker thread, from time to time.
        """
        now = self._clock.now()
        stray = self._jobs.without_card(self._files.orphans(now.timestamp() - ORPHAN_SECONDS))
        gone = [*self._jobs.expired(now), *stray]
        for file_id in gone:
            self._files.remove(file_id)
        return len(gone)

    async def stop(self) -> None:
        """Cancel what is running; such jobs are marked as interrupted at the next start."""
        for task in list(self._running.values()):
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)


def _chunks(body: bytes, size: int = 1 << 20) -> Sequence[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]


def _manifest(job: Job, made: _Made, table: Table, reference: str, now: datetime) -> dict[str, object]:
    file = made.file
    return {
        "transaction_time": to_second(now),
        "reference": reference,
        "as_of": to_second(table.as_of),
        "missing_sources": list(table.missing_sources),
        **table.disclosure(),
        "files": [
            {
                "url": f"/v1/files/{file.id}",
                "rows": made.rows,
                "bytes": file.size,
                "sha256": file.sha256,
                "media_type": file.media_type,
            }
        ],
        "deleted": [],
        "expires": to_second(job.expires_at),
    }
