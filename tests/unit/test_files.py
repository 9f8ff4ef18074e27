"""Bytes to grids and back: every format that is taken, every file that is refused, and nothing written that runs."""

import io
import json
import re
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from openpyxl.utils import get_column_letter

from gateway.adapters.export import ListWriter
from gateway.adapters.files import Files
from gateway.domain.cells import Cell
from gateway.domain.listing import Table
from gateway.domain.model import SubjectId
from gateway.domain.sheet import Reading, read_sheet
from gateway.domain.spreadsheet import Format, Kind, UnreadableFile
from gateway.domain.template import template_rows
from schemas.records import DATASETS
from tests.people import STUDENT_HEADINGS, csv_file, student

FILES = Files()
LAW_DATE = date(2026, 11, 20)
NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def grid_of(body: bytes, kind: Kind) -> list[list[Cell]]:
    return [list(row) for row in FILES.read(body, kind)[1][0].grid]


def reading(body: bytes, kind: Kind, dataset: str = "student-register") -> Reading:
    sheet = FILES.read(body, kind)[1][0]
    return read_sheet(sheet.grid, DATASETS[dataset], LAW_DATE, first_row=sheet.first_row)


def codes(found: Reading) -> list[tuple[int, str]]:
    return [(flaw.row, flaw.code) for flaw in found.flaws]


def refusal(body: bytes, kind: Kind) -> str:
    with pytest.raises(UnreadableFile) as caught:
        FILES.read(body, kind)
    return caught.value.code


def workbook(write: Callable[[Any, Any], object]) -> bytes:
    """An xlsx made by xlsxwriter; `write` gets the book and its sheet."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        write(book, book.add_worksheet())
    return out.getvalue()


def table(rows: Sequence[Sequence[Any]]) -> bytes:
    """An xlsx of these rows, each cell by its Python type."""
    return workbook(lambda _, sheet: [sheet.write_row(at, 0, row) for at, row in enumerate(rows)])


def forged(
    sheet: str | bytes, part: str = "xl/worksheets/sheet1.xml", more: Sequence[tuple[str, bytes]] = ()
) -> bytes:
    """An xlsx whose one sheet is this XML, kept in this part."""
    xml = (
        sheet
        if isinstance(sheet, bytes)
        else f'<worksheet xmlns="{NAMESPACE}"><sheetData>{sheet}</sheetData></worksheet>'.encode()
    )
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(table([["x"]]))) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            body = source.read(name)
            if name == "xl/worksheets/sheet1.xml":
                target.writestr(part, xml)
            elif name == "xl/_rels/workbook.xml.rels":
                target.writestr(name, body.replace(b"worksheets/sheet1.xml", part[3:].encode()))
            else:
                target.writestr(name, body)
        for name, body in more:
            target.writestr(name, body)
    return out.getvalue()


# --- csv ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_csv_is_read_in_every_encoding_and_with_every_delimiter(encoding: str, delimiter: str) -> None:
    body = csv_file([student(2), student(3)], encoding, delimiter)
    assert FILES.read(body, "csv")[0] == Format("csv", encoding, delimiter)
    found = reading(body, "csv")
    assert [record.values["name"] for record in found.records] == ["测试丂", "测试七"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_system(end: str) -> None:
    body = csv_file([student(2), student(3)]).replace(b"\r\n", end.encode())
    assert [record.row for record in reading(body, "csv").records] == [2, 3]
    assert [record.row for record in reading(body.rstrip(b"\r\n"), "csv").records] == [2, 3]


def test_quoted_cells_hold_newlines_delimiters_and_quotes() -> None:
    row = student(学校名称='"示范\n小学,""东""校区;\t"')
    assert (
        reading(csv_file([row, student(3)]), "csv").records[0].values["school_name"] == '示范 小学,"东"校区;'
    )
    assert [record.row for record in reading(csv_file([row, student(3)]), "csv").records] == [2, 3]


def test_a_quotation_mark_never_closed_refuses_the_file_instead_of_swallowing_its_rest() -> None:
    body = csv_file([student(2, 学校名称='"示范小学'), student(3), student(4)])
    assert refusal(body, "csv") == "not_a_spreadsheet"


def test_blank_lines_keep_their_row_numbers() -> None:
    body = b"\r\n" + csv_file([student(2), student(3, 年级="高一")]).replace(b"\r\n", b"\r\n\r\n")
    found = reading(body, "csv")
    assert ([record.row for record in found.records], codes(found)) == ([4], [(6, "bad_code")])


def test_the_delimiter_is_what_separates_and_not_what_stands_in_quotes() -> None:
    body = csv_file(
        [student(学校名称='"甲,乙,丙,丁,戊,己,庚,辛,壬,癸,子,丑,寅,卯,辰,巳,午,未,申,酉"')], delimiter=";"
    )
    assert reading(body, "csv").records[0].row == 2


def test_a_spreadsheets_scientific_text_in_csv_is_precision_lost() -> None:
    assert codes(reading(csv_file([student(身份证件号="5.30423E+17")]), "csv")) == [(2, "precision_lost")]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00", "not_a_spreadsheet"),
        (b"%PDF-1.7\n", "not_a_spreadsheet"),
        (table([["x"]]), "not_a_spreadsheet"),
        ("姓名".encode("utf-16-le") + b"\x00\x01", "not_a_spreadsheet"),
        (b"\xff\xfe\x00", "not_a_spreadsheet"),
        (b"\xff\xff\xff", "not_a_spreadsheet"),
        (b"a" * 40_000 + b",b\r\n", "not_a_spreadsheet"),
        (b"," * 4_999, "too_large"),
        (b"\n" * 2_000_002, "too_large"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_csv_is_refused(body: bytes, code: str) -> None:
    assert refusal(body, "csv") == code


def test_two_hundred_and_fifty_six_columns_are_read() -> None:
    assert len(grid_of(b"," * 255, "csv")[0]) == 256


def test_an_empty_csv_is_an_empty_grid() -> None:
    assert grid_of(b"", "csv") == grid_of(b"\xef\xbb\xbf", "csv") == []


# --- xlsx ---------------------------------------------------------------------------------------------------


def test_cells_come_by_their_type() -> None:
    def write(book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, ["文字", 3, 3.5, True])
        sheet.write_datetime(0, 4, date(2026, 3, 5), book.add_format({"num_format": "yyyy-mm-dd"}))
        sheet.write_string(0, 5, "0012")

    assert grid_of(workbook(write), "xlsx") == [["文字", 3.0, 3.5, True, date(2026, 3, 5), "0012"]]


def test_a_register_of_typed_cells_is_read_and_a_numeric_id_is_precision_lost() -> None:
    def write(book: Any, sheet: Any) -> None:
        day = book.add_format({"num_format": "yyyy/m/d"})
        for at, row in enumerate([dict.fromkeys(STUDENT_HEADINGS, ""), student(2), student(3)]):
            for column, (heading, value) in enumerate(row.items()):
                if at == 0:
                    sheet.write_string(0, column, heading)
                elif heading.endswith("日期"):
                    sheet.write_datetime(at, column, date.fromisoformat(value), day)
                elif heading in ("学校标识码", "现住址行政区划") or (at, heading) == (2, "身份证件号"):
                    sheet.write_number(at, column, int(value.replace("X", "0")))
                elif heading == "年级":
                    sheet.write_number(at, column, 4)
                else:
                    sheet.write_string(at, column, value)

    found = reading(workbook(write), "xlsx")
    assert codes(found) == [(3, "precision_lost")]
    plain = reading(csv_file([student(2)]), "csv").records[0]
    assert found.records == [plain]


def test_rows_and_columns_before_the_table_keep_their_numbers() -> None:
    def write(_: Any, sheet: Any) -> None:
        for at, row in enumerate([STUDENT_HEADINGS, student(2).values(), student(3, 年级="高一").values()]):
            sheet.write_row(4 + 2 * at, 3, row)

    found = reading(workbook(write), "xlsx")
    assert ([record.row for record in found.records], codes(found)) == ([7], [(9, "bad_code")])


def test_a_title_merged_over_the_table_and_a_total_merged_below_it_are_passed_over() -> None:
    def write(_: Any, sheet: Any) -> None:
        sheet.merge_range("A1:P1", "通海县学生信息表")
        sheet.write_row(1, 0, STUDENT_HEADINGS)
        sheet.write_row(2, 0, student().values())
        sheet.merge_range("A4:P4", "合计：1 人")

    found = reading(workbook(write), "xlsx")
    assert ([record.row for record in found.records], found.flaws, found.skipped) == ([3], [], 2)


def test_a_cell_merged_over_several_pupils_stands_for_each_of_them() -> None:
    def write(_: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, STUDENT_HEADINGS)
        for at in (1, 2, 3):
            sheet.write_row(at, 0, student(at + 1).values())
        for heading in ("学校标识码", "学校名称", "年级"):
            column = STUDENT_HEADINGS.index(heading)
            for at in (2, 3):
                sheet.write_blank(at, column, None)
            sheet.merge_range(1, column, 3, column, student()[heading])

    found = reading(workbook(write), "xlsx")
    assert (len(found.records), found.flaws) == (3, [])
    assert {record.values["school_code"] for record in found.records} == {"2153001234"}


def test_merged_cells_that_claim_more_than_there_is_are_bounded() -> None:
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>1</v></c></row>' for n in (1, 300))
    merged = '<mergeCell ref="A1:A1048576"/>' * 500
    xml = f'<worksheet xmlns="{NAMESPACE}"><sheetData>{rows}</sheetData><mergeCells>{merged}</mergeCells></worksheet>'
    assert refusal(forged(xml.encode()), "xlsx") == "too_large"


def test_a_formula_is_never_evaluated() -> None:
    def write(_: Any, sheet: Any) -> None:
        sheet.write_formula(0, 0, '=HYPERLINK("http://127.0.0.1/")', None, "缓存")
        sheet.write_formula(0, 1, "=1+1", None, 7)
        sheet.write_formula(0, 2, "=1+1", None, "")
        sheet.write_string(0, 3, "=1+1")

    assert grid_of(workbook(write), "xlsx") == [["缓存", 7.0, "", "=1+1"]]


def test_a_formula_nobody_computed_is_an_empty_cell() -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["x", "=1+1", "y"])
    out = io.BytesIO()
    book.save(out)
    assert grid_of(out.getvalue(), "xlsx") == [["x", "", "y"]]


def test_a_link_is_its_text() -> None:
    body = workbook(lambda _, sheet: sheet.write_url(0, 0, "http://127.0.0.1/", string="示范小学"))
    assert grid_of(body, "xlsx") == [["示范小学"]]


def test_an_error_value_is_an_empty_cell() -> None:
    assert grid_of(forged('<row r="1"><c r="A1" t="e"><v>#REF!</v></c></row>'), "xlsx") == [[""]]


def test_every_worksheet_is_there_and_a_chart_is_none() -> None:
    def write(book: Any, sheet: Any) -> None:
        sheet.write_string(0, 0, "一")
        chart = book.add_chart({"type": "line"})
        chart.add_series({"values": "=Sheet1!$A$1:$A$2"})
        book.add_chartsheet("图").set_chart(chart)
        book.add_worksheet("二").write_string(0, 0, "二")

    assert [sheet.name for sheet in FILES.read(workbook(write), "xlsx")[1]] == ["Sheet1", "二"]


def test_cells_that_do_not_say_where_they_stand_follow_one_another() -> None:
    body = forged(
        '<row><c><v>1</v></c><c><v>2</v></c></row><row r="3"><c r="B3"><v>3</v></c><c><v>4</v></c></row>'
    )
    assert grid_of(body, "xlsx") == [[1.0, 2.0, ""], ["", "", ""], ["", 3.0, 4.0]]


ONE = '<row r="1"><c r="A1"><v>1</v></c></row>'


@pytest.mark.parametrize(
    "sheet",
    [
        ONE + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
        ONE + '<row r="156250"><c r="IV156250"><v>1</v></c></row>',
        ONE + '<row r="60000"><c r="xfd60000"><v>1</v></c></row>',
        ONE + '<row r="60000"><c r = "XFD60000"><v>1</v></c></row>',
        ONE + "<row r='60000'><c r='XFD60000'><v>1</v></c></row>",
        ONE + '<row r="60000"><c s="0" r="XFD60000"><v>1</v></c></row>',
        ONE + '<row r="60000"><c\nr="XFD60000"><v>1</v></c></row>',
        ONE + '<row r="1"><c r="XFD00000060000"><v>1</v></c></row>',
        ONE + '<row r="1"><c r="ZZZZZZZZ1"><v>1</v></c></row>',
        ONE + '<row r="1"><c r="A99999999999999999999"><v>1</v></c></row>',
        f'{ONE}<row r="1048576">{"<c><v>1</v></c>" * 300}</row>',
        f'{ONE}<row r="1048576">{"<c><v>1</v></c>" * 200}</row>',
        f'{ONE}<row r="1048576">{"<c><v>1</v></c><!-- <row r=&quot;1&quot;> -->" * 300}</row>',
        f'<x:row xmlns:x="{NAMESPACE}" r="60000"><x:c r="XFD60000"><x:v>1</x:v></x:c></x:row>',
    ],
)
@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/other/data.xml"])
def test_a_few_bytes_that_claim_a_huge_grid_are_too_large(sheet: str, part: str) -> None:
    body = forged(sheet, part)
    assert len(body) < 20_000
    assert refusal(body, "xlsx") == "too_large"


def test_a_row_inside_a_cell_is_no_sheet() -> None:
    body = forged(f'{ONE}<row r="1048576">{"<c><v>1</v><row/></c>" * 300}</row>')
    assert refusal(body, "xlsx") == "not_a_spreadsheet"


def test_what_hides_in_a_part_that_is_not_xml_is_not_opened() -> None:
    body = forged(ONE + '<row r="60000"><c r="XFD60000"><v>1</v></c></row>', "xl/media/image1.png")
    assert refusal(body, "xlsx") == "not_a_spreadsheet"


def test_a_member_that_unpacks_to_more_than_it_says_is_refused() -> None:
    """The directory tells of the harmless beginning only, with its right checksum."""
    start = f'<worksheet xmlns="{NAMESPACE}"><sheetData>{ONE}'.encode()
    rest = b'<row r="60000"><c r="XFD60000"><v>1</v></c></row></sheetData></worksheet>'
    body = bytearray(forged(start + rest))
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    sizes = (size.to_bytes(4, "little"), len(start).to_bytes(4, "little"))
    sums = (zipfile.crc32(start + rest).to_bytes(4, "little"), zipfile.crc32(start).to_bytes(4, "little"))  # type: ignore[attr-defined]
    forgery = bytes(body).replace(*sizes).replace(*sums)
    assert forgery != bytes(body)
    assert refusal(forgery, "xlsx") == "not_a_spreadsheet"


@pytest.mark.parametrize("count", [257, 5_000])
def test_too_many_columns_are_too_large(count: int) -> None:
    assert refusal(table([["x"] * count]), "xlsx") == "too_large"
    assert refusal(b",".join([b"x"] * count), "csv") == "too_large"
    assert refusal(json.dumps([{str(n): 1 for n in range(count)}]).encode(), "json") == "too_large"
    assert refusal(json.dumps({str(n): 1 for n in range(count)}).encode(), "ndjson") == "too_large"


def test_the_columns_of_all_objects_together_are_too_many() -> None:
    lines = b"".join(json.dumps({str(n): 1}).encode() + b"\n" for n in range(257))
    assert refusal(lines, "ndjson") == "too_large"


@pytest.mark.parametrize("kind", ["json", "ndjson"])
def test_few_bytes_a_row_and_many_columns_are_too_large(kind: Kind) -> None:
    first = json.dumps({str(n): 1 for n in range(256)}).encode()
    rows = [first, *([b"{}"] * 160_000)]
    body = b"\n".join(rows) if kind == "ndjson" else b"[" + b",".join(rows) + b"]"
    assert refusal(body, kind) == "too_large"


def test_a_member_of_a_gigabyte_of_zeros_is_a_zip_bomb() -> None:
    out = io.BytesIO(table([["x"]]))
    with (
        zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("xl/media/x.bin", "w") as member,
    ):
        zeros = bytes(1 << 24)
        for _ in range(64):
            member.write(zeros)
    assert refusal(out.getvalue(), "xlsx") == "zip_bomb"


def test_a_workbook_of_thousands_of_members_is_a_zip_bomb() -> None:
    body = forged(ONE, more=[(f"xl/media/{n}.txt", b"x") for n in range(2_000)])
    assert refusal(body, "xlsx") == "zip_bomb"


OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)


def _locked() -> bytes:
    """A zip whose members say that they are encrypted."""
    body = bytearray(table([["x"]]))
    for signature, flags in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        at = body.find(signature)
        while at >= 0:
            body[at + flags] |= 1
            at = body.find(signature, at + 4)
    return bytes(body)


def _zip(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, body in members:
            archive.writestr(name, body)
    return out.getvalue()


def _other_method() -> bytes:
    with zipfile.ZipFile(io.BytesIO(table([["x"]]))) as source:
        return _zip(*((name, source.read(name)) for name in source.namelist()), method=zipfile.ZIP_LZMA)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (OLE2 + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
        (_locked(), "encrypted"),
        (OLE2 + "Workbook".encode("utf-16-le"), "not_a_spreadsheet"),
        (b"%PDF-1.7\n1 0 obj\n", "not_a_spreadsheet"),
        (bytes(range(256)) * 8, "not_a_spreadsheet"),
        (b"", "not_a_spreadsheet"),
        (csv_file([student()]), "not_a_spreadsheet"),
        (b"PK\x03\x04", "not_a_spreadsheet"),
        (table([["x"]])[:-200], "not_a_spreadsheet"),
        (table([["x"]])[200:], "not_a_spreadsheet"),
        (_zip(("word/document.xml", b"<x/>")), "not_a_spreadsheet"),
        (_zip(("xl/workbook.xml", b"<x/>")), "not_a_spreadsheet"),
        (_zip(("xl/workbook.xml", b"no xml")), "not_a_spreadsheet"),
        (_other_method(), "not_a_spreadsheet"),
        (forged(b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet><sheetData/></worksheet>'), "not_a_spreadsheet"),
        (forged(b"<worksheet><sheetData><row><c></row></worksheet>"), "not_a_spreadsheet"),
        (forged(ONE, more=[("XL/workbook.xml", b"<x/>")]), "not_a_spreadsheet"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_workbook_is_refused(body: bytes, code: str) -> None:
    assert refusal(body, "xlsx") == code


def test_a_damaged_member_is_refused() -> None:
    body = bytearray(table([["测试"] * 50] * 50))
    at = body.find(b"PK\x03\x04", 4) + 60
    body[at : at + 20] = bytes(20)
    assert refusal(bytes(body), "xlsx") == "not_a_spreadsheet"


def test_a_member_name_that_is_no_text_is_refused() -> None:
    body = _zip(("xl/workbook.xml", b"<x/>"), ("xl/é.xml", b"<x/>")).replace("é".encode(), b"\xff\xff")
    assert refusal(body, "xlsx") == "not_a_spreadsheet"


# --- json ---------------------------------------------------------------------------------------------------


def fields(**changes: Any) -> dict[str, Any]:
    names = {place.header: place.name for place in DATASETS["student-register"].columns}
    return {**{names[heading]: value for heading, value in student().items()}, **changes}


def test_ndjson_rows_are_numbered_by_line() -> None:
    lines = [json.dumps(fields()), "", json.dumps(fields(grade="高一"))]
    found = reading("\n".join(lines).encode(), "ndjson")
    assert ([record.row for record in found.records], codes(found)) == ([1], [(3, "bad_code")])
    plain = reading(csv_file([student()]), "csv").records[0]
    assert found.records[0].values == plain.values


@pytest.mark.parametrize(
    "wrap", [lambda rows: rows, lambda rows: {"records": rows}], ids=["array", "records"]
)
def test_json_rows_are_numbered_by_object(wrap: Callable[[Any], Any]) -> None:
    body = json.dumps(wrap([fields(), fields(grade="高一")])).encode()
    found = reading(b"\xef\xbb\xbf" + body, "json")
    assert ([record.row for record in found.records], codes(found)) == ([1], [(2, "bad_code")])


def test_one_object_is_one_row() -> None:
    assert [record.row for record in reading(json.dumps(fields()).encode(), "json").records] == [1]


def test_json_numbers_truths_and_chinese_names_are_cells() -> None:
    row = {**student(), "年级": 4, "家庭经济困难": False, "留守儿童": True, "单亲家庭": None}
    values = reading(json.dumps(row).encode(), "json").records[0].values
    assert (values["grade"], values["economic_hardship"], values["left_behind"]) == ("4", "no", "yes")
    assert values["single_parent"] is None


def test_a_json_number_as_id_is_precision_lost_and_a_nested_value_is_refused() -> None:
    assert codes(reading(json.dumps(fields(id_number=530423201503050028)).encode(), "json")) == [
        (1, "precision_lost")
    ]
    assert codes(reading(json.dumps(fields(grade=[4])).encode(), "json")) == [(1, "bad_code")]


@pytest.mark.parametrize("kind", ["json", "ndjson"])
@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[1]",
        b"[[]]",
        b'"x"',
        b"1",
        b"null",
        b"{'a': 1}",
        b"\xff",
        b"[" * 5_000,
        b'{"a":' * 5_000,
        b"NaN",
    ],
    ids=lambda body: repr(body[:8]),
)
def test_what_is_no_list_of_objects_is_refused(kind: Kind, body: bytes) -> None:
    assert refusal(body, kind) == "not_a_spreadsheet"


def test_json_whose_records_are_no_list_is_refused() -> None:
    assert refusal(b'{"records": 5}', "json") == "not_a_spreadsheet"
    assert refusal(b"", "json") == "not_a_spreadsheet"


def test_more_than_two_million_rows_of_json_are_too_large() -> None:
    assert refusal(b"{}\n" * 2_000_001, "ndjson") == "too_large"
    assert refusal(b"[" + b"{}," * 2_000_001 + b"{}]", "json") == "too_large"


# --- what is written ----------------------------------------------------------------------------------------

STARTS = ("=", "+", "-", "@")
DANGEROUS = [
    *("=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", "\r=1+1", "\n=1+1", " =1+1", "\u3000=1", "＝1+1", "\ufeff=1"),
    "=cmd|' /C calc'!A0",
]
FORMATS = [
    *(
        Format("csv", encoding, mark)
        for encoding in ("utf-8", "utf-8-sig", "gb18030", "utf-16")
        for mark in ",;\t"
    ),
    *(Format("xlsx"), Format("ndjson"), Format("json")),
]


@pytest.mark.parametrize("form", FORMATS, ids=str)
def test_what_is_written_is_read_back_in_the_same_format(form: Format) -> None:
    rows = [
        ["ＡＢ：Ⅷ", "５３０４", "", "", ""],
        ["测试一", "530423201503050028", '引"号', "两\n行", "a,b;c\td"],
        ["", "𠀀", "2", "", ""],
    ]
    body = FILES.write(form, ["甲", "乙", "丙", "丁", "戊"], rows)
    found, sheets = FILES.read(body, form.kind)
    assert found == form
    assert [list(row) for row in sheets[0].grid] == [["甲", "乙", "丙", "丁", "戊"], *rows]


def _written_texts(form: Format, body: bytes) -> list[str]:
    """Every cell as a spreadsheet program sees it, without our own reader; a formula shows as what it is."""
    if form.kind == "xlsx":
        sheet = openpyxl.load_workbook(io.BytesIO(body)).active
        assert sheet is not None
        assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}
        return [str(cell.value) for row in sheet.iter_rows() for cell in row]
    import csv

    text = body.decode(form.encoding)
    return [
        cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=form.delimiter) for cell in row
    ]


@pytest.mark.parametrize("form", [form for form in FORMATS if form.kind in ("csv", "xlsx")], ids=str)
def test_no_written_cell_starts_a_formula(form: Format) -> None:
    body = FILES.write(form, ["=甲", "@乙", "丙"], [[text, "x", text] for text in DANGEROUS])
    texts = _written_texts(form, body)
    assert len(texts) == 3 * (len(DANGEROUS) + 1)
    assert [text for text in texts if text.strip("\ufeff\u3000 \t\r\n").startswith(STARTS)] == []


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_no_exported_cell_starts_a_formula(form: str) -> None:
    alike = [{"name": text, "list": [text]} for text in DANGEROUS]
    kinds = list(range(len(alike)))
    table = Table(
        list(map(str, kinds)),
        [SubjectId(bytes(16))] * len(kinds),
        kinds,
        alike,
        ("name", "list"),
        datetime(2026, 11, 20, tzinfo=UTC),
        (),
    )
    body = ListWriter().write(form, table)
    texts = _written_texts(Format("xlsx" if form == "xlsx" else "csv", "utf-8-sig"), body)
    assert len(texts) == 2 * (len(DANGEROUS) + 1)
    assert [text for text in texts if text.strip(" \t\r\n\u3000").startswith(STARTS)] == []


def test_written_xlsx_has_no_link_and_no_number() -> None:
    body = FILES.write(Format("xlsx"), ["甲"], [["http://127.0.0.1/"], ["530423201503050028"], [4.0]])
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        names = archive.namelist()
        sheet = archive.read("xl/worksheets/sheet1.xml")
    assert not any("externalLink" in name or name.endswith("sheet1.xml.rels") for name in names)
    assert b"<f>" not in sheet
    assert len(re.findall(rb't="s"', sheet)) == 4


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_xlsx_template_has_headings_lists_text_cells_and_a_sample(dataset: str) -> None:
    schema = DATASETS[dataset]
    form, body = FILES.template("xlsx", template_rows(schema))
    assert form.kind == "xlsx"
    sheet = openpyxl.load_workbook(io.BytesIO(body)).active
    assert sheet is not None
    assert [cell.value for cell in sheet[1]] == [place.header for place in schema.columns]
    assert {cell.number_format for cell in sheet[2]} == {"@"}
    lists = {
        str(rule.sqref).partition("2")[0]: rule.formula1 for rule in sheet.data_validations.dataValidation
    }
    expected = {
        get_column_letter(at): place for at, place in enumerate(schema.columns, 1) if place.codes is not None
    }
    assert lists.keys() == expected.keys()
    for letter, place in expected.items():
        assert place.sample in lists[letter].strip('"').split(",")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"[" + b"[]," * 200_000 + b"{}]", "json"),
        (b'{"a":[' + b"1," * 200_000 + b"1]}", "ndjson"),
        (b"," * 255 + (b"\n" + b"," * 255) * 90_000, "csv"),
    ],
    ids=["lists", "numbers", "commas"],
)
def test_a_file_of_nothing_but_marks_is_too_large(body: bytes, kind: Kind) -> None:
    with pytest.raises(UnreadableFile) as refused:
        FILES.read(body, kind)
    assert refused.value.code == "too_large"
