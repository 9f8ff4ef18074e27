"""Reports: made by the gateway at their time, signed by a person, chased by a duty; what disagrees is named.

The figures of a report are the facts of the day on which it was made, and stay. Its signer may state figures of the
own knowledge; facts that arrive later are held against it too. Nothing is signed by itself.
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from gateway.domain.audit import AuditEntry
from gateway.domain.decision import Grant
from gateway.domain.deidentify import KEY, Mask, Released
from gateway.domain.errors import Conflict, Flaw, Malformed, NotPermitted
from gateway.domain.landing import RegisterTransaction
from gateway.domain.model import DutyDraft
from gateway.domain.ports import Clock, KeyRing, Transaction
from gateway.domain.predicate import COUNTY_DIGITS
from gateway.domain.principal import Principal
from gateway.domain.reporting import (
    FIGURES,
    UNIT_DIGITS,
    Disagreement,
    LostChild,
    Period,
    Report,
    ReportDesk,
    ReportQuery,
    ReportRule,
    Reports,
    Status,
    checking,
    disagreements,
    owing,
)
from gateway.domain.rulebook import Rulebook
from gateway.domain.spreadsheet import Format, SpreadsheetFiles
from gateway.services import outgoing, pages
from gateway.services.evidence import Evidence, Request, new_reference
from gateway.services.reportsheet import tabled
from schemas.catalogue import EXCHANGES, Action
from schemas.codes.region import regions

EXCHANGE = "reports"
PURPOSE = "dropout_control"
_LOST = "lost-students"
_CHECK = "report-check"
_MANY = 10_000_000


@dataclass(frozen=True, slots=True)
class ReportFilter:
    """What a caller asked for; without a region, everything in the caller's reach."""

    period: str | None = None
    kind: str | None = None
    status: Status | None = None
    region: str | None = None
    cursor: str | None = None
    limit: int = 100


class MakeReports:
    """The task of a new day: the reports whose time has come, each with the duty that chases it."""

    def __init__(self, rulebook: Rulebook, keys: KeyRing) -> None:
        self._book, self._keys = rulebook, keys

    def run(self, transaction: RegisterTransaction, region: str, day: date, now: datetime) -> None:
        """Makes what is not made yet of a county, its townships and schools, or of a prefecture or province alone."""
        book = self._book.of(region)
        for rule in book.reports.rules.values():
            period = rule.made_on(day, book.reports.terms)
            if period is not None and rule.made_in(region):
                self._make(transaction, rule, period, region, day, now)

    def _make(
        self,
        transaction: RegisterTransaction,
        rule: ReportRule,
        period: Period,
        region: str,
        day: date,
        now: datetime,
    ) -> None:
        absence = self._book.of(region).limits.absence_days
        for unit, figures in sorted(transaction.reports.figures(rule.level, region, period, absence).items()):
            report = self._report(transaction.reports, rule, period, region, unit, figures, day)
            if transaction.reports.add(report, now):
                transaction.duties.open(self._duty(report, rule, day), now)

    def _report(
        self,
        desk: ReportDesk,
        rule: ReportRule,
        period: Period,
        region: str,
        unit: str,
        figures: Mapping[str, int],
        day: date,
    ) -> Report:
        at = region if rule.level == "school" else unit
        return Report(
            id=self._keys.derived_id(
                "report", rule.id.encode(), period.label.encode(), f"{at}/{unit}".encode()
            ),
            kind=rule.id,
            region=at,
            school=unit if rule.level == "school" else None,
            unit=unit,
            period=period,
            status="due",
            due_on=self._book.of(region).duties.due(rule.duty, day),
            made_on=day,
            figures={name: figures[name] for name in FIGURES if name in figures},
            missing=(*_silent(desk, rule, region), *(() if "absent" in figures else ("attendance",))),
        )

    def _duty(self, report: Report, rule: ReportRule, day: date) -> DutyDraft:
        place = owing(report)
        duty = self._book.of(place).duties.rules[rule.duty]
        return DutyDraft(
            kind=rule.duty,
            owner=duty.owner,
            region=place,
            due_on=report.due_on,
            lead=None,
            facts={"report": report.id, "period": report.period.label},
            residence=report.region,
            school=report.school,
            basis=report.id,
        )


def _silent(desk: ReportDesk, rule: ReportRule, region: str) -> tuple[str, ...]:
    """Counties of a wider unit from which nothing is known here: a sum without them says so."""
    if rule.level not in ("prefecture", "province"):
        return ()
    unit = region[: UNIT_DIGITS[rule.level]]
    return tuple(sorted({*desk.counties_known(unit)} - {*desk.counties(unit)}))


class Reporting:
    """The use cases around reports."""

    def __init__(
        self,
        evidence: Evidence,
        reports: Reports,
        keys: KeyRing,
        clock: Clock,
        rulebook: Rulebook,
        files: SpreadsheetFiles,
    ) -> None:
        self._evidence, self._reports, self._keys = evidence, reports, keys
        self._clock, self._book, self._files = clock, rulebook, files

    async def find(self, principal: Principal, purpose: str, asked: ReportFilter) -> bytes:
        """One page of reports."""
        request, grant = await self._decide(principal, purpose, asked.region)
        query = ReportQuery(
            grant.rows, asked.period, asked.kind, asked.status, asked.region, asked.cursor, asked.limit + 1
        )
        found = await asyncio.to_thread(self._reports.find, query)
        shown, last = pages.cut(found, asked.limit)
        items = await asyncio.to_thread(self._shown, grant, shown)
        page = pages.Page(items, last.id if last else None, self._clock.now(), fields=_mask(grant).words)
        return await pages.told(self._evidence, request, grant, page)

    async def sheet(self, principal: Principal, purpose: str, asked: ReportFilter) -> bytes:
        """All reports asked for, up to the limit, as a workbook: one report a row."""
        request, grant = await self._decide(principal, purpose, asked.region)
        query = ReportQuery(
            grant.rows, asked.period, asked.kind, asked.status, asked.region, None, asked.limit
        )
        found = await asyncio.to_thread(self._reports.find, query)
        items = await asyncio.to_thread(self._shown, grant, found)
        body = await asyncio.to_thread(self._files.write, Format("xlsx"), *tabled(items))
        digest, fields = hashlib.sha256(body).hexdigest(), _mask(grant).words
        entry = self._evidence.entry(
            request, grant, count=len(items), digest=digest, detail="xlsx", fields=fields
        )
        await self._evidence.journal.record(entry)
        return body

    async def lost(self, principal: Principal, purpose: str, report_id: str) -> bytes:
        """The children a list of lost students names, each under the caller's agency's own pseudonym."""
        request, grant = await self._decide(principal, purpose, None)
        report = await self._owned(request, grant, report_id)
        found = (
            await asyncio.to_thread(self._reports.lost, report, grant.rows) if report.kind == _LOST else []
        )
        mask = Mask(EXCHANGES[EXCHANGE], grant, _CHILD_FIELDS)
        members = [child.subject for child in found]
        known: Sequence[str | None] = [None] * len(found)
        if KEY in mask.names:
            known = self._keys.pseudonyms(principal.agency, members)
        items = [mask.apply(_line(child, name)) for child, name in zip(found, known, strict=True)]
        page = pages.Page(
            items, None, self._clock.now(), members=members, cut_from=(members, 0), fields=mask.words
        )
        return await pages.told(self._evidence, request, grant, page)

    async def sign(
        self, principal: Principal, purpose: str, report_id: str, stated: Mapping[str, int] | None
    ) -> tuple[bytes, str]:
        """The signed report, and the reference. NotPermitted: not this signer's; Conflict: signed already."""
        request, grant = await self._decide(principal, purpose, None)
        report, now = await self._owned(request, grant, report_id), self._clock.now()
        if not self._may_sign(principal, report):
            await self._evidence.failed(request, grant, NotPermitted.name)
            raise NotPermitted
        try:
            _check_stated(stated)
        except Malformed as error:
            await self._evidence.failed(request, grant, error.name)
            raise
        signed = replace(
            report,
            status="signed",
            stated=stated,
            signed_by=principal.person,
            signed_on=self._clock.today(),
        )
        (told,) = await asyncio.to_thread(self._shown, grant, [signed])
        body, reference = outgoing.single(told), new_reference(now)

        def work(transaction: Transaction) -> tuple[bool, AuditEntry]:
            if not transaction.reports.sign(signed):
                return False, self._evidence.entry(request, grant, "fail", detail=Conflict.name, fields={})
            self._settle(transaction, signed, now)
            return True, self._entry(request, grant, body, signed, "signed", reference)

        if not await self._evidence.journal.perform(work):
            raise Conflict("该报告已签发。", "The report is signed already.")
        return body, reference

    def _settle(self, transaction: Transaction, report: Report, now: datetime) -> None:
        """The duty to report is done; a report that disagrees with the facts is owed a look by the level above."""
        rule, today = self._book.reports.rule(report.kind), self._clock.today()
        county = report.region[: UNIT_DIGITS["county"]]
        transaction.duties.finish_basis(county, rule.duty, report.id, today, report.signed_by or "")
        if disagreements(report.stated or {}, report.figures):
            place = checking(report, rule.level)
            duties = self._book.of(place).duties
            draft = DutyDraft(
                kind=_CHECK,
                owner=duties.rules[_CHECK].owner,
                region=place,
                due_on=duties.due(_CHECK, today),
                lead=None,
                facts={"report": report.id, "period": report.period.label},
                residence=report.region if place == owing(report) else place,
                school=report.school,
                basis=report.id,
            )
            transaction.duties.open(draft, now)

    def _may_sign(self, principal: Principal, report: Report) -> bool:
        """The role of the report's level, at exactly its unit: nobody signs for another level."""
        rule = self._book.reports.rule(report.kind)
        unit = principal.school if rule.level == "school" else principal.region
        return principal.role == rule.signs and unit == report.unit

    async def _decide(self, principal: Principal, purpose: str, region: str | None) -> tuple[Request, Grant]:
        request = Request(principal, Action.SUBSCRIBE, EXCHANGE, purpose, region or principal.region)
        return request, await self._evidence.decide(request)

    async def _owned(self, request: Request, grant: Grant, report_id: str) -> Report:
        report = await asyncio.to_thread(self._reports.get, report_id, grant.rows)
        if report is None:
            await self._evidence.failed(request, grant, NotPermitted.name)
            raise NotPermitted
        return report

    def _shown(self, grant: Grant, reports: Sequence[Report]) -> list[Released]:
        mask = _mask(grant)
        return [mask.apply(self._record(report)) for report in reports]

    def _record(self, report: Report) -> Mapping[str, object]:
        rule, today = self._book.reports.rule(report.kind), self._clock.today()
        late, where = report.status == "due" and report.due_on < today, self._where(report)
        return {
            "id": report.id,
            "kind": report.kind,
            "title_zh": rule.title_zh,
            "title_en": rule.title_en,
            "level": rule.level,
            "region": report.region,
            "school": report.school,
            "period": report.period.label,
            "first": report.period.first.isoformat(),
            "last": report.period.last.isoformat(),
            "status": "overdue" if late else report.status,
            "due_on": report.due_on.isoformat(),
            "made_on": report.made_on.isoformat(),
            "signed_by": report.signed_by,
            "signed_on": report.signed_on.isoformat() if report.signed_on else None,
            "missing": list(report.missing),
            "figures": dict(report.figures),
            "stated": dict(report.stated) if report.stated is not None else None,
            "disagreements": [{**each.told(), **where} for each in self._disagreements(report, rule)],
        }

    def _where(self, report: Report) -> Mapping[str, str]:
        """The place whose figures they are, by name: a region or a school, never a child."""
        school = [report.school, self._reports.school_name(report)] if report.school else []
        names = [regions().name(report.region), *(each for each in school if each)]
        return {"region": report.region, "place": " ".join(names)}

    def _disagreements(self, report: Report, rule: ReportRule) -> list[Disagreement]:
        """What was stated against the facts of then; and what was reported against what the facts say now."""
        now = self._reports.facts_now(
            report, rule.level, self._book.of(report.region[:COUNTY_DIGITS]).limits.absence_days
        )
        said = disagreements(report.stated or {}, report.figures)
        lasting = {name: count for name, count in report.figures.items() if name in now}
        told = {**lasting, **{name: count for name, count in (report.stated or {}).items() if name in now}}
        known = {each.figure for each in said}
        later = [each for each in disagreements(told, now, later=True) if each.figure not in known]
        return [*said, *later]

    def _entry(
        self, request: Request, grant: Grant, body: bytes, report: Report, detail: str, reference: str
    ) -> AuditEntry:
        return self._evidence.entry(
            request,
            grant,
            reference=reference,
            count=1,
            digest=hashlib.sha256(body).hexdigest(),
            detail=f"{detail}:{report.id}",
            fields=_mask(grant).words,
        )


_CHILD_FIELDS = frozenset({"pseudonym", "case", "township", "home_school", "since", "because"})
_REPORT_FIELDS = frozenset(field.name for field in EXCHANGES[EXCHANGE].fields) - _CHILD_FIELDS


def _mask(grant: Grant) -> Mask:
    """What of a report comes out; the children of a list have a part of their own."""
    return Mask(EXCHANGES[EXCHANGE], grant, _REPORT_FIELDS)


def _line(child: LostChild, pseudonym: str | None) -> Mapping[str, object]:
    return {
        "pseudonym": pseudonym,
        "case": child.case,
        "township": child.residence[: UNIT_DIGITS["township"]],
        "home_school": child.school,
        "since": child.since.isoformat(),
        "because": child.because,
    }


def _check_stated(stated: Mapping[str, int] | None) -> None:
    """Malformed names every figure that no report has, or that is no count."""
    flaws = [
        _wrong(name[:40])
        for name, count in (stated or {}).items()
        if name not in FIGURES or not 0 <= count <= _MANY
    ]
    if flaws:
        raise Malformed("报告数据有误。", "A stated figure is wrong.", tuple(flaws))


def _wrong(name: str) -> Flaw:
    zh, en = f"没有这项指标或数值有误：{name}。", f"No such figure, or no count: {name}."
    return Flaw("bad_code", zh, en, pointer=f"/figures/{name}")
