"""Every connector passes the conformance suite; one that does not fit `schemas/` cannot be imported."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import connectors as package
from connectors import registry
from connectors.base import Connector, Mapping, normal_heading
from connectors.conformance import findings, mapping_findings, simulator_findings
from connectors.registry import SIMULATORS, connectors, discover, mapping_for
from connectors.transports.files import CSV, JSON, NDJSON, XLS, XLSX, media_type, read_drop, read_records
from schemas.codes.tables import table
from schemas.identifiers import IdentifierError
from schemas.records import DATASETS

AGENCIES = ("civil_affairs", "education", "health", "human_resources", "justice", "market_regulation")
ROOT = Path(package.__path__[0])
COUNTY = Path(__file__).parents[1] / "data" / "county"


def test_six_agencies_are_found() -> None:
    assert tuple(connectors()) == AGENCIES
    assert tuple(SIMULATORS) == AGENCIES
    assert len(SIMULATORS) == 6


@pytest.mark.parametrize("agency", AGENCIES)
def test_connector_conforms(agency: str) -> None:
    assert findings(connectors()[agency]) == []


@pytest.mark.parametrize("dataset", list(DATASETS))
def test_dataset_has_the_mapping_of_its_provider(dataset: str) -> None:
    mapping = mapping_for(dataset)
    assert mapping.dataset == dataset
    assert mapping in connectors()[DATASETS[dataset].provider].provides


def test_dataset_that_nobody_provides_has_no_mapping() -> None:
    with pytest.raises(KeyError):
        mapping_for("school-marks")


def test_simulator_of_an_unknown_agency_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        SIMULATORS["transports"]


class TestMapping:
    @pytest.mark.parametrize(
        ("dataset", "heading", "field"),
        [
            ("student-register", "国家学籍号", "student_number"),
            ("student-register", "学生类别 *", "status"),
            ("student-register", "学校（机构）标识码", "school_code"),
            ("student-register", "\ufeff姓　名", "name"),
            ("student-register", "STATUS", "status"),
            ("student-register", "班主任", None),
            ("attendance", "未到校原因", None),
            ("disability-assessment", "就学建议代码", "suitability"),
        ],
    )
    def test_heading_leads_to_its_field(self, dataset: str, heading: str, field: str | None) -> None:
        assert mapping_for(dataset).field_of(heading) == field

    @pytest.mark.parametrize(
        ("dataset", "field", "text", "code"),
        [
            ("student-register", "status", "在籍", "enrolled"),
            ("student-register", "status", "在校", "enrolled"),
            ("student-register", "boarding", "是", "boarding"),
            ("disability-assessment", "category", "02", "2"),
            ("disability-assessment", "category", "听力", "2"),
            ("disability-assessment", "suitability", " ａ3 ", "home_delivery"),
            ("relief-register", "relief_class", "b02", "de_facto_unsupported"),
            ("sightings", "finding", "01", "confirmed"),
            ("sightings", "measure", "送返监护人", "handed_to_guardian"),
        ],
    )
    def test_own_code_and_the_schemas_are_both_read(
        self, dataset: str, field: str, text: str, code: str
    ) -> None:
        assert mapping_for(dataset).code_of(field, text) == code

    def test_code_that_nobody_knows_is_bad(self) -> None:
        with pytest.raises(IdentifierError):
            mapping_for("disability-assessment").code_of("suitability", "A9")

    @pytest.mark.parametrize("field", ["name", "nothing"])
    def test_field_without_codes_is_a_key_error(self, field: str) -> None:
        with pytest.raises(KeyError):
            mapping_for("disability-assessment").code_of(field, "A1")

    def test_mapping_cannot_be_changed(self) -> None:
        mapping = mapping_for("student-register")
        with pytest.raises(TypeError):
            mapping.codes["status"]["在籍"] = "graduated"  # type: ignore[index]
        with pytest.raises(TypeError):
            mapping.headings["status"] = ()  # type: ignore[index]


def relief(headings: dict[str, tuple[str, ...]] | None = None, codes: Any = None) -> tuple[Mapping, ...]:
    return (Mapping("relief-register", headings or {}, codes or {}),)


FITTING: dict[str, Any] = {
    "agency": "civil_affairs",
    "title_zh": "民政局",
    "title_en": "Civil affairs",
    "provides": relief(),
    "asks": ("needy-children",),
    "roles": ("relief_officer",),
}


def make(**changes: Any) -> type[Connector]:
    return type("Invented", (Connector,), {**FITTING, **changes})


def test_connector_that_fits_can_be_made() -> None:
    assert make().agency == "civil_affairs"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"agency": ""}, "agency is missing"),
        ({"title_zh": ""}, "title_zh is missing"),
        ({"title_en": 3}, "title_en is missing"),
        ({"roles": ()}, "roles must name"),
        ({"roles": ("a", "a")}, "roles must name"),
        ({"asks": ("needy-childern",)}, "no exchange 'needy-childern'"),
        ({"provides": (*relief(), Mapping("marks", {}, {}))}, "no dataset 'marks'"),
        (
            {"provides": (*relief(), Mapping("attendance", {}, {}))},
            "provided by education, not by civil_affairs",
        ),
        ({"provides": ()}, "'relief-register' of this agency is not mapped"),
        ({"provides": (*relief(), *relief())}, "'relief-register' is mapped twice"),
        ({"provides": relief({"surname": ("姓",)})}, "headings for 'surname', which is no field"),
        ({"provides": relief({"name": ("救助类别",)})}, "'救助类别' stands for name and relief_class"),
        ({"provides": relief({"name": (" 救助 类别*",)})}, "stands for name and relief_class"),
        ({"provides": relief({"name": ("对象",), "region": ("对象",)})}, "'对象' stands for name and region"),
        ({"provides": relief({"name": (" ",)})}, "an empty heading for name"),
        ({"provides": relief(codes={"class": {"1": "dibao"}})}, "codes for 'class', which is no field"),
        ({"provides": relief(codes={"name": {"1": "dibao"}})}, "codes for 'name', which has no code table"),
        ({"provides": relief(codes={"relief_class": {"1": "低保"}})}, "'低保' is no code of the table"),
        (
            {"provides": relief(codes={"relief_class": {"特困": "dibao"}})},
            "the schema reads '特困' as another",
        ),
        (
            {"provides": relief(codes={"relief_class": {"a": "dibao", "Ａ": "orphan"}})},
            "stands for two codes",
        ),
    ],
)
def test_connector_that_does_not_fit_cannot_be_made(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        make(**changes)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(TypeError, match=r"connector Invented does not fit schemas/: .*title_zh.*; .*'x'"):
        make(title_zh="", asks=("x",))


class TestConformanceBites:
    def test_own_codes_must_cover_their_table(self) -> None:
        mapping = Mapping("relief-register", {}, {"relief_class": {"A": "dibao"}})
        missing = [code for code in table("relief_class").codes() if code != "dibao"]
        found = list(mapping_findings(mapping))
        assert len(found) == len(missing)
        assert all("have none for" in finding for finding in found)

    def test_agency_without_a_simulator_is_found(self) -> None:
        connector = type(
            "Invented", (Connector,), {**FITTING, "agency": "townships", "provides": (), "asks": ()}
        )
        assert list(simulator_findings(connector)) == ["townships: there is no simulator.py"]

    def test_role_that_the_simulator_does_not_use_is_found(self) -> None:
        found = list(simulator_findings(make(roles=("register_keeper", "relief_officer", "idle"))))
        assert found == ["civil_affairs: the simulator starts without a client for its role 'idle'"]


class TestDiscovery:
    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        folder = tmp_path / f"agencies_{tmp_path.name}"
        (folder / "temple").mkdir(parents=True)
        (folder / "__init__.py").touch()
        (folder / "temple" / "__init__.py").touch()
        monkeypatch.syspath_prepend(str(tmp_path))
        return folder

    def write(
        self, folder: Path, agency: str, fields: str = "title_zh = title_en = 'T'; roles = ('r',)"
    ) -> None:
        text = (
            f"from connectors.base import Connector\nclass A(Connector):\n    agency = {agency!r}; {fields}\n"
        )
        (folder / "temple" / "connector.py").write_text(text, encoding="utf-8")

    def test_agency_is_one_folder(self, folder: Path) -> None:
        self.write(folder, "temple")
        assert list(discover([str(folder)], folder.name)) == ["temple"]

    def test_folder_without_a_connector_is_no_agency(self, folder: Path) -> None:
        assert discover([str(folder)], folder.name) == {}

    def test_connector_of_another_name_is_refused(self, folder: Path) -> None:
        self.write(folder, "church")
        with pytest.raises(TypeError, match="agency is 'temple'"):
            discover([str(folder)], folder.name)

    def test_folder_without_a_class_is_refused(self, folder: Path) -> None:
        (folder / "temple" / "connector.py").write_text("from connectors.base import Connector\n")
        with pytest.raises(TypeError, match="must define one connector"):
            discover([str(folder)], folder.name)

    def test_connector_that_does_not_fit_stops_the_import(self, folder: Path) -> None:
        self.write(folder, "temple", "roles = ('r',)")
        with pytest.raises(TypeError, match="title_zh is missing"):
            discover([str(folder)], folder.name)


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{name.name}" for name in node.names)


def strangers(path: Path, root: Path = ROOT) -> list[str]:
    """What a module of `connectors` imports and must not: the gateway, or another agency."""
    own = path.relative_to(root).parts[0]
    others = tuple(f"connectors.{agency}." for agency in AGENCIES if agency != own)
    return [name for name in imported(path) if f"{name}.".startswith(("gateway.", "policies.", *others))]


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_connectors_import_neither_the_gateway_nor_each_other(path: Path) -> None:
    assert strangers(path) == []


@pytest.mark.parametrize(
    "line", ["import gateway.client", "from gateway import client", "from connectors.health.mapping import X"]
)
def test_import_rule_bites(tmp_path: Path, line: str) -> None:
    (tmp_path / "education").mkdir()
    path = tmp_path / "education" / "connector.py"
    path.write_text(line)
    assert len(strangers(path, tmp_path)) == 1


def test_discovering_agencies_does_not_load_their_simulators() -> None:
    assert "starlette" not in set(imported(Path(registry.__file__))) - {"starlette.applications.Starlette"}


class TestFiles:
    @pytest.mark.parametrize(
        ("name", "content", "kind"),
        [
            ("a.csv", b"a,b", CSV),
            ("a.TXT", b"a,b", CSV),
            ("a.xlsx", b"PK\x03\x04", XLSX),
            ("a.csv", b"PK\x03\x04", XLSX),
            ("a.xlsx", b"\xd0\xcf\x11\xe0", XLSX),
            ("a.xls", b"\xd0\xcf\x11\xe0", XLS),
            ("a.jsonl", b"{}", NDJSON),
            ("a.json", b"[]", JSON),
            ("a.pdf", b"%PDF", None),
            ("a.zip", b"PK\x03\x04", None),
        ],
    )
    def test_media_type(self, name: str, content: bytes, kind: str | None) -> None:
        assert media_type(Path(name), content) == kind

    def test_drop_holds_the_files_of_a_dataset_only(self, tmp_path: Path) -> None:
        ours = ["attendance.csv", "attendance-2026-10.csv", "考勤_十月.csv"]
        for name in (
            *ours,
            "attendances.csv",
            "~$attendance.xlsx",
            ".attendance.csv",
            "attendance.pdf",
            "expected.json",
        ):
            (tmp_path / name).write_bytes(b"x")
        (tmp_path / "attendance-old").mkdir()
        found = [(path.name, content, kind) for path, content, kind in read_drop(tmp_path, "attendance")]
        assert found == [(name, b"x", CSV) for name in sorted(ours)]

    def test_dataset_that_is_none_has_no_drop(self, tmp_path: Path) -> None:
        with pytest.raises(KeyError):
            list(read_drop(tmp_path, "marks"))

    @pytest.mark.parametrize(("encoding", "mark"), [("utf-8", ","), ("utf-8-sig", ";"), ("gb18030", "\t")])
    def test_rows_are_read_under_the_agencys_headings(self, encoding: str, mark: str) -> None:
        lines = (
            ["某县考勤"],
            ["国家学籍号", "考勤月份", "应到校天数", "缺勤合计", "连续未到校天数", "班级"],
            ["", "", "", "", "", ""],
            ["G1", "2026-10", "22", " 1 ", "1", "三班"],
            ["合计", "", "22", "1", "", ""],
        )
        content = "\r\n".join(mark.join(line) for line in lines).encode(encoding)
        row = {"student_number": "G1", "month": "2026-10", "days_expected": "22"}
        assert list(read_records(content, CSV, mapping_for("attendance"))) == [
            {**row, "days_absent": "1", "longest_absence": "1"}
        ]

    @pytest.mark.parametrize(("content", "kind"), [(b"", CSV), (b"a,b\n1,2\n", CSV), (b"{}", NDJSON)])
    def test_file_without_the_headings_is_refused(self, content: bytes, kind: str) -> None:
        with pytest.raises(ValueError, match=r"headings|not read"):
            list(read_records(content, kind, mapping_for("attendance")))

    @pytest.mark.parametrize(
        ("dataset", "rows"), [("student-register", 614), ("attendance", 572), ("disability-assessment", 21)]
    )
    def test_county_is_read(self, dataset: str, rows: int) -> None:
        drops = list(read_drop(COUNTY, dataset))
        assert [path.stem for path, _, _ in drops] == [dataset]
        _, content, kind = drops[0]
        assert sum(1 for _ in read_records(content, kind, mapping_for(dataset))) == rows


def test_headings_are_compared_in_one_form() -> None:
    forms: list[Callable[[str], str]] = [str.upper, lambda text: f" {text} ", lambda text: f"{text}*"]
    assert {normal_heading(form("姓名name")) for form in forms} == {"姓名name"}
