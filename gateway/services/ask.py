"""Ask about one person: the least that answers, evidence first.

`applicant-check` and `registration-check` (human resources), `licence-check` (market regulation). A person of sixteen
or more is answered from the id number alone: nothing is looked up. A child is judged from the registers, and the ask
itself opens a lead.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime, time

import msgspec

from gateway.domain.audit import AuditEntry
from gateway.domain.decision import Grant
from gateway.domain.deidentify import Mask
from gateway.domain.employers import LABOUR_AGE, employer_code
from gateway.domain.errors import Flaw, InvalidResidentId, Malformed, NotPermitted
from gateway.domain.limits import sighting_of_id
from gateway.domain.model import ChildFacts, DutyDraft, Enrolment, SubjectId
from gateway.domain.ports import Clock, Identity, KeyRing, Possession, Transaction
from gateway.domain.predicate import COUNTY_DIGITS
from gateway.domain.principal import Principal
from gateway.domain.rulebook import Rulebook
from gateway.domain.schooling import judge
from gateway.services import outgoing
from gateway.services.evidence import Evidence, Request, new_reference
from gateway.services.guard import Guard, quota_exceeded
from gateway.services.opening import Opening, draft_of
from schemas.catalogue import EXCHANGES, Action
from schemas.identifiers import IdentifierError, ResidentId, age_on, parse_resident_id

_EXCEPTIONS = frozenset({"arts_sports", "vocational_training"})
"""禁止使用童工规定 art. 13: may be possible there; a person decides."""

ENGAGEMENTS = frozenset({"ordinary"}) | _EXCEPTIONS

RESIDENT_ID = "resident_id"


class Question(msgspec.Struct, frozen=True):
    """What was asked: the id number as typed, and the exchange's own inputs."""

    principal: Principal
    exchange: str
    purpose: str
    resident_id: str
    employer_uscc: str | None = None
    engagement: str = "ordinary"
    proof: Possession | None = None

    def __repr__(self) -> str:
        return f"Question({self.exchange!r}, {self.purpose!r})"


class _Finding(msgspec.Struct, frozen=True):
    """An answer before treatment, with what its evidence must say."""

    answer: Mapping[str, object]
    as_of: datetime
    missing: tuple[str, ...] = ()


class _Child(msgspec.Struct, frozen=True):
    """A child asked about, read and decided: `employer` as it is kept, `today` the law date."""

    request: Request
    grant: Grant
    resident_id: str
    employer: str | None
    engagement: str
    now: datetime
    today: date

    def __repr__(self) -> str:
        return "_Child(…)"


class Ask:
    """The use case. Returns the answer's bytes, ready to send and already in the evidence."""

    def __init__(
        self,
        evidence: Evidence,
        keys: KeyRing,
        clock: Clock,
        rulebook: Rulebook,
        guard: Guard,
    ) -> None:
        self._evidence, self._keys, self._guard = evidence, keys, guard
        self._clock, self._book = clock, rulebook
        self._masks: dict[int, tuple[Grant, Mask]] = {}

    async def __call__(self, question: Question) -> bytes:
        """Decide, read the id, answer. Raises the domain's errors; each is in the evidence too."""
        who = question.principal
        request = Request(who, Action.ASK, question.exchange, question.purpose, who.region, question.proof)
        grant = await self._evidence.decide(request)
        today = self._clock.today()
        try:
            person = person_from(question.resident_id, today)
            employer = _inputs(question)
        except (InvalidResidentId, Malformed) as error:
            await self._evidence.failed(request, grant, error.name)
            raise
        if age_on(person.birth_date, today) >= LABOUR_AGE:
            return await self._answer_adult(request, grant)
        return await self._answer_child(
            _Child(request, grant, person.value, employer, question.engagement, self._clock.now(), today)
        )

    async def _answer_adult(self, request: Request, grant: Grant) -> bytes:
        now = self._clock.now()
        answer = _adult_answer(request.exchange)
        body, entry = self._body(request, grant, _Finding(answer, now), None, now)
        await self._evidence.journal.record(entry, request.proof)
        return body

    async def _answer_child(self, asked: _Child) -> bytes:
        lookup, sighting = (
            self._keys.lookup(RESIDENT_ID, asked.resident_id),
            sighting_of_id(asked.resident_id),
        )

        def work(transaction: Transaction) -> tuple[bytes | None, AuditEntry]:
            refusal = self._guard.refusal(transaction, asked.request, asked.grant, sighting)
            if refusal is not None:
                return None, refusal
            facts = self._facts(transaction, asked, lookup)
            subject = facts.subject or transaction.subject_for(lookup, Identity(asked.resident_id, None))
            lead = self._open_lead(transaction, asked, facts, subject)
            finding = self._finding(asked, facts, lead)
            return self._body(asked.request, asked.grant, finding, subject, asked.now)

        answer = await self._evidence.journal.perform(work, asked.request.proof)
        if answer is None:
            raise quota_exceeded()
        return answer

    def _facts(self, transaction: Transaction, asked: _Child, lookup: bytes) -> ChildFacts:
        """Read inside the commit: what is answered is what stands when the evidence of it does."""
        region = asked.request.region
        child = transaction.child(lookup, region)
        for older in () if child.subject else self._keys.index_versions[1:]:
            child = transaction.child(self._keys.lookup(RESIDENT_ID, asked.resident_id, older), region)
            if child.subject:
                break
        return child

    def _finding(self, asked: _Child, child: ChildFacts, lead: str | None) -> _Finding:
        if asked.request.exchange in _PLAIN:
            return _Finding({_PLAIN[asked.request.exchange]: "yes"}, asked.now)
        row, region = _home(asked, child)
        judged = judge(child, asked.today, self._book.of(row.region if row else region).limits)
        answer = {
            "under_16": True,
            "out_of_school": judged.out_of_school,
            "exception_possible": asked.engagement in _EXCEPTIONS,
            "verdict": "must_not_hire",
            "lead": lead,
        }
        return _Finding(answer, _start_of(judged.as_of or asked.today), judged.missing_sources)

    def _open_lead(
        self, transaction: Transaction, asked: _Child, child: ChildFacts, subject: SubjectId
    ) -> str | None:
        """None where the rule is switched off: the answer is the same, and no lead or visit comes of it."""
        rule = self._book.rules[_RULES[asked.request.exchange]]
        if not rule.enabled:
            return None
        county = asked.request.region[:COUNTY_DIGITS]
        fact = {"fact": rule.id, "on": asked.today.isoformat()}
        draft = draft_of(self._book, rule.id, subject, child, county, asked.today, fact)
        lead, news = transaction.open_lead(draft, asked.now)
        if news:
            owed = Opening(self._book, asked.today, asked.now).owed(draft, lead, rule.duty)
            transaction.open_duty(owed, asked.now)
        for kind in rule.further_duties:
            transaction.open_duty(self._duty(kind, county, lead, asked.today, asked.employer), asked.now)
        return lead

    def _duty(self, kind: str, region: str, lead: str, today: date, employer: str | None) -> DutyDraft:
        """What is owed for the lead; a visit is owed for each employer that asked."""
        duties = self._book.of(region).duties
        owner, due = duties.rules[kind].owner, duties.due(kind, today)
        facts = {"employer_uscc": employer} if employer else {}
        return DutyDraft(kind=kind, owner=owner, region=region, due_on=due, lead=lead, facts=facts)

    def _body(
        self, request: Request, grant: Grant, finding: _Finding, subject: SubjectId | None, now: datetime
    ) -> tuple[bytes, AuditEntry]:
        reference, mask = new_reference(now), self._mask(grant)
        if not mask.sources:
            # Which source is missing, and of when the other is, tells of the child's schooling: only to who is told of that.
            finding = _Finding(finding.answer, now)
        body = outgoing.answer(
            mask.apply(finding.answer),
            reference=reference,
            as_of=finding.as_of,
            missing_sources=finding.missing,
        )
        entry = self._evidence.entry(
            request,
            grant,
            reference=reference,
            count=1,
            digest=hashlib.sha256(body).hexdigest(),
            subject=subject,
            fields=mask.words,
        )
        return body, entry

    def _mask(self, grant: Grant) -> Mask:
        """The grant's mask; grants are cached by the decision point, so the same object comes again."""
        found = self._masks.get(id(grant))
        if found is None or found[0] is not grant:
            if len(self._masks) > _MASKS_KEPT:
                self._masks.clear()
            found = self._masks[id(grant)] = (grant, Mask(EXCHANGES[grant.exchange], grant))
        return found[1]


def _home(asked: _Child, child: ChildFacts) -> tuple[Enrolment | None, str]:
    """The register row that a child is led by, the caller's own county's before others; and that county."""
    county = asked.request.region[:COUNTY_DIGITS]
    return max(
        child.enrolments, key=lambda row: (row.region == county, row.status_date), default=None
    ), county


_MASKS_KEPT = 1000
_RULES = {
    "applicant-check": "applicant-under-16",
    "licence-check": "licence-under-16",
    "registration-check": "registration-under-16",
}
_PLAIN = {"licence-check": "must_not_license", "registration-check": "must_not_register"}
"""Exchanges that answer one thing, by age alone."""


def _adult_answer(exchange: str) -> Mapping[str, object]:
    if exchange in _PLAIN:
        return {_PLAIN[exchange]: "no"}
    if exchange == "applicant-check":
        return {
            "under_16": False,
            "out_of_school": "not_applicable",
            "exception_possible": False,
            "verdict": "no_bar",
            "lead": None,
        }
    raise NotPermitted


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def person_from(text: str, today: date) -> ResidentId:
    """The id number read; the error names what is wrong with it and never repeats it."""
    try:
        person = parse_resident_id(text, today=today)
    except IdentifierError as error:
        raise _invalid_id(error.code) from None
    if person.birth_date > today:
        raise _invalid_id("future_date")
    return person


def _invalid_id(code: str) -> InvalidResidentId:
    zh, en = _ID_MESSAGES[code]
    return InvalidResidentId(zh, en, (Flaw(code, zh, en, pointer="/subject/resident_id"),))


_ID_MESSAGES = {
    "bad_code": ("证件号应为18位，请核对证件。", "An id number has 18 characters; check the card."),
    "bad_checksum": (
        "证件号末位校验不符，请逐位核对。",
        "The last character does not fit the others; check digit by digit.",
    ),
    "bad_date": ("证件号中的出生日期不存在。", "The birth date inside the id number does not exist."),
    "future_date": (
        "证件号中的出生日期晚于今天。",
        "The birth date inside the id number lies in the future.",
    ),
}


def _inputs(question: Question) -> str | None:
    """Looks at the exchange's own inputs; the employer's code as it is kept."""
    if question.engagement not in ENGAGEMENTS:
        zh, en = "用工类型不在可选范围内。", "The engagement is none of the known ones."
        raise Malformed.of("bad_code", zh, en, "/engagement")
    if question.employer_uscc is None:
        return None
    employer = employer_code(question.employer_uscc)
    if employer is None:
        zh, en = (
            "统一社会信用代码应为18位，且不得填写身份证件号。",
            "An employer's code has 18 characters and is no id number.",
        )
        raise Malformed.of("bad_code", zh, en, "/employer_uscc")
    return employer
