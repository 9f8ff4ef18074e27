"""What the audience sees of each story. No id, no name: a person is 申请人 1, 2 …, a child a pseudonym."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from gateway.adapters.cedar import load
from gateway.adapters.rulebook import load_rulebook
from gateway.demo.observed import Item, Observed
from gateway.demo.tell import Teller
from gateway.demo.words import word, zh
from gateway.domain.decision import PolicyBook
from gateway.domain.receipt import MESSAGES
from gateway.domain.rulebook import Rulebook
from gateway.services import policy
from gateway.settings import POLICIES
from schemas.catalogue import EXCHANGES

_ERRORS_SHOWN = 2
_ROWS_SHOWN = 3
_CHECKER, _CHECK, _PURPOSE = "human_resources/recruitment_checker", "applicant-check", "child_labour_check"


def opening_of_registers(teller: Teller) -> None:
    """The heading of story (i)."""
    teller.chapter("一、各部门上报名册", "Registers come in")
    teller.say(
        "教育、民政、卫健从各自的系统上报文件：合格的行入库，有误的行逐行退回并说明怎么改。",
        "Each agency hands in its own files: good rows land, every bad row comes back with what to do.",
    )


def receipts(teller: Teller, seen: Observed) -> None:
    """Counts of each file, and the first rows that came back."""
    names = ("rows", "accepted", "unchanged", "rejected", "skipped")
    columns = [
        f"#{heading}"
        for heading in ("行数|rows", "受理|accepted", "重复|unchanged", "退回|rejected", "跳过|skipped")
    ]
    rows = [
        (
            _title(dataset),
            _agency(EXCHANGES[dataset].provider),
            *(seen.total(dataset, name) for name in names),
        )
        for dataset in seen.receipts
    ]
    teller.table("回执 Receipts", ["数据集|dataset", "上报部门|from", *columns], rows)
    columns = ["数据集|dataset", "#行|row", "列|column", "代码|code", "怎么办|what to do"]
    teller.table(
        f"退回的行（各数据集前 {_ERRORS_SHOWN} 行） First rows returned", columns, _first_errors(seen)
    )


def _first_errors(seen: Observed) -> Iterator[Sequence[object]]:
    for dataset in seen.receipts:
        for flaw in seen.errors(dataset)[:_ERRORS_SHOWN]:
            english = MESSAGES[flaw["code"]][1]
            advice = f"{flaw['message']}\n{english}"
            yield EXCHANGES[dataset].title_zh, flaw["row"], flaw["column"], flaw["code"], advice


def what_a_checker_gets(teller: Teller, catalogue: Mapping[str, Item]) -> None:
    """The heading of story (ii): who asks what and for which purpose, what may be told and what may not."""
    teller.chapter("二、招用工核查", "Human resources checks applicants")
    entry, registry = catalogue[_CHECK], _book().registry
    role, purpose = registry.roles[_CHECKER], registry.purposes[_PURPOSE]
    rows = [
        ("谁在问 who", f"{_agency(role.agency)} · {role.title_zh} {role.title_en}"),
        ("用途 purpose", f"{purpose.title_zh} {_PURPOSE}"),
        ("依据 law", entry["legal_basis"]),
        (
            "问什么 asks",
            "身份证件号和用人单位代码，本演示从不显示\nan id number and an employer's code, never shown here",
        ),
    ]
    rows += [
        (f"放行 released: {field['title']}", f"{field['name']} · {word(field['treatment'])}")
        for field in entry["fields"]
        if field["treatment"] != "withhold"
    ]
    teller.table("这次核查 This check", ["项目|item", "内容|content"], rows)
    columns = ["交换|exchange", "里面有什么|what is in it", "为什么|why"]
    teller.table("不予提供 Withheld from this role", columns, _withheld(catalogue))


def _withheld(catalogue: Mapping[str, Item]) -> Iterator[Sequence[object]]:
    """Everything the role does not get, and why: the catalogue's treatments, the policies' reasons."""
    for exchange, entry in catalogue.items():
        inside = [field["title"] for field in entry["fields"] if field["treatment"] == "withhold"]
        inside += [column["header"] for column in entry["columns"] if not entry["permitted"]]
        if not inside:
            continue
        shown = "、".join(inside[:6]) + ("…" if len(inside) > 6 else "")
        yield _title(exchange), shown, _why(exchange, entry)


def _why(exchange: str, entry: Item) -> str:
    """The policies' reason, with the purpose and the law the exchange is reserved for."""
    found = policy.explain(_book(), _CHECKER, _PURPOSE, exchange)
    if found.refusal is None:
        return "\n".join(sorted({f"{zh_} {en}" for zh_, en in found.withheld.values()}))
    purpose = _book().registry.purposes[entry["purposes"][0]]
    _, title_zh, title_en = found.refusal
    return (
        f"{title_zh}：仅限“{purpose.title_zh}”，{entry['legal_basis']}\n"
        f"{title_en}: only for {purpose.title_en.lower()}"
    )


def applicants(teller: Teller, seen: Observed) -> None:
    """One applicant of each kind of answer, then all of them in figures."""
    columns = ["申请人|applicant", "未满16|under 16", "失学|out of school", "结论|verdict"]
    columns += ["系统决定|decision", "线索|lead", "凭据|reference"]
    teller.table("答复示例（每类一人） One applicant of each kind", columns, _examples(seen))
    answers = [answer["answer"] for answer in seen.answers.values() if "answer" in answer]
    kinds = Counter((answer["verdict"], answer["out_of_school"]) for answer in answers)
    rows = [(word(verdict), word(out), count) for (verdict, out), count in sorted(kinds.items())]
    title = f"全部 {len(answers)} 名申请人 All applicants"
    teller.table(title, ["结论|verdict", "失学|out of school", "#人数|count"], rows)
    teller.say(
        "满十六周岁的只凭证件号作答，不查任何学籍；未满的同时给教育局开出线索。",
        "Sixteen or more: answered from the id number alone, nothing is looked up. A child opens a lead.",
    )


def _examples(seen: Observed) -> Iterator[Sequence[object]]:
    kinds: set[tuple[bool, str]] = set()
    for number, told in seen.answers.items():
        answer = told.get("answer", {})
        kind = (bool(answer.get("under_16")), str(answer.get("out_of_school")))
        if kind not in kinds:
            kinds.add(kind)
            lead = "有 yes" if answer.get("lead") else "无 no"
            said = [
                zh(answer.get("under_16")),
                word(kind[1]).replace(" ", "\n"),
                word(answer.get("verdict")).replace(" ", "\n"),
            ]
            yield f"申请人 {number}", *said, told["decision"], lead, f"{str(told.get('reference'))[:16]}…"


def needy(teller: Teller, seen: Observed, treatments: Mapping[str, str], manifest: Item) -> None:
    """Story (iii): a few rows as civil affairs sees them, figures by township and class, the file."""
    teller.chapter("三、困境儿童名单", "Civil affairs' needy children")
    teller.say(
        f"民政局以“困境儿童救助”为用途取得 {seen.needy['total']} 名未获救助的儿童，只见代号，不见姓名证件。",
        "Civil affairs learns of children it does not serve yet: its own pseudonyms, no names, no ids.",
    )
    names = {field.name: field.title_zh for field in EXCHANGES["needy-children"].fields}
    columns = [
        f"{names[name]}|{name}|{zh(treatments[name])}" for name in names if treatments[name] != "withhold"
    ]
    teller.table(
        f"名单前 {_ROWS_SHOWN} 行及各字段的处理 First rows, and how each field is treated",
        columns,
        _sample(seen),
    )
    _coarsened(teller, manifest)
    _places_and_classes(teller, seen)
    file = manifest["files"][0]
    teller.say(
        f"导出 NDJSON：{file['rows']} 行，{file['bytes']:,} 字节，SHA-256 {file['sha256'][:16]}…，"
        f"{manifest['expires']} 失效。",
        "Exported as NDJSON; the file is this client's only and vanishes when it expires.",
    )


def _coarsened(teller: Teller, manifest: Item) -> None:
    """What the list says it has made coarser so that nobody stands out."""
    names = {field.name: field.title_zh for field in EXCHANGES["needy-children"].fields}
    rows = [
        (f"{names[note['field']]} {note['field']}", note["to"] or "—", "、".join(note["where"]))
        for note in manifest["generalised"]
    ]
    title = f"为使同类儿童不少于 {manifest['k']} 名而概化 Made coarser, so that at least k are alike"
    teller.table(title, ["字段|field", "概化为|told as", "范围|where"], rows)


def _sample(seen: Observed) -> Iterator[Sequence[object]]:
    for row in seen.exported[:_ROWS_SHOWN]:
        yield [_cell(name, value) for name, value in row.items()]


def _cell(name: str, value: object) -> str:
    if name == "pseudonym":
        return f"{str(value)[:12]}…"
    if isinstance(value, list):
        return "、".join(zh(item) for item in value)
    return zh(value)


def _places_and_classes(teller: Teller, seen: Observed) -> None:
    places = Counter(row["township"] for row in seen.listed)
    teller.table("按乡镇 By township", ["乡镇|township", "#人数|children"], sorted(places.items()))
    classes = Counter(name for row in seen.listed for name in row["need_classes"])
    rows = [(word(name), count) for name, count in classes.most_common()]
    teller.table("按困境类别（可重叠） By class, may overlap", ["类别|class", "#人数|children"], rows)


def inbox(teller: Teller, seen: Observed, leads: Sequence[Item]) -> None:
    """Story (iv): education's inbox by rule."""
    teller.chapter("四、评估变成安置线索", "From assessments to placement leads")
    teller.say(
        "卫健上报的评估“可入学”而不在任何学籍的儿童，成为教育局的安置线索；残疾类别和等级不随线索流出。",
        "Assessed able to attend, in no register: a lead. Category and grade never travel with it.",
    )
    before = Counter(lead["rule"] for lead in seen.leads)
    columns = ["规则|rule", "#上报后|after uploads", "#现在|now", "最早期限|first due", "最晚期限|last due"]
    by_rule: dict[str, list[str]] = {}
    for lead in leads:
        by_rule.setdefault(lead["rule"], []).append(lead["due_on"])
    rows = [
        (_rule(rule), before[rule], len(due), min(due), max(due)) for rule, due in sorted(by_rule.items())
    ]
    teller.table("教育局收件箱 Education's inbox", columns, rows)


def acknowledged(teller: Teller, seen: Observed) -> None:
    """One lead is taken up."""
    lead = seen.acknowledged
    if lead:
        teller.say(
            f"教育局签收一条线索：{_rule(lead['rule'])}，期限 {lead['due_on']}，{zh(lead['status'])}。",
            f"Education takes up one lead: {lead['status']}.",
        )


def licences(teller: Teller, seen: Observed) -> None:
    """Market regulation asks before it registers somebody as a trader."""
    rows = [
        (
            f"申请人 {one.number}",
            word(told["must_not_license"]),
            told["decision"],
            f"{told['reference'][:16]}…",
        )
        for one, told in seen.licences
    ]
    columns = ["申请人|applicant", "不得登记|must not license", "系统决定|decision", "凭据|reference"]
    teller.table("市场监管局登记核查 Market regulation's licence check", columns, rows)


def attempts(teller: Teller, seen: Observed) -> None:
    """Justice tries what is other agencies' and is refused."""
    columns = ["试图|tried", "得到答复|answered", "#状态|status", "原因|problem"]
    rows = [
        (_title(tried["exchange"]), zh(tried["answered"]), tried.get("status", ""), tried.get("problem", ""))
        for tried in seen.attempts
    ]
    teller.table(
        "司法局被拒（没有移交给它的个案） Justice is refused: no case was referred to it", columns, rows
    )


def audit(teller: Teller, seen: Observed) -> None:
    """How much evidence there is, by decision and agency."""
    teller.chapter("审计", "The audit")
    found = Counter((entry["agency"], entry["decision"]) for entry in seen.audit)
    decisions = sorted({decision for _, decision in found}, key=("permit", "refuse", "fail").index)
    columns = ["部门|agency", *(f"#{zh(decision)}|{decision}" for decision in decisions), "#合计|total"]
    rows = [
        (_agency(agency), *(found[agency, decision] for decision in decisions), _sum(found, agency))
        for agency in sorted({agency for agency, _ in found})
    ]
    totals = Counter(entry["decision"] for entry in seen.audit)
    rows.append(("合计 total", *(totals[decision] for decision in decisions), len(seen.audit)))
    teller.table("每次答复和拒绝都已先留痕 Every answer and refusal was recorded first", columns, rows)


@cache
def _book() -> PolicyBook:
    return load(POLICIES)


@cache
def _rulebook() -> Rulebook:
    return load_rulebook(POLICIES)


def _sum(found: Counter[tuple[str, str]], agency: str) -> int:
    return sum(count for (who, _), count in found.items() if who == agency)


def _title(exchange: str) -> str:
    found = EXCHANGES[exchange]
    return f"{found.title_zh}\n{found.title_en}"


def _agency(agency: str) -> str:
    found = _book().registry.agencies.get(agency)
    return found.title_zh if found else agency


def _rule(rule: str) -> str:
    found = _rulebook().rules.get(rule)
    return f"{found.title_zh} {rule}" if found else rule
