"""Take in a file: good rows land, every bad row comes back, all of a receipt or none of it.

Runs in a worker thread. Reading and checking need no store; keyed look-ups and sealing need no lock; then one
transaction holds the facts, the leads and duties that follow from them, the receipt, the Idempotency-Key and the
audit entry.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from gateway.domain import errors
from gateway.domain.cells import Cell
from gateway.domain.decision import Grant
from gateway.domain.errors import Flaw, IdempotencyMismatch
from gateway.domain.jobs import FileStore, StoredFile
from gateway.domain.landing import Conflict, LandedUpload, Registers, RegisterTransaction
from gateway.domain.model import SubjectId
from gateway.domain.ports import Clock, KeyRing
from gateway.domain.predicate import COUNTY_DIGITS
from gateway.domain.principal import Principal
from gateway.domain.receipt import MESSAGES, RowCounts
from gateway.domain.rows import SHAPES, Fact, people
from gateway.domain.rulebook import Rulebook
from gateway.domain.rules import FILE
from gateway.domain.sheet import Reading, RowFlaw, UnreadableSheet, read_sheet
from gateway.domain.spreadsheet import Format, Kind, Sheet, SpreadsheetFiles, UnreadableFile
from gateway.services import inspections, outgoing, receipts
from gateway.services.aid_duties import AFFECTED_BY, AidDuties
from gateway.services.casefacts import CaseFacts
from gateway.services.evidence import Evidence, Request, new_reference
from gateway.services.sweep import Sweep
from schemas.catalogue import EXCHANGES
from schemas.records import DATASETS, Dataset

_REFUSALS: dict[str, type[errors.HuxueError]] = {
    "not_a_spreadsheet": errors.UnsupportedMedia,
    "encrypted": errors.InvalidRecord,
    "too_large": errors.TooLarge,
    "zip_bomb": errors.TooLarge,
    "no_header": errors.InvalidRecord,
    "wrong_dataset": errors.InvalidRecord,
}


@dataclass(frozen=True, slots=True)
class AgencyMapping:
    """An agency's own headings and codes, from its connector."""

    headings: Mapping[str, tuple[str, ...]]
    codes: Mapping[str, Mapping[str, str]]

    def translate(self, field: str, cell: Cell) -> Cell:
        """The schema's code for the agency's own; other cells as they are."""
        table = self.codes.get(field)
        if table is None or not isinstance(cell, str | int | float):
            return cell
        return table.get(str(cell).strip(), cell)


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was handed in."""

    body: bytes
    kind: Kind
    idempotency_key: str | None = None
    language: str = "zh"

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes."""
        return hashlib.sha256(self.body).hexdigest()


class RowWork(Protocol):
    """What lands a dataset whose rows are no facts about a child named in them (an outcome of a referral)."""

    def land(
        self,
        transaction: RegisterTransaction,
        who: Principal,
        reading: Reading,
        today: date,
        now: datetime,
    ) -> tuple[RowCounts, Sequence[SubjectId]]:
        """The counts, and the children concerned; rows that cannot be taken become flaws of the reading."""
        ...


class Upload:
    """The use case, after the decision: `land` in a worker thread."""

    def __init__(
        self,
        evidence: Evidence,
        registers: Registers,
        files: SpreadsheetFiles,
        store: FileStore,
        keys: KeyRing,
        clock: Clock,
        rulebook: Rulebook,
        mapping: Callable[[str], AgencyMapping],
        new_day: Callable[[RegisterTransaction, str], None],
        works: Mapping[str, RowWork] | None = None,
    ) -> None:
        self._evidence, self._registers, self._files = evidence, registers, files
        self._store, self._keys = store, keys
        self._clock, self._book, self._mapping, self._new_day = clock, rulebook, mapping, new_day
        self._works = works or {}

    def land(self, request: Request, grant: Grant, file: File) -> Mapping[str, object]:
        """The receipt. Raises InvalidRecord, UnsupportedMedia, TooLarge, IdempotencyMismatch or RegionOutOfReach.

        Whatever is raised, nothing was written. A register is a county's: whoever stands above it hands in none.
        """
        if len(request.principal.region) < COUNTY_DIGITS:
            raise errors.RegionOutOfReach(
                "数据由县级及以下账号上报。", "Registers are handed in by a county, or from below it."
            )
        replayed = self._replay(request, file)
        if replayed is not None:
            with self._registers.transaction() as transaction:
                self._witness(transaction, request, grant, replayed)
            return replayed
        dataset = DATASETS[EXCHANGES[request.exchange].dataset or ""]
        form, sheet, reading = self._read(file, dataset)
        return self._write(request, grant, file, form, sheet, reading)

    def _replay(self, request: Request, file: File) -> Mapping[str, object] | None:
        if file.idempotency_key is None:
            return None
        client, now = request.principal.client, self._clock.now()
        found = self._registers.replay(client, request.exchange, file.idempotency_key, now)
        if found is None:
            return None
        if found[0] != file.digest:
            raise IdempotencyMismatch(
                "该 Idempotency-Key 已用于另一份文件。", "This Idempotency-Key was used for another file."
            )
        return found[1]

    def _read(self, file: File, dataset: Dataset) -> tuple[Format, Sheet, Reading]:
        try:
            form, sheets = self._files.read(file.body, file.kind)
            return (form, *self._first_readable(sheets, dataset))
        except UnreadableFile as error:
            raise _refusal(error.code, "", "") from None
        except UnreadableSheet as error:
            named = "、".join(error.missing) or error.looks_like or ""
            raise _refusal(error.code, named, named) from None

    def _first_readable(self, sheets: Sequence[Sheet], dataset: Dataset) -> tuple[Sheet, Reading]:
        """The first sheet with the dataset's headings; the first sheet's refusal when none has them."""
        mapping = self._mapping(dataset.id)
        refusal = UnreadableSheet("no_header", tuple(column.header for column in dataset.required()))
        for number, sheet in enumerate(sheets):
            try:
                return sheet, read_sheet(
                    sheet.grid,
                    dataset,
                    self._clock.today(),
                    mapping.headings,
                    mapping.translate,
                    DATASETS.values(),
                    sheet.first_row,
                )
            except UnreadableSheet as error:
                refusal = error if number == 0 or error.code == "wrong_dataset" else refusal
        raise refusal

    def _write(
        self, request: Request, grant: Grant, file: File, form: Format, sheet: Sheet, reading: Reading
    ) -> Mapping[str, object]:
        prepared = self._prepared(request, reading)
        upload_id = new_reference(self._clock.now()).replace("ref-", "up-")
        errors_file: StoredFile | None = None
        try:
            with self._registers.transaction() as transaction:
                replayed = self._replay(request, file)  # the same request may have landed since
                if replayed is not None:
                    self._witness(transaction, request, grant, replayed)
                    return replayed
                now = self._clock.now()
                self._new_day(transaction, request.principal.region[:COUNTY_DIGITS])
                counts, children = self._merge(transaction, request, reading, prepared, upload_id)
                errors_file = self._errors_file(request, form, sheet, reading, upload_id, now)
                receipt = receipts.receipt(upload_id, counts, reading, errors_file, file.language)
                receipt["reference"] = new_reference(now)
                if errors_file is not None:
                    transaction.save_file(errors_file)
                self._keep(transaction, request, grant, file, receipt, children, now)
        except BaseException:
            if errors_file is not None:
                self._store.remove(errors_file.id)
            raise
        return receipt

    def _prepared(self, request: Request, reading: Reading) -> object:
        """Whose rows they are, looked up and sealed before the lock; nothing where a work of its own lands them."""
        if reading.dataset.id in self._works:
            return None
        region = request.principal.region[:COUNTY_DIGITS]
        if reading.dataset.otherwise:
            inspections.look_over(reading, request.principal.region)
        creates = SHAPES[reading.dataset.id].creates
        return self._registers.prepare(people(reading, self._keys, region), creates)

    def _merge(
        self,
        transaction: RegisterTransaction,
        request: Request,
        reading: Reading,
        prepared: object,
        upload_id: str,
    ) -> tuple[RowCounts, Sequence[SubjectId]]:
        work = self._works.get(reading.dataset.id)
        if work is not None:
            today, now = self._clock.today(), self._clock.now()
            return work.land(transaction, request.principal, reading, today, now)
        shape = SHAPES[reading.dataset.id]
        region = request.principal.region[:COUNTY_DIGITS]
        settled = transaction.settle(prepared, shape.renames, region)
        subjects = settled.subjects
        if reading.dataset.otherwise:
            found = inspections.rows_of(reading, subjects, shape.facts(reading))
            tally = inspections.land(transaction, region, found, upload_id)
            return receipts.counts(reading, tally), _children(subject for subject, _ in found)
        if not shape.creates:
            subjects = _own_pupils(transaction, request.principal, region, subjects)
        rows = _settled_rows(reading, subjects, shape.facts(reading))
        tally = transaction.merge(reading.dataset.id, region, rows, upload_id, settled)
        if reading.dataset.id == "student-register":
            transaction.name_schools(region, _schools(reading))
        return receipts.counts(reading, tally), _children(subject for subject, _ in rows)

    def _keep(
        self,
        transaction: RegisterTransaction,
        request: Request,
        grant: Grant,
        file: File,
        receipt: Mapping[str, object],
        children: Sequence[SubjectId],
        now: datetime,
    ) -> None:
        """The receipt, what follows from the facts, and the evidence, in the one transaction."""
        region, today = request.principal.region[:COUNTY_DIGITS], transaction.today
        upload = LandedUpload(
            id=str(receipt["upload_id"]),
            region=region,
            exchange=request.exchange,
            agency=request.principal.agency,
            client=request.principal.client,
            law_date=today,
            received_at=now,
            body_digest=file.digest,
            receipt=receipt,
            idempotency_key=file.idempotency_key,
            expires_at=self._book.retention.copies["idempotency"].after_moment(now),
        )
        transaction.save_upload(upload)
        Sweep(self._book, today, now, FILE).run(transaction, region)
        if request.exchange == inspections.DATASET:
            follow = inspections.Enforcement(self._book, today, now)
            follow.run(transaction, region, upload.id, request.principal.person)
        if request.exchange in AFFECTED_BY:
            AidDuties(self._book).run(transaction, region, today, now)
        CaseFacts(self._book, self._evidence).run(transaction, region, today, now)
        self._witness(transaction, request, grant, receipt, children, str(receipt["reference"]))

    def _witness(
        self,
        transaction: RegisterTransaction,
        request: Request,
        grant: Grant,
        receipt: Mapping[str, object],
        children: Sequence[SubjectId] = (),
        reference: str = "",
    ) -> None:
        """The evidence of a receipt, each time it is told; with its children and its reference when it lands."""
        digest = outgoing.digest(receipt)
        count, detail = int(str(receipt["accepted"])), str(receipt["upload_id"])
        transaction.write_audit(
            self._evidence.entry(
                request,
                grant,
                reference=reference,
                count=count,
                digest=digest,
                detail=detail,
                members=children,
            )
        )

    def _errors_file(
        self, request: Request, form: Format, sheet: Sheet, reading: Reading, upload_id: str, now: datetime
    ) -> StoredFile | None:
        """The refused rows as they came, each with what to do, in the format they came in; sealed at rest."""
        if not reading.flaws:
            return None
        body = self._files.write(form, *receipts.refused_table(sheet, reading))
        file_id = upload_id.replace("up-", "file-")
        try:
            self._store.write(file_id, [body])
        except OSError:
            raise errors.SourceUnavailable(
                "数据暂不能保存，未写入任何内容。", "The store cannot be written to now; nothing was written."
            ) from None
        return StoredFile(
            id=file_id,
            client=request.principal.client,
            media_type=form.media_type,
            name=f"{reading.dataset.id}-errors.{form.kind}",
            size=len(body),
            sha256=hashlib.sha256(body).hexdigest(),
            expires_at=self._book.retention.copies["error-files"].after_moment(now),
        )


def _children(subjects: Iterable[SubjectId | None]) -> list[SubjectId]:
    return [subject for subject in dict.fromkeys(subjects) if subject is not None]


def _refusal(code: str, zh_more: str, en_more: str) -> errors.HuxueError:
    zh, en = MESSAGES[code]
    flaw = Flaw(code, zh + zh_more, en + en_more)
    return _REFUSALS[code](flaw.message_zh, flaw.message_en, (flaw,))


def _own_pupils(
    transaction: RegisterTransaction,
    principal: Principal,
    region: str,
    subjects: Sequence[SubjectId | Conflict | None],
) -> Sequence[SubjectId | Conflict | None]:
    """Attendance is written about pupils of the county's own register, by a class teacher of the own school only.

    A pupil of another county or school looks like one nobody knows.
    """
    known = [subject for subject in subjects if isinstance(subject, bytes)]
    schools = transaction.schools_of(region, known)
    own = {subject for subject, school in schools.items() if principal.school in (None, school)}
    return [subject if isinstance(subject, bytes) and subject in own else None for subject in subjects]


def _settled_rows(
    reading: Reading, subjects: Sequence[SubjectId | Conflict | None], facts: Sequence[Fact]
) -> list[tuple[SubjectId, Fact]]:
    """Rows whose child is known, as facts; the others become flaws."""
    rows: dict[Fact, tuple[SubjectId, Fact]] = {}
    width = len(reading.dataset.key)
    for number, subject, values in zip(reading.numbers, subjects, facts, strict=True):
        if not isinstance(subject, bytes):
            _refuse(reading, number, "unknown_student" if subject is None else "identity_conflict")
            continue
        row = (subject, values)
        if rows.setdefault((subject, *values[:width]), row) is not row:
            # under two student numbers that the store knows to be one child's
            _refuse(reading, number, "duplicate_in_file")
    reading.flaws.sort(key=lambda flaw: flaw.row)
    return list(rows.values())


def _refuse(reading: Reading, number: int, code: str) -> None:
    column = reading.dataset.by_name[reading.dataset.subject]
    reading.flaws.append(RowFlaw(number, column.header, code, column.name, ""))


def _schools(reading: Reading) -> Mapping[str, str]:
    named = set(zip(reading.column("school_code"), reading.column("school_name"), strict=True))
    return {str(code): str(name) for code, name in sorted(named, key=str) if name}
