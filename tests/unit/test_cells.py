"""One cell: every spelling that is taken, every code it is refused with, and hints that tell nothing."""

from datetime import date, datetime
from typing import Any

import pytest

from gateway.domain.cells import Cell, Problem, hint, is_blank, reader
from schemas.records import DATASETS, Column
from tests.people import resident_id

ID = resident_id(date(2014, 2, 16), 4)
ID_WITH_X = next(found for n in range(999) if (found := resident_id(date(2014, 2, 16), n)).endswith("X"))


def column(dataset: str, name: str) -> Column:
    return DATASETS[dataset].by_name[name]


BIRTH_DATE = column("student-register", "birth_date")
MONTH = column("attendance", "month")
ID_NUMBER = column("student-register", "id_number")
STUDENT_NUMBER = column("student-register", "student_number")
GRADE = column("student-register", "grade")
REGION = column("student-register", "region")
DAYS = column("attendance", "days_absent")


def read(place: Column, cell: Cell) -> Any:
    value = reader(place)(cell)
    return value.code if isinstance(value, Problem) else value


@pytest.mark.parametrize(
    "cell",
    [
        "2026-03-05",
        "2026-3-5",
        "2026/3/5",
        "2026/03/05",
        "2026.3.5",
        "20260305",
        20260305,
        20260305.0,
        "2026年3月5日",
        "2026年03月05",
        "2026 年 3 月 5 日",
        "２０２６－０３－０５",
        "\ufeff2026-03-05\u00a0",
        "2026-03-05 00:00:00",
        "2026-03-05T00:00:00.000",
        "2026/3/5 0:00",
        "2026/3/5 00:00",
        "2026/3/5\u00a00:00:00",
        date(2026, 3, 5),
        datetime(2026, 3, 5, 13, 30),  # noqa: DTZ001 - as a spreadsheet gives it
        46086,
        46086.0,
    ],
)
def test_dates_are_read_in_every_spelling(cell: Cell) -> None:
    assert read(BIRTH_DATE, cell) == date(2026, 3, 5)


@pytest.mark.parametrize(
    "cell",
    [
        "2026-02-30",
        "2026-13-01",
        "2026-03-055",
        "05/03/2026",
        "2026-03-05 13:30",
        "2026-03",
        "三月五日",
        "46086",
        "-",
        "1899-12-31",
        "2101-01-01",
        date(1899, 12, 31),
        datetime(9999, 12, 31),  # noqa: DTZ001 - as a spreadsheet gives it
        99999,
        46086.5,
        4608,
        True,
        10**30,
        float("nan"),
        float("inf"),
    ],
)
def test_what_is_no_date_of_the_calendar_is_bad_date(cell: Cell) -> None:
    assert read(BIRTH_DATE, cell) == "bad_date"


@pytest.mark.parametrize(
    "cell",
    [
        *(
            "2026-10",
            "2026/10",
            "2026.10",
            "202610",
            "2026年10月",
            "2026年10",
            "２０２６－１０",
            " 2026 - 10 ",
        ),
        *(202610, 202610.0, 46296, date(2026, 10, 1), "2026-10-01", "2026-10-01 00:00:00", "2026/10/1 0:00"),
    ],
)
def test_months_are_read_in_every_spelling(cell: Cell) -> None:
    assert read(MONTH, cell) == "2026-10"


@pytest.mark.parametrize(
    "cell", ["2026-13", "2026-00", "2026", "10-2026", "2026-10-15", "0000-10", "20261", "十月", 2026.1, 4630]
)
def test_what_is_no_month_is_bad_date(cell: Cell) -> None:
    assert read(MONTH, cell) == "bad_date"


@pytest.mark.parametrize(
    "dress",
    [
        str.lower,
        lambda text: text.translate({ord(ch): ord(ch) + 0xFEE0 for ch in "0123456789X"}),
        lambda text: f" {text[:6]} {text[6:14]} {text[14:]}\t",
        lambda text: f"{text[:6]}-{text[6:14]}-{text[14:]}",
        lambda text: f"{text[:6]}—{text[6:]}",
        lambda text: "'" + text,
        lambda text: "’" + text,
        lambda text: f"\u00a0{text[:6]}\u00a0{text[6:]}",
        lambda text: f"{text[:6]}\u3000{text[6:]}",
        lambda text: "\ufeff" + text,
        lambda text: f"{text[:3]}\u200b{text[3:]}",
    ],
)
@pytest.mark.parametrize("number", [ID, ID_WITH_X])
def test_ids_are_normalised_from_every_spelling(dress: Any, number: str) -> None:
    assert read(ID_NUMBER, dress(number)) == number
    assert read(STUDENT_NUMBER, dress("G" + number).replace("G", "g")) == "G" + number


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (ID[:-1] + ("0" if ID[-1] != "0" else "1"), "bad_checksum"),
        (ID[:-1], "bad_code"),
        (ID + "1", "bad_code"),
        ("530423140216004", "bad_code"),
        ("身份证", "bad_code"),
        (int(ID), "precision_lost"),
        (float(ID), "precision_lost"),
        (True, "precision_lost"),
        (date(2014, 2, 16), "precision_lost"),
        ("5.30423E+17", "precision_lost"),
        ("5.30423201402E17", "precision_lost"),
        ("５.３０４２３e+17", "precision_lost"),
        ("'5.30423E+17", "bad_code"),
    ],
)
def test_an_id_is_refused_with_its_code(cell: Cell, code: str) -> None:
    assert read(ID_NUMBER, cell) == code


def test_an_id_with_an_impossible_birth_date_is_bad_date() -> None:
    from schemas.identifiers import resident_id_check

    first = "53042320140230005"
    assert read(ID_NUMBER, first + resident_id_check(first)) == "bad_date"


@pytest.mark.parametrize("cell", [5304232014, 1.5e17, "1E12", "1.2E+19"])
def test_a_numeric_student_number_has_lost_its_precision(cell: Cell) -> None:
    assert read(STUDENT_NUMBER, cell) == "precision_lost"


@pytest.mark.parametrize("cell", ["X530423201402160053", "530423201402160053", "G1", "学籍号"])
def test_a_student_number_of_another_form_is_bad_code(cell: str) -> None:
    assert read(STUDENT_NUMBER, cell) == "bad_code"


@pytest.mark.parametrize(
    "cell",
    ["4", 4, 4.0, "4.0", "４", "四", "四年级", " 四年级 ", "小学四年级", "4年级", "grade 4", "GRADE 4"],
)
def test_grades_are_read_in_every_spelling(cell: Cell) -> None:
    assert read(GRADE, cell) == "4"


@pytest.mark.parametrize("number", range(1, 10))
def test_every_grade_has_its_digit_and_its_word(number: int) -> None:
    assert read(GRADE, str(number)) == read(GRADE, "一二三四五六七八九"[number - 1] + "年级") == str(number)


@pytest.mark.parametrize("cell", ["0", "10", "高一", "学前班", 4.5, -1, "四年级一班", True])
def test_what_is_no_grade_is_bad_code(cell: Cell) -> None:
    assert read(GRADE, cell) == "bad_code"


@pytest.mark.parametrize(
    ("dataset", "name", "spellings"),
    [
        ("student-register", "id_type", ["居民身份证", "港澳台居民居住证", "外国人永久居留身份证", "其他"]),
        ("student-register", "boarding", ["走读", "住校"]),
        (
            "student-register",
            "status",
            ["在校", "休学", "转出", "辍学", "毕业", "死亡", "缓学", "免学"],
        ),
        ("student-register", "economic_hardship", ["是", "否"]),
        (
            "relief-register",
            "relief_class",
            ["低保", "特困", "孤儿", "事实无人抚养儿童", "困境儿童", "临时救助"],
        ),
        ("disability-assessment", "category", ["视力", "听力", "言语", "肢体", "智力", "精神", "多重"]),
        ("disability-assessment", "category", ["1", "2", "3", "4", "5", "6", "7"]),
        ("disability-assessment", "grade", ["一级", "二级", "三级", "四级"]),
        ("disability-assessment", "grade", ["1", "2", "3", "4"]),
        (
            "disability-assessment",
            "suitability",
            ["可随班就读", "建议特殊教育学校", "建议送教上门", "建议缓学"],
        ),
    ],
)
def test_every_value_of_the_file_contract_is_a_code_of_its_own(
    dataset: str, name: str, spellings: list[str]
) -> None:
    codes = [read(column(dataset, name), text) for text in spellings]
    assert "bad_code" not in codes
    assert len(set(codes)) == len(spellings)


@pytest.mark.parametrize(
    ("cell", "short"),
    [
        *(
            ("530423", "530423"),
            ("530423000", "530423"),
            ("530423101", "530423101"),
            (530423101.0, "530423101"),
        ),
        *(("530423000000", "530423"), (" ５３０４２３ ", "530423"), ("530000", "53"), (530423, "530423")),
    ],
)
def test_regions_are_read_in_every_spelling(cell: Cell, short: str) -> None:
    assert read(REGION, cell) == short


@pytest.mark.parametrize("cell", ["通海县", "53042", "5304231010", "030423", "53042a", 5.5, "-530423.0"])
def test_what_is_no_region_code_is_bad_code(cell: Cell) -> None:
    assert read(REGION, cell) == "bad_code"


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        *(("0", 0), (3, 3), (3.0, 3), ("3.0", 3), ("３", 3), (" 3天", 3), (31, 31)),
        *((32, "out_of_range"), (-1, "out_of_range"), ("-1", "out_of_range"), (999999, "out_of_range")),
        *(
            (3.5, "bad_code"),
            ("三", "bad_code"),
            (True, "bad_code"),
            ("1e1", "bad_code"),
            (10**12, "bad_code"),
        ),
    ],
)
def test_whole_numbers_keep_to_their_bounds(cell: Cell, value: object) -> None:
    assert read(DAYS, cell) == value


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        *((" 测试一 ", "测试一"), ("测试\u3000一", "测试 一"), ("测试·一", "测试·一"), ("测\n试", "测 试")),
        *((123, "bad_code"), ("123", "bad_code"), ("--", "bad_code"), ("测" * 65, "out_of_range")),
    ],
)
def test_names_are_one_line_of_letters(cell: Cell, value: str) -> None:
    assert read(column("student-register", "name"), cell) == value


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("2153001234", "2153001234"),
        (2153001234.0, "2153001234"),
        ("２１５３", "2153"),
        ("示范小学", "bad_code"),
    ],
)
def test_school_codes(cell: Cell, value: str) -> None:
    assert read(column("student-register", "school_code"), cell) == value


def test_free_text_is_bounded() -> None:
    assert read(column("attendance", "reason"), "病" * 200) == "病" * 200
    assert read(column("attendance", "reason"), "病" * 201) == "out_of_range"


@pytest.mark.parametrize("cell", [None, "", " ", "\t", "\u3000", "\u00a0", "\ufeff", "\u200b \r\n"])
def test_cells_in_which_nothing_is_written_are_blank(cell: Cell) -> None:
    assert is_blank(cell)


@pytest.mark.parametrize("cell", [0, 0.0, False, "0", "-", "无"])
def test_cells_in_which_something_is_written_are_not_blank(cell: Cell) -> None:
    assert not is_blank(cell)


@pytest.mark.parametrize(
    ("cell", "shape"),
    [
        (ID_WITH_X, "9" * 17 + "A"),
        ("测试一", "字字字"),
        ("2026-02-30", "9999-99-99"),
        ("a@b.cn", "A@A.AA"),
        ("١٢٣", "999"),
        ("Ⅷ级", "?字"),
        ("é\x00\u202e", "字??"),
        (int(ID), "(int)"),
        (1.5, "(float)"),
        (date(2014, 2, 16), "(date)"),
        (None, ""),
        ("1" * 1000, "9" * 40),
    ],
)
def test_a_hint_shows_the_shape_and_never_the_value(cell: Cell, shape: str) -> None:
    assert hint(cell) == shape
