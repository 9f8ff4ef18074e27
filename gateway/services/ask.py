"""Ask about one person: the least that answers, evidence first.

`applicant-check` (human resources) and `licence-check` (market regulation). A person of sixteen or more is answered
from the id number alone: nothing is looked up. A child is judged from the registers, and the ask itself opens a lead.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time

from gateway.domain.audit import AuditEntry
from gateway.domain.decision import Grant
from gateway.domain.deidentify import Mask
from gateway.domain.errors import Flaw, InvalidResidentId, Malformed, NotPermitted
from gateway.domain.limits import sighting_of_id
from gateway.domain.model import ChildFacts, DutyDraft, LeadDraft, SubjectId
from gateway.domain.ports import Children, Clock, Identity, KeyRing, Possession, Transaction
from gateway.domain.principal import Principal
from gateway.domain.rulebook import Rulebook
from gateway.domain.rules import residence_within
from gateway.domain.schooling import judge
from gateway.services import outgoing
from gateway.services.evidence import Evidence, Request, new_reference
from gateway.services.guard import Guard, quota_exceeded
from schemas.catalogue import EXCHANGES, Action
from schemas.identifiers import IdentifierError, ResidentId, age_on, parse_resident_id, parse_uscc

LABOUR_AGE = 16
"""禁止使用童工规定 art. 2: nobody may employ a person under sixteen."""

_EXCEPTIONS = frozenset({"arts_sports", "vocational_training"})
"""禁止使用童工规定 art. 13: may be possible there; a person decides."""

ENGAGEMENTS = frozenset({"ordinary"}) | _EXCEPTIONS

RESIDENT_ID = "resident_id"


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked: the id number as typed, and the exchange's own inputs."""

    principal: Principal
    exchange: str
    purpose: str
    resident_id: str = field(repr=False)
    employer_uscc: str | None = field(default=None, repr=False)
    engagement: str = "ordinary"
    proof: Possession | None = None


@dataclass(frozen=True, slots=True)
class _Finding:
    """An answer before treatment, with what its evidence must say."""

    answer: Mapping[str, object]
    as_of: datetime
    missing: tuple[str, ...] = ()


class Ask:
    """The use case. Returns the answer's bytes, ready to send and already in the evidence."""

    def __init__(
        self,
        evidence: Evidence,
        children: Children,
        keys: KeyRing,
        clock: Clock,
        rulebook: Rulebook,
        guard: Guard,
    ) -> None:
        self._evidence, self._children, self._keys, self._guard = evidence, children, keys, guard
        self._clock, self._book = clock, rulebook
        self._masks: dict[int, tuple[Grant, Mask]] = {}

    async def __call__(self, question: Question) -> bytes:
        """Decide, read the id, answer. Raises the domain's errors; each is in the evidence too."""
        who = question.principal
        request = Request(who, Action.ASK, question.exchange, question.purpose, who.region, question.proof)
        grant = await self._evidence.decide(request)
        try:
            person = person_from(question.resident_id, self._clock.today())
            _check_inputs(question)
        except (InvalidResidentId, Malformed) as error:
            await self._evidence.failed(request, grant, error.name)
            raise
        if age_on(person.birth_date, self._clock.today()) >= LABOUR_AGE:
            return await self._answer_adult(request, grant)
        return await self._answer_child(request, grant, question, person)

    async def _answer_adult(self, request: Request, grant: Grant) -> bytes:
        now = self._clock.now()
        answer = _adult_answer(request.exchange)
        body, entry = self._body(request, grant, _Finding(answer, now), None, now)
        await self._evidence.journal.record(entry, request.proof)
        return body

    async def _answer_child(
        self, request: Request, grant: Grant, question: Question, person: ResidentId
    ) -> bytes:
        lookup = self._keys.lookup(RESIDENT_ID, person.value)
        child = await self._children.facts(lookup, question.principal.region)
        for older in () if child.subject else self._keys.index_versions[1:]:
            former = self._keys.lookup(RESIDENT_ID, person.value, older)
            child = await self._children.facts(former, question.principal.region)
            if child.subject:
                break
        now, today = self._clock.now(), self._clock.today()

        def work(transaction: Transaction) -> tuple[bytes | None, AuditEntry]:
            refusal = self._guard.refusal(transaction, request, grant, sighting_of_id(person.value))
            if refusal is not None:
                return None, refusal
            # whom no register shows may have been forgotten since: the vault is asked again inside the commit
            known = child.subject if child.enrolments else None
            subject = known or transaction.subject_for(lookup, Identity(person.value, None))
            lead = self._open_lead(transaction, question, child, subject, now, today)
            finding = self._finding(question, child, lead, today)
            return self._body(request, grant, finding, subject, now)

        answer = await self._evidence.journal.perform(work, request.proof)
        if answer is None:
            raise quota_exceeded()
        return answer

    def _finding(self, question: Question, child: ChildFacts, lead: str, today: date) -> _Finding:
        if question.exchange == "licence-check":
            return _Finding({"must_not_license": "yes"}, self._clock.now())
        judged = judge(child, today, self._book.limits)
        answer = {
            "under_16": True,
            "out_of_school": judged.out_of_school,
            "exception_possible": question.engagement in _EXCEPTIONS,
            "verdict": "must_not_hire",
            "lead": lead,
        }
        return _Finding(answer, _start_of(judged.as_of or today), judged.missing_sources)

    def _open_lead(
        self,
        transaction: Transaction,
        question: Question,
        child: ChildFacts,
        subject: SubjectId,
        now: datetime,
        today: date,
    ) -> str:
        rule = self._book.rules[_RULES[question.exchange]]
        county = question.principal.region[:6]
        row = max(child.enrolments, key=lambda row: (row.region == county, row.status_date), default=None)
        draft = LeadDraft(
            subject=subject,
            rule=rule.id,
            region=row.region if row else county,
            residence=residence_within(row.region, row.residence) if row else county,
            school=row.school_code if row else None,
            due_on=self._book.duties.due(rule.duty, today),
            facts=({"fact": rule.id, "on": today.isoformat()},),
            rule_version=rule.version,
        )
        lead, news = transaction.open_lead(draft, now)
        if news:
            transaction.open_duty(self._duty(rule.duty, draft.region, lead, today, None), now)
        for kind in rule.further_duties:
            duty = self._duty(kind, county, lead, today, question.employer_uscc)
            transaction.open_duty(duty, now)
        return lead

    def _duty(self, kind: str, region: str, lead: str, today: date, employer: str | None) -> DutyDraft:
        """What is owed for the lead; a visit is owed for each employer that asked."""
        owner, due = self._book.duties.rules[kind].owner, self._book.duties.due(kind, today)
        facts = {"employer_uscc": parse_uscc(employer).value} if employer else {}
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


_MASKS_KEPT = 1000
_RULES = {"applicant-check": "applicant-under-16", "licence-check": "licence-under-16"}


def _adult_answer(exchange: str) -> Mapping[str, object]:
    if exchange == "licence-check":
        return {"must_not_license": "no"}
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


def _check_inputs(question: Question) -> None:
    if question.engagement not in ENGAGEMENTS:
        zh, en = "用工类型不在可选范围内。", "The engagement is none of the known ones."
        raise Malformed(zh, en, (Flaw("bad_code", zh, en, pointer="/engagement"),))
    if question.employer_uscc is None:
        return
    if not _is_employer(question.employer_uscc):
        zh, en = (
            "统一社会信用代码应为18位，且不得填写身份证件号。",
            "An employer's code has 18 characters and is no id number.",
        )
        raise Malformed(zh, en, (Flaw("bad_code", zh, en, pointer="/employer_uscc"),))


def _is_employer(text: str) -> bool:
    """A unified social credit code; an id number typed into this field would be kept with the duty, so it is refused.

    A mistyped id number too: what has an id's shape must at least have a right check character of its own.
    """
    try:
        code = parse_uscc(text)
    except IdentifierError:
        return False
    if not code.value[:17].isdigit():
        return True
    try:
        parse_resident_id(code.value)
    except IdentifierError as error:
        return error.code == "bad_code" or code.checksum_ok
    return False
