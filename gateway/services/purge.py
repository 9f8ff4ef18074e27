"""Deletion: what is past its purpose goes, in short transactions, each with its evidence.

Runs in a worker thread or on the command line. What is due is found without a lock; inside each transaction it is
looked at again, since a file or an ask may have come in between. A dry run does the same and keeps nothing.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from gateway.domain.alarms import DELETION_UNCONFIRMED
from gateway.domain.audit import AuditEntry
from gateway.domain.jobs import FileStore
from gateway.domain.model import AlarmDraft
from gateway.domain.ports import Clock
from gateway.domain.purging import Notices, NoticeTerms, Overdue, PurgeStore, PurgeTransaction
from gateway.domain.retention import Period, Removed, Span, batches, month_end, total
from gateway.domain.rulebook import Rulebook
from gateway.services.evidence import new_reference

BATCH_CHILDREN = 200
BATCH_ROWS = 2_000
MOST_ROWS_REWRITTEN = 250_000
"""Larger fact tables are rewritten by the command line only: the writers would wait for seconds."""

_UNREMARKABLE = frozenset({"assertions"})
"""Used assertions hold no child and expire every few minutes: they go without an entry of their own."""

Counts = list[Removed]


@dataclass(frozen=True, slots=True)
class Report:
    """What a run removed (or would remove), what it closed, and what needs a person."""

    removed: Sequence[Removed]
    lapsed: Sequence[Removed]
    held: int
    overdue_receipts: int


@dataclass(slots=True)
class _Run:
    """One run's state: `keep` is False when it is only tried."""

    keep: bool
    today: date
    now: datetime
    removed: Counts = field(default_factory=list)
    lapsed: Counts = field(default_factory=list)
    freed: set[bytes] = field(default_factory=set)


class Purge:
    """The use case."""

    def __init__(
        self,
        store: PurgeStore,
        files: FileStore,
        notices: Notices,
        rulebook: Rulebook,
        clock: Clock,
        policy_version: Callable[[], str],
        forget: Callable[[], None],
    ) -> None:
        self._store, self._files, self._notices = store, files, notices
        self._book, self._law = rulebook, rulebook.retention
        self._clock, self._policy_version, self._forget = clock, policy_version, forget
        self._log_full = False

    def tick(self) -> bool:
        """Every minute: what has an hour of expiry goes; once a law date, everything else. Whether anything went."""
        if self._log_full:
            self._log_full = not self._store.truncate()
        if self._store.last_run() != self._clock.today():
            report = self.run()
            return bool(report.removed or report.lapsed)
        run = self._begin(keep=True)
        self._expired(run)
        if run.removed:
            self._end(run, ())
        return bool(run.removed)

    def run(self, keep: bool = True, most_rows: int | None = MOST_ROWS_REWRITTEN) -> Report:
        """One whole run as of today's law date; with `keep` False nothing changes and the report says what would."""
        run = self._begin(keep)
        if keep:
            self._store.learn_recipients()
        spans = self._store.spans(run.today, self._law.compulsory_age)
        self._lapse(run, spans)
        held = self._children(run, spans)
        self._facts(run)
        self._work(run)
        self._orphans(run)
        self._expired(run)
        overdue = self._notices.overdue(run.today)
        report = Report(total(run.removed), total(run.lapsed), held, sum(each.count for each in overdue))
        if keep:
            self._unconfirmed(run, overdue)
            self._store.ran(run.today)
            self._end(run, [each.place for each in report.removed], most_rows)
        return report

    def warnings(self) -> list[str]:
        """What a data office must look at: receipts that did not come in time."""
        overdue = sum(each.count for each in self._notices.overdue(self._clock.today()))
        return [f"{overdue} receipts of deletion notices are overdue"] if overdue else []

    def _unconfirmed(self, run: _Run, overdue: Sequence[Overdue]) -> None:
        """An alarm for each agency whose receipts are late, with its evidence; raised again every day."""
        for each in overdue:
            facts = {"overdue": each.count, "since": each.since.isoformat()}
            alarm = AlarmDraft(DELETION_UNCONFIRMED, each.region, each.agency, each.agency, facts)
            found = Removed("deletion_notice", each.agency, each.count)
            with self._store.transaction(run.keep) as transaction:
                transaction.raise_alarm(alarm, run.now)
                transaction.write_audit(self._entry(run, [found], "unconfirmed"))

    def _begin(self, keep: bool) -> _Run:
        return _Run(keep, self._clock.today(), self._clock.now())

    def _end(self, run: _Run, tables: Collection[str], most_rows: int | None = None) -> None:
        """Nothing of what went stays in pages, in the log, or in memory."""
        if not run.removed:
            return
        self._store.wipe(tables, most_rows)
        self._log_full = not self._store.truncate()
        self._forget()

    def _periods(self, rule: str) -> Period:
        return self._law.copies[rule]

    # --- children -----------------------------------------------------------------------------------------

    def _lapse(self, run: _Run, spans: Sequence[Span]) -> None:
        """Open leads and cases of those who have come of age are closed: the law owes no school any more."""
        working = self._store.open_work()
        adults = [each.subject for each in spans if each.subject in working and self._of_age(run, each)]
        fact: dict[str, object] = {"fact": "of-age", "on": run.today.isoformat()}
        for part in batches(sorted(adults), BATCH_CHILDREN):
            with self._store.transaction(run.keep) as transaction:
                still = [each.subject for each in transaction.spans_of(part) if self._of_age(run, each)]
                found = transaction.lapse(still, fact, run.now)
                self._witness(run, transaction, found, "lapse")
                run.lapsed += found
                # whoever's case became a part of another child's is not free before that one ends
                run.freed |= {*still} - transaction.open_work_of(still)

    def _of_age(self, run: _Run, span: Span) -> bool:
        return run.today >= self._law.lapses_on(span)

    def _children(self, run: _Run, spans: Sequence[Span]) -> int:
        """Whole children past their deadline, and datasets that end before the child; how many open work holds."""
        working = self._store.open_work() - run.freed
        due = [each.subject for each in spans if self._due(run, each)]
        self._shred(run, [each for each in due if each not in working])
        for dataset, rule in self._law.datasets.items():
            if rule.by_schooling and dataset != "student-register":
                early = [each.subject for each in spans if self._dataset_due(run, each, dataset)]
                self._drop_facts(run, dataset, [each for each in early if each not in due])
        return len([each for each in due if each in working])

    def _due(self, run: _Run, span: Span) -> bool:
        return run.today > self._law.child_deadline(span)

    def _shred(self, run: _Run, subjects: Sequence[bytes]) -> None:
        for part in batches(sorted(subjects), BATCH_CHILDREN):
            with self._store.transaction(run.keep) as transaction:
                working = transaction.open_work_of(part) - (set() if run.keep else run.freed)
                still = [each.subject for each in transaction.spans_of(part) if self._due(run, each)]
                found = transaction.shred([each for each in still if each not in working], self._terms(run))
                self._removed(run, transaction, found)

    def _terms(self, run: _Run) -> NoticeTerms:
        due = self._law.receipts_due.due(run.today, self._book.duties.calendar)
        return NoticeTerms(run.today, run.now, due)

    def _dataset_due(self, run: _Run, span: Span, dataset: str) -> bool:
        deadline = self._law.datasets[dataset].deadline({"schooling": self._law.schooling_end(span)})
        return deadline is not None and run.today > deadline

    def _drop_facts(self, run: _Run, dataset: str, subjects: Sequence[bytes]) -> None:
        held = self._law.datasets[dataset].held
        for part in batches(sorted(subjects), BATCH_CHILDREN):
            with self._store.transaction(run.keep) as transaction:
                working = transaction.open_work_of(part) - (set() if run.keep else run.freed)
                still = [
                    each.subject
                    for each in transaction.spans_of(part)
                    if self._dataset_due(run, each, dataset) and not (held and each.subject in working)
                ]
                self._removed(run, transaction, transaction.drop_facts(dataset, still))

    def _orphans(self, run: _Run) -> None:
        """Children of whom nothing is held any more, once the vault has had them long enough."""
        newest = self._periods("unknown-child").before_moment(_noon(run.today - timedelta(days=1))).date()
        for part in batches(self._store.orphans(newest + timedelta(days=1)), BATCH_CHILDREN):
            with self._store.transaction(run.keep) as transaction:
                found = transaction.shred(transaction.still_orphans(part), self._terms(run))
                self._removed(
                    run, transaction, [Removed(each.place, "unknown-child", each.count) for each in found]
                )

    # --- facts, leads and copies with a clock of their own ------------------------------------------------

    def _facts(self, run: _Run) -> None:
        for dataset in self._law.datasets:
            values = self._past(run, dataset)
            rows = self._store.rows_with(dataset, values) if values else []
            for start in range(0, len(rows), BATCH_ROWS):
                with self._store.transaction(run.keep) as transaction:
                    part = rows[start : start + BATCH_ROWS]
                    self._removed(run, transaction, transaction.drop_rows(dataset, part))

    def _past(self, run: _Run, dataset: str) -> list[str]:
        """Of the values a dataset's rows count from, those whose deadline is over."""
        found = self._store.values(dataset)
        rule = self._law.datasets[dataset]
        if found is None or rule.by_schooling:
            return []
        since, values = found
        deadlines = {value: rule.deadline({since: _day(value)}) for value in values}
        return [
            value for value, deadline in deadlines.items() if deadline is not None and run.today > deadline
        ]

    def _work(self, run: _Run) -> None:
        before = self._periods("leads").before_moment(run.now)
        for part in batches(self._store.work_over(before), BATCH_CHILDREN):
            with self._store.transaction(run.keep) as transaction:
                self._removed(run, transaction, transaction.drop_work(part, before, self._terms(run)))

    def _expired(self, run: _Run) -> None:
        if not self._store.anything_expired(run.now, self._periods):
            return
        with self._store.transaction(run.keep) as transaction:
            found, files = transaction.drop_expired(run.now, self._periods)
            self._removed(run, transaction, found)
        for file_id in files if run.keep else ():
            self._files.remove(file_id)

    # --- evidence ------------------------------------------------------------------------------------------

    def _removed(self, run: _Run, transaction: PurgeTransaction, found: Counts) -> None:
        self._witness(run, transaction, found, "purge")
        run.removed += total(found)

    def _witness(self, run: _Run, transaction: PurgeTransaction, found: Counts, what: str) -> None:
        """How many of which place went: no child, and no set of children, is in the entry."""
        told = [each for each in total(found) if each.rule not in _UNREMARKABLE]
        if told:
            transaction.record(self._entry(run, told, what))

    def _entry(self, run: _Run, found: Counts, what: str) -> AuditEntry:
        return AuditEntry(
            reference=new_reference(run.now),
            at=run.now,
            law_date=run.today,
            client="huxue-purge",
            agency="gateway",
            role="gateway/purge",
            region="",
            asked_region="",
            action="purge",
            exchange="deletions",
            purpose="retention",
            decision="permit",
            policy_version=self._policy_version(),
            policy_ids=(f"retention:{self._law.version}",),
            count=sum(each.count for each in found),
            detail=f"{what}: " + ",".join(f"{each.place}[{each.rule}]={each.count}" for each in found),
        )


def _day(value: str) -> date:
    """A month's last day, or the day itself."""
    return date.fromisoformat(value) if len(value) == _WHOLE_DATE else month_end(value)


_WHOLE_DATE = 10


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12)  # noqa: DTZ001 - a day of law, no moment
