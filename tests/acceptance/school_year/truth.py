"""The truth of the year, computed by hand's rules from what was told and done; it knows nothing of the gateway.

The three ledgers of a county on a day, as sentences:

* *School-age* (适龄儿童): every child some register of the county ever showed, who on that day is six or more and under
  sixteen, has not died, has not left school with the certificate of nine years, and has not arrived in another county.
  A child whom the newest register leaves out stays, and is marked so (carried forward).
* *Dropped out* (辍学): every child whom the registers say is out of school - registered as dropped out, or transferred
  out and on the thirty-first day enrolled nowhere - and every child whose case was found to be true and has not ended:
  from `verified` until it is closed or leaves by a side exit (动态销号).
* *Suspected* (疑似辍学): every child with an open case that is still `suspected`, and who is not on the ledger of the
  dropped out.

A child's word on the ledger of the dropped out is the state of its case, and without one what the register says. It
stands on a ledger with a word since the day from which it had that word there without a break, as it was known.

A child's word on the school-age ledger: `dropped_out` and `suspected` when it stands on that ledger; otherwise what the
register says, as long as it was confirmed within 120 days: in school, on leave, exempt (缓学, 免学). A child who is
transferring, whom no register confirmed within 120 days, or who stays away from class with no case, is `unknown`. What
a side exit proves (exempt, moved, graduated, deceased) holds until a register says something newer.

A case is opened by a new fact about a child who has no open case: registered as dropped out; the thirty-first day after
a transfer; a month with five or more unexcused school days away in a row; an assessment that the child can attend, and
no register that shows it; an employer who asks about a child under sixteen. The same fact opens no second case.

What is certain moves a case by itself. The register shows the child back in a school of the county since a day after the
last on which it was out: `returned`. It shows the certificate, or the death: the side exit. A child that was back is
registered as dropped out anew, or a later month shows it away again: `verified` once more. A day of observation is
confirmed when the classes' files show the child in class in every month from the return's to that day's; with the last
of them the case is `closed`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from tests.acceptance.school_year import days
from tests.acceptance.school_year.known import (
    AFTER,
    AFTER_NOTICE,
    BY_REGISTER,
    CAN_ATTEND,
    EXITS,
    OBSERVED,
    REGISTERS,
    STALE,
    THRESHOLD,
    TRANSFER,
    WORDS,
    Case,
    Event,
    Known,
    Line,
    birthday,
    in_class,
)
from tests.acceptance.school_year.owed import due
from tests.acceptance.school_year.people import (
    COUNTY,
    DEAD,
    GRADUATED,
    IN_SCHOOL,
    LEFT,
    OUT,
    Act,
    Child,
    Told,
    World,
)


class Truth:
    """Lives through the year, a day at a time; `ledgers` tells how things stand at the end of the day reached."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.today = days.START - days.ONE
        self.events: list[Event] = []
        self.needless: list[Act] = []
        """What officers found done already."""
        self._lines: dict[str, dict[Child, tuple[str, date]]] = {
            ledger: {} for ledger in ("school-age", "suspected", "dropped-out")
        }
        self._relief_told = False
        self._birthdays: dict[date, list[Child]] = {}
        for child in world.children:
            for age in (6, 16):
                self._birthdays.setdefault(birthday(child.birth, age), []).append(child)
        self._doubtful: dict[Child, None] = {}
        """Those about whom a file ever said anything but that they are in school and in class, or nothing at all."""
        self.known: dict[Child, Known] = {child: Known() for child in world.children}

    def until(self, day: date) -> None:
        """Live until the end of `day`."""
        while self.today < day:
            self.today += days.ONE
            self._time_passes()
            self._look_for_need(self._doubtful)
            files, acts = self._world.on(self.today)
            for told in files:
                self._hear(told)
                self._time_passes()
                self._look_for_need(self.known if told.dataset != "attendance" else self._doubtful)
            for act in acts:
                self._act(act)
            self._mark(self.known if files else [*self._doubtful, *self._birthdays.get(self.today, ())])

    # --- what is told ------------------------------------------------------------------------------------

    def _hear(self, told: Told) -> None:
        match told.dataset:
            case "student-register" if told.county == COUNTY:
                self._hear_register(told)
            case "student-register":
                for child, entry in told.says.items():
                    self.known[child].far = (entry, told.day)
            case "attendance":
                self._hear_attendance(told)
            case "relief-register":
                for child in told.says:
                    self.known[child].relieved = True
                    self._happens(child, "relieved")
                self._relief_told = True
            case "disability-assessment":
                for child, assessment in told.says.items():
                    can = assessment.suitability in CAN_ATTEND
                    self.known[child].assessed = assessment.assessed_on if can else None
                    self._doubtful[child] = None

    def _hear_attendance(self, told: Told) -> None:
        for child, said in told.says.items():
            self.known[child].months.update(said)
            if any(absence.longest >= THRESHOLD for _, absence in said):
                self._doubtful[child] = None

    def _hear_register(self, told: Told) -> None:
        for child, known in self.known.items():
            if child in told.says:
                known.row, known.confirmed, known.missing = told.says[child], told.day, False
                if known.row.status != IN_SCHOOL:
                    self._doubtful[child] = None
            elif known.row is not None:
                known.missing = True
                self._doubtful[child] = None

    def _time_passes(self) -> None:
        """Facts open cases, on the day on which they become facts; and leads close when their reason is gone."""
        for child in self._doubtful:
            known = self.known[child]
            fact = self._fact(known)
            if fact:
                self._open(child, fact)
            elif self._settled(known):
                self._close(child, known.leads & REGISTERS)
            if known.row is not None:
                self._close(child, known.leads & {"placement-missing"})
            if known.case is not None:
                self._case_moves(child, known.case, fact)
            if known.case is not None:
                self._unheeded(child, known.case)

    def _look_for_need(self, children: Iterable[Child]) -> None:
        """In hardship, left behind or out of school, known by an id, and no relief: found once and never again."""
        for child in children if self._relief_told else ():
            known = self.known[child]
            if known.needy and not known.moot and self._needs_no_more(known):
                known.moot = True
                self._happens(child, "moot")
            if known.needy or known.relieved or known.row is None or child.resident_id is None:
                continue
            gone = known.row.status in (GRADUATED, DEAD)
            out = known.leads & {"registered-dropout", "transfer-not-arrived"}
            if not gone and (child.hardship or child.left_behind or out):
                known.needy = True
                self._happens(child, "needy")

    def _needs_no_more(self, known: Known) -> bool:
        """Dead, done with school, or another county's pupil: positively, by a register."""
        if known.row is None or known.row.status in (GRADUATED, DEAD):
            return known.row is not None
        return known.row.status != IN_SCHOOL and known.far is not None and known.far[0].status == IN_SCHOOL

    def _open(self, child: Child, fact: tuple[str, str]) -> None:
        known = self.known[child]
        if fact in known.used:
            return
        known.used.add(fact)
        if known.case is None:
            known.cases.append(Case(self.today, fact, [(self.today, "suspected")], self.today))
        if fact[0] not in known.leads:
            known.leads.add(fact[0])
            self._happens(child, "lead", fact[0])

    def _close(self, child: Child, rules: set[str]) -> None:
        """A lead whose reason is gone; whether the child is in a school now, or owed none."""
        known = self.known[child]
        back = known.row is not None and known.row.status not in (GRADUATED, DEAD)
        for rule in sorted(rules):
            known.leads.discard(rule)
            self._happens(child, "back" if back else "gone", rule)

    def _happens(
        self, child: Child, what: str, name: str = "", since: date | None = None, into: Child | None = None
    ) -> None:
        enrolled = self.known[child].row is not None
        self.events.append(Event(self.today, child, what, name, enrolled, since or self.today, into))

    # --- what moves by itself ----------------------------------------------------------------------------

    def _case_moves(self, child: Child, case: Case, fact: tuple[str, str] | None) -> None:
        row = self.known[child].row
        back = case.state in ("returned", "observing")
        if row is not None and row.status in BY_REGISTER:
            if row.status == DEAD or row.since > case.out_on:
                self._by_itself(child, BY_REGISTER[row.status])
        elif (
            row is not None and row.status == IN_SCHOOL and not fact and not back and row.since > case.out_on
        ):
            case.back_on = row.since
            self._by_itself(child, "return")
        elif back and fact and self._relapsed(case, self.known[child], fact):
            self._by_itself(child, "relapse")
        elif case.state == "observing":
            self._observe(child, case)

    def _relapsed(self, case: Case, known: Known, fact: tuple[str, str]) -> bool:
        assert case.back_on is not None
        if fact[0] == "absence-threshold":
            return fact[1] > days.month_of(case.back_on)
        return fact[0] == "registered-dropout" and known.row is not None and known.row.since > case.back_on

    def _observe(self, child: Child, case: Case) -> None:
        assert case.back_on is not None
        for count in OBSERVED:
            reached = case.back_on + timedelta(days=count)
            if count in case.confirmed:
                continue
            if reached > self.today:
                return
            if not self._in_class(child, case.back_on, reached):
                since = max(reached, case.states[-1][0])
                self._happens(child, "watch", f"{case.back_on}/{count}", since)
                return
            case.confirmed.add(count)
            self._happens(child, "step", "confirm")
        self._by_itself(child, "close")

    def _in_class(self, child: Child, first: date, last: date) -> bool:
        """Whether the files show the child in class in every month from one day's to another's."""
        told = self.known[child].months
        months = [
            month for month in days.all_months() if days.month_of(first) <= month <= days.month_of(last)
        ]
        return all(month in told and in_class(month, told[month]) for month in months)

    def _by_itself(self, child: Child, step: str) -> None:
        self._goes_to(child, AFTER[step])
        self._happens(child, "step", step)

    # --- facts -------------------------------------------------------------------------------------------

    def _settled(self, known: Known) -> bool:
        """The registers show that nothing is to be looked into any more; silence shows nothing."""
        if known.row is None or not self._fresh(known):
            return False
        return self.arrived(known) or known.row.status not in (OUT, LEFT)

    def _fact(self, known: Known) -> tuple[str, str] | None:
        """What there is to look into about the child, by the files alone."""
        row = known.row
        if row is None:
            arrived = known.far is not None
            return None if arrived or not known.assessed else ("placement-missing", str(known.assessed))
        if self.out_of_school(known):
            return ("registered-dropout" if row.status == OUT else "transfer-not-arrived", str(row.since))
        if (
            row.status == IN_SCHOOL
            and not self.arrived(known)
            and self._fresh(known)
            and self._stays_away(known)
        ):
            return ("absence-threshold", max(known.months))
        return None

    def arrived(self, known: Known) -> bool:
        """Another county's register shows the child in school, later than the county's own says anything."""
        if known.far is None or known.far[0].status != IN_SCHOOL:
            return False
        return known.row is None or known.far[0].since > known.row.since

    def out_of_school(self, known: Known) -> bool:
        """Whether the registers say that the child is out of school."""
        row = known.row
        if row is None or self.arrived(known) or not self._fresh(known):
            return False
        return row.status == OUT or (row.status == LEFT and self.today > row.since + timedelta(days=TRANSFER))

    def _fresh(self, known: Known) -> bool:
        return known.confirmed is not None and self.today <= known.confirmed + timedelta(days=STALE)

    def _stays_away(self, known: Known) -> bool:
        """The newest month in class shows five unexcused days in a row, and is not too long ago."""
        if not known.months:
            return False
        month = max(known.months)
        absence = known.months[month]
        recent = self.today <= days.end_of(month) + timedelta(days=STALE)
        return recent and not absence.reason and absence.longest >= THRESHOLD

    # --- what is done ------------------------------------------------------------------------------------

    def _act(self, act: Act) -> None:
        self._doubtful[act.child] = None
        name = str(act.more.get("name") or act.more.get("kind") or "")
        if self._is_needless(act, name):
            self.needless.append(act)
            return
        self._happens(act.child, act.what, name)
        match act.what:
            case "step":
                self._goes_to(act.child, AFTER[name], act)
            case "notice":
                self._goes_to(act.child, AFTER_NOTICE[name])
                self._remind(act.child, name)
            case "accept":
                self._goes_to(act.child, "referred")
            case "outcome":
                self._goes_to(act.child, "persuading")
            case "hand_over_accepted":
                self._goes_to(act.child, "moved")
            case "ask" if self.today < birthday(act.child.birth, 16):
                self._open(act.child, ("applicant-under-16", str(self.today)))

    def _remind(self, child: Child, notice: str) -> None:
        case = self.known[child].case
        if case is not None and notice == "enforcement-reminder":
            case.reminded = due("reminder-return", self.today)

    def _unheeded(self, child: Child, case: Case) -> None:
        """A reminder that is over, and nobody came back: the court's, from its last day on."""
        if case.reminded and case.reminded < self.today and case.state in ("sanctioned", "referred"):
            self._happens(child, "unheeded", since=case.reminded)
            case.reminded = None

    def _is_needless(self, act: Act, name: str) -> bool:
        """Whether files said it before the officer came to it."""
        case = self.known[act.child].case
        if act.what != "step" or name not in ("confirm", "close", "relapse", "return"):
            return False
        if name == "confirm":
            return case is None or case.state != "observing" or act.more["number"] in case.confirmed
        return case is None or case.state == AFTER[name]

    def _goes_to(self, child: Child, state: str, act: Act | None = None) -> None:
        known = self.known[child]
        case = known.case
        assert case is not None, f"{child}: no case to go to {state} on {self.today}"
        if state == "same":
            assert act is not None
            case.confirmed.add(act.more["number"])
            return
        case.states.append((self.today, state))
        if state == "verified":
            case.out_on = self.today
        if state == "returned" and act is not None:
            case.back_on = self.today
        if state == "returned":
            case.confirmed.clear()
        if state in EXITS:
            known.leads.clear()
            self._happens(child, "ended", state, into=act.more.get("of") if act else None)

    # --- how things stand --------------------------------------------------------------------------------

    def _mark(self, children: Iterable[Child]) -> None:
        """Since when each of them stands where it stands."""
        for child in children:
            words = self._words(child, self.known[child])
            for ledger, lines in self._lines.items():
                word = words.get(ledger)
                if word is None:
                    lines.pop(child, None)
                elif child not in lines or lines[child][0] != word:
                    lines[child] = (word, self.today)

    def _words(self, child: Child, known: Known) -> dict[str, str]:
        """On which ledgers the child stands, and with which word."""
        found: dict[str, str] = {}
        if self._dropped_out(known):
            found["dropped-out"] = known.case.state if known.case else self._says(known)
        elif known.case is not None:
            found["suspected"] = "suspected"
        if known.row is not None and self._of_age(child) and not self._gone(known):
            out = "dropped_out" if "dropped-out" in found else None
            found["school-age"] = out or found.get("suspected") or self._word(known)
        return found

    def _dropped_out(self, known: Known) -> bool:
        case = known.case
        return self.out_of_school(known) or (case is not None and case.state != "suspected")

    @staticmethod
    def _says(known: Known) -> str:
        assert known.row is not None
        return "registered-dropout" if known.row.status == OUT else "transfer-not-arrived"

    def _of_age(self, child: Child) -> bool:
        return birthday(child.birth, 6) <= self.today < birthday(child.birth, 16)

    def _gone(self, known: Known) -> bool:
        assert known.row is not None
        ends = ("moved", "graduated", "deceased")
        return known.row.status in (DEAD, GRADUATED) or self.arrived(known) or self._exit(known) in ends

    def _exit(self, known: Known) -> str | None:
        """The exit of the last case, unless a register said something newer."""
        assert known.row is not None
        last = known.cases[-1] if known.cases else None
        if last is None or not last.over:
            return None
        return last.state if known.row.status == LEFT or known.row.since <= last.states[-1][0] else None

    def _word(self, known: Known) -> str:
        assert known.row is not None
        if self._exit(known) == "exempt":
            return "exempt"
        if self._fresh(known) and known.row.status in WORDS and self._fact(known) is None:
            return WORDS[known.row.status]
        return "unknown"

    def ledgers(self) -> dict[str, dict[Child, Line]]:
        """The three ledgers at the end of the day."""
        return {
            ledger: {child: Line(*line, self.known[child].missing) for child, line in lines.items()}
            for ledger, lines in self._lines.items()
        }
