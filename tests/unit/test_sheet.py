"""A whole grid: where the headings are, which rows are passed over, which are refused, and with which code."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from gateway.app import agency_mapping
from gateway.domain.cells import Cell
from gateway.domain.receipt import MESSAGES, message, sentences
from gateway.domain.sheet import Reading, UnreadableSheet, read_sheet
from schemas.records import DATASETS
from tests.people import STUDENT_HEADINGS, attendance, focus, payment, resident_id, sighting, student

LAW_DATE = date(2026, 11, 20)


def relief(number: int = 2, **changes: str) -> dict[str, str]:
    row = {
        "姓名": "测试甲",
        "身份证号": resident_id(number=number),
        "救助类别": "低保",
        "起始日期": "2026-01-01",
        "终止日期": "",
        "行政区划": "530423101",
    }
    return {**row, **changes}


def assessment(number: int = 2, **changes: str) -> dict[str, str]:
    row = {
        "姓名": "测试甲",
        "身份证号": resident_id(number=number),
        "残疾类别": "听力",
        "残疾等级": "三级",
        "评估日期": "2026-10-11",
        "教育适宜性": "可随班就读",
        "现住址行政区划": "530423101",
        "评估机构": "县人民医院",
        "是否需要支持服务": "是",
    }
    return {**row, **changes}


def grid(*rows: dict[str, str]) -> list[list[Cell]]:
    return [list(rows[0]), *(list(row.values()) for row in rows)]


def reading(cells: Sequence[Sequence[Cell]], dataset: str = "student-register") -> Reading:
    mapping = agency_mapping(dataset)
    return read_sheet(
        cells, DATASETS[dataset], LAW_DATE, mapping.headings, mapping.translate, DATASETS.values()
    )


def flaws(found: Reading) -> list[tuple[int, str, str]]:
    return [(flaw.row, flaw.field, flaw.code) for flaw in found.flaws]


def landed(found: Reading) -> list[int]:
    return [record.row for record in found.records]


def test_a_plain_file_reads_to_its_values() -> None:
    found = reading(
        grid(student(2), student(3, 身份证件类型="其他", 身份证件号="", 学籍号="J5304232015000003"))
    )
    assert (found.rows, found.skipped, found.flaws, found.warnings) == (2, 0, [], [])
    assert dict(found.records[0].values) == {
        "name": "测试丂",
        "sex": "female",
        "birth_date": date(2015, 3, 5),
        "id_type": "resident",
        "id_number": resident_id(number=2),
        "student_number": "G" + resident_id(number=2),
        "school_code": "2153001234",
        "school_name": "示范小学",
        "grade": "4",
        "boarding": "day",
        "status": "enrolled",
        "status_date": date(2026, 9, 1),
        "region": "530423101",
        "economic_hardship": "no",
        "left_behind": "no",
        "single_parent": "no",
    }
    assert found.records[1].values["id_number"] is None


# --- where the headings are ---------------------------------------------------------------------------------


@pytest.mark.parametrize("above", [1, 3, 29])
def test_title_rows_above_the_headings_are_skipped_and_counted(above: int) -> None:
    title: list[list[Cell]] = [["通海县学生信息表"], *([[None]] * (above - 1))]
    found = reading([*title, *grid(student())])
    assert (landed(found), found.rows, found.skipped) == ([above + 2], 1, above)


def test_headings_deeper_than_thirty_rows_are_not_looked_for() -> None:
    with pytest.raises(UnreadableSheet, match="no_header"):
        reading([*([["说明"]] * 30), *grid(student())])


def test_column_order_is_free_and_unknown_columns_are_ignored() -> None:
    row = student()
    headings = list(row)[::-1]
    cells = [["序号", *headings, "备用"], ["1", *(row[name] for name in headings), "x"]]
    assert reading(cells).records[0].values == reading(grid(row)).records[0].values


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_heading_of_the_schema_and_of_the_agency_is_known(dataset: str) -> None:
    schema = DATASETS[dataset]
    rows = {
        "student-register": student(),
        "attendance": attendance(),
        "relief-register": relief(),
        "disability-assessment": assessment(),
        "sightings": sighting(),
        "aid-payments": payment(),
        "focus-groups": focus(),
        "case-outcome": {
            "移送编号": "rfl-00000000000000000000000001",
            "办理结果": "训诫",
            "日期": "2026-11-18",
            "备注": "已当面训诫",
        },
    }
    row = rows[dataset]
    expected = reading(grid(row), dataset).records[0].values
    more = agency_mapping(dataset).headings
    for place in schema.columns:
        for heading in (*place.headings, *more.get(place.name, ())):
            dressed = {(heading if name == place.header else name): value for name, value in row.items()}
            found = reading(grid(dressed), dataset)
            assert [record.values for record in found.records] == [expected], heading


def test_english_headings() -> None:
    names = {place.header: place.name for place in DATASETS["student-register"].columns}
    cells = grid({names[heading]: value for heading, value in student().items()})
    assert reading(cells).records[0].values == reading(grid(student())).records[0].values


@pytest.mark.parametrize("dress", ["{}*", "* {}", "{}（必填）", "{}:", "\ufeff{}", " {}\n", "{}＊"])
def test_headings_with_marks_and_blanks_are_known(dress: str) -> None:
    cells = grid({dress.format(heading): value for heading, value in student().items()})
    assert landed(reading(cells)) == [2]


@pytest.mark.parametrize(
    ("dataset", "row", "code"),
    [
        ("student-register", student(年级="小四"), ("grade", "4")),
        ("student-register", student(学生状态="正常在籍"), ("status", "enrolled")),
        ("relief-register", relief(救助类别="A01"), ("relief_class", "dibao")),
        ("disability-assessment", assessment(残疾类别="02"), ("category", "2")),
        ("disability-assessment", assessment(教育适宜性="A1"), ("suitability", "mainstream")),
    ],
)
def test_an_agencys_own_codes_are_translated(
    dataset: str, row: dict[str, str], code: tuple[str, str]
) -> None:
    assert reading(grid(row), dataset).records[0].values[code[0]] == code[1]


def test_no_header_names_the_missing_headings() -> None:
    row = student()
    del row["学籍号"], row["年级"]
    with pytest.raises(UnreadableSheet) as caught:
        reading(grid(row))
    assert (caught.value.code, caught.value.missing) == ("no_header", ("学籍号", "年级"))


@pytest.mark.parametrize("cells", [[], [[]], [[None, ""]], [["随便", "什么"], ["1", "2"]]])
def test_a_grid_without_headings_is_no_header_and_names_every_required_one(cells: Any) -> None:
    with pytest.raises(UnreadableSheet) as caught:
        reading(cells)
    required = tuple(place.header for place in DATASETS["student-register"].required())
    assert (caught.value.code, caught.value.missing) == ("no_header", required)


@pytest.mark.parametrize(
    ("row", "dataset", "looks_like"),
    [
        (student(), "attendance", "学籍信息"),
        (attendance(), "student-register", "考勤"),
        (relief(), "disability-assessment", "救助登记"),
        (assessment(), "relief-register", "残疾评估"),
    ],
)
def test_another_datasets_file_is_named_as_such(row: dict[str, str], dataset: str, looks_like: str) -> None:
    with pytest.raises(UnreadableSheet) as caught:
        reading(grid(row), dataset)
    assert (caught.value.code, caught.value.looks_like) == ("wrong_dataset", looks_like)


# --- rows that are passed over ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "last",
    [
        [],
        [None] * 16,
        ["", " ", "\u3000"],
        ["合计"],
        ["合 计", "", "", "", "", "120人"],
        ["合计：120人"],
        ["总计", 120],
        ["备注：以上数据截至 2026 年 10 月"],
        ["备注", "以上数据真实"],
        ["填表人：测试甲", "", "", "审核人：测试乙"],
        ["注：转出学生未列入"],
        ["", "合计"],
        list(STUDENT_HEADINGS),
        [*STUDENT_HEADINGS, "", None],
    ],
)
def test_blank_total_remark_and_repeated_heading_rows_are_skipped_and_counted(last: list[Cell]) -> None:
    found = reading([*grid(student(2)), last, list(student(3).values())])
    assert (landed(found), found.flaws, found.rows, found.skipped) == ([2, 4], [], 2, 1)


def test_the_total_row_of_an_attendance_file_is_skipped_though_most_of_it_is_filled() -> None:
    found = reading([*grid(attendance()), ["合计", "", "4400", "120", "36"]], "attendance")
    assert (landed(found), found.flaws, found.skipped) == ([2], [], 1)


def test_a_child_whose_name_begins_like_a_remark_is_a_child() -> None:
    assert landed(reading(grid(student(姓名="备注")))) == [2]
    assert landed(reading(grid(student(姓名="合计")))) == [2]


def test_a_heading_row_repeated_on_every_page_does_not_become_a_pupil() -> None:
    page = [list(STUDENT_HEADINGS), list(student(3).values())]
    found = reading([*grid(student(2)), *page])
    assert (landed(found), found.skipped) == ([2, 4], 1)


def test_short_rows_read_as_blank_at_the_end() -> None:
    found = reading([list(STUDENT_HEADINGS), list(student().values())[:13]])
    assert landed(found) == [2]
    assert found.records[0].values["single_parent"] is None


# --- rows that are refused ----------------------------------------------------------------------------------

OTHER_CHECK = resident_id()[:-1] + ("1" if resident_id()[-1] != "1" else "2")


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        *(
            ({place.header: ""}, place.name, "missing_required")
            for place in DATASETS["student-register"].required()
        ),
        ({"身份证件号": ""}, "id_number", "missing_required"),
        ({"身份证件类型": "港澳台居民居住证", "身份证件号": ""}, "id_number", "missing_required"),
        ({"年级": "高一"}, "grade", "bad_code"),
        ({"性别": "x"}, "sex", "bad_code"),
        ({"出生日期": "2015-02-30"}, "birth_date", "bad_date"),
        ({"出生日期": "2026-11-21"}, "birth_date", "future_date"),
        ({"状态日期": "2026-11-21"}, "status_date", "future_date"),
        ({"身份证件号": OTHER_CHECK}, "id_number", "bad_checksum"),
        ({"身份证件号": "5.30423E+17"}, "id_number", "precision_lost"),
        ({"学籍号": "1E12"}, "student_number", "precision_lost"),
        ({"出生日期": "2015-03-06"}, "birth_date", "birth_date_mismatch"),
        ({"姓名": "测" * 65}, "name", "out_of_range"),
    ],
)
def test_a_student_row_is_refused_with_its_code(changes: dict[str, str], field: str, code: str) -> None:
    found = reading(grid(student(**changes), student(3)))
    assert flaws(found) == [(2, field, code)]
    assert landed(found) == [3]


def test_the_law_date_itself_is_not_the_future() -> None:
    assert landed(reading(grid(student(状态日期="2026-11-20")))) == [2]
    assert landed(reading(grid(attendance(月份="2026-11")), "attendance")) == [2]
    assert landed(reading(grid(assessment(评估日期="2026-11-20")), "disability-assessment")) == [2]


@pytest.mark.parametrize(
    ("dataset", "row", "field", "code"),
    [
        ("attendance", attendance(缺勤天数="23"), "days_absent", "out_of_range"),
        ("attendance", attendance(应到天数="32"), "days_expected", "out_of_range"),
        ("attendance", attendance(连续缺勤天数="-1"), "longest_absence", "out_of_range"),
        ("attendance", attendance(连续缺勤天数="两天"), "longest_absence", "bad_code"),
        ("attendance", attendance(月份="2026-12"), "month", "future_date"),
        ("attendance", attendance(月份="2026-13"), "month", "bad_date"),
        ("attendance", attendance(月份=""), "month", "missing_required"),
        ("relief-register", relief(终止日期="2025-12-31"), "to_date", "out_of_range"),
        ("relief-register", relief(救助类别="其他"), "relief_class", "bad_code"),
        ("relief-register", relief(身份证号=""), "id_number", "missing_required"),
        ("disability-assessment", assessment(评估日期="2026-11-21"), "assessed_on", "future_date"),
        ("disability-assessment", assessment(残疾类别="8"), "category", "bad_code"),
        ("disability-assessment", assessment(残疾等级="五级"), "grade", "bad_code"),
        ("disability-assessment", assessment(身份证号=OTHER_CHECK), "id_number", "bad_checksum"),
    ],
)
def test_a_row_of_another_dataset_is_refused_with_its_code(
    dataset: str, row: dict[str, str], field: str, code: str
) -> None:
    assert flaws(reading(grid(row), dataset)) == [(2, field, code)]


def test_relief_may_begin_in_the_future() -> None:
    assert landed(reading(grid(relief(起始日期="2027-01-01")), "relief-register")) == [2]


def test_every_bad_cell_of_a_row_is_named_with_its_heading_and_a_shape() -> None:
    found = reading([["表"], *grid(student(年级="高一", 状态日期="昨天"))])
    shown = {(flaw.row, flaw.column, flaw.code, flaw.hint) for flaw in found.flaws}
    assert shown == {(3, "年级", "bad_code", "字字"), (3, "状态日期", "bad_date", "字字")}
    assert found.refused_rows == {3}


def test_a_flaw_tells_nothing_of_the_value() -> None:
    row = student(身份证件号=OTHER_CHECK)
    told = repr(reading(grid(row)).flaws) + str(
        sentences(reading(grid(row)).flaws, DATASETS["student-register"])
    )
    assert not any(value in told for value in (row["姓名"], OTHER_CHECK, row["学籍号"]))


# --- comparison of rows -------------------------------------------------------------------------------------


def test_the_same_child_with_other_content_is_refused_at_the_later_row() -> None:
    found = reading(grid(student(2), student(3), student(2, 年级="五年级")))
    assert flaws(found) == [(4, "student_number", "duplicate_in_file")]
    assert landed(found) == [2, 3]


def test_the_same_content_twice_is_repeated_and_no_error() -> None:
    found = reading(grid(student(2), student(2, 年级="4", 出生日期="2015/3/5"), student(2)))
    assert (found.flaws, landed(found), found.repeated) == ([], [2], [3, 4])


def test_a_refused_row_takes_no_part_in_the_comparison() -> None:
    found = reading(grid(student(2, 年级="高一"), student(2)))
    assert flaws(found) == [(2, "grade", "bad_code")]
    assert landed(found) == [3]


def test_a_refused_duplicate_is_not_what_later_rows_are_compared_with() -> None:
    found = reading(grid(student(2), student(2, 年级="五年级"), student(2)))
    assert flaws(found) == [(3, "student_number", "duplicate_in_file")]
    assert found.repeated == [4]


@pytest.mark.parametrize("with_id_first", [True, False])
def test_a_child_with_and_without_id_under_one_student_number_is_there_twice(with_id_first: bool) -> None:
    rows = [student(2), student(2, 身份证件类型="其他", 身份证件号="")]
    found = reading(grid(*(rows if with_id_first else rows[::-1])))
    assert flaws(found) == [(3, "student_number", "duplicate_in_file")]


def test_two_children_without_id_are_told_apart_by_student_number() -> None:
    rows = [
        student(number, 身份证件类型="其他", 身份证件号="", 学籍号=f"J53042320150000{number}")
        for number in (2, 3)
    ]
    assert landed(reading(grid(*rows))) == [2, 3]


def test_two_ids_with_one_student_number_are_two_children_for_the_store_to_judge() -> None:
    assert landed(reading(grid(student(2), student(3, 学籍号="G" + resident_id())))) == [2, 3]


@pytest.mark.parametrize(
    ("dataset", "first", "second"),
    [
        ("attendance", attendance(), attendance(月份="2026-09")),
        ("relief-register", relief(), relief(救助类别="孤儿")),
        ("relief-register", relief(), relief(起始日期="2026-02-01")),
        ("disability-assessment", assessment(), assessment(评估日期="2026-10-12")),
    ],
)
def test_another_month_class_or_day_is_another_record(
    dataset: str, first: dict[str, str], second: dict[str, str]
) -> None:
    assert landed(reading(grid(first, second), dataset)) == [2, 3]


@pytest.mark.parametrize(
    ("dataset", "first", "second"),
    [
        ("attendance", attendance(), attendance(缺勤天数="3")),
        ("relief-register", relief(), relief(终止日期="2026-12-31")),
        ("disability-assessment", assessment(), assessment(残疾等级="二级")),
    ],
)
def test_the_same_record_with_other_content_is_a_duplicate(
    dataset: str, first: dict[str, str], second: dict[str, str]
) -> None:
    found = reading(grid(first, second), dataset)
    assert [(flaw.row, flaw.code) for flaw in found.flaws] == [(3, "duplicate_in_file")]


# --- warnings -----------------------------------------------------------------------------------------------


def test_an_unknown_region_is_accepted_with_a_warning() -> None:
    found = reading(grid(student(现住址行政区划="530423999")))
    assert landed(found) == [2]
    assert [(w.row, w.column, w.code) for w in found.warnings] == [(2, "现住址行政区划", "unknown_region")]


def test_an_unknown_area_of_an_id_is_accepted_with_a_warning() -> None:
    number = resident_id(area="669999")
    found = reading(grid(student(身份证件号=number, 学籍号="G" + number)))
    assert landed(found) == [2]
    assert [(w.row, w.column, w.code) for w in found.warnings] == [(2, "身份证件号", "unknown_area")]


def test_a_withdrawn_area_and_a_residence_permit_warn_of_nothing() -> None:
    for area in ("330113", "810000", "513002"):
        number = resident_id(area=area)
        assert reading(grid(student(身份证件号=number, 学籍号="G" + number))).warnings == [], area


def test_a_refused_row_warns_of_nothing() -> None:
    assert reading(grid(student(现住址行政区划="530423999", 年级="高一"))).warnings == []


# --- what is said -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", MESSAGES)
def test_every_code_has_a_chinese_and_an_english_sentence(code: str) -> None:
    schema = DATASETS["student-register"]
    chinese, english = (message(code, schema, "student_number", lang) for lang in ("zh", "en"))
    assert english.isascii()
    assert any("\u4e00" <= ch <= "\u9fff" for ch in chinese)


def test_a_bad_code_names_the_permitted_values() -> None:
    assert "走读、住校" in message("bad_code", DATASETS["student-register"], "boarding", "zh")
    assert "走读 / 住校" in message("bad_code", DATASETS["student-register"], "boarding", "en")


# --- rows that name nobody ---------------------------------------------------------------------------------


def test_rows_that_name_nobody_are_told_apart_by_their_place() -> None:
    rows = [sighting(None, 地点=place) for place in ("甲", "乙", "", "甲", "")]
    found = reading(grid(*rows), "sightings")
    assert (landed(found), found.repeated, found.flaws) == ([2, 3, 4], [5, 6], [])


def test_a_child_is_the_same_record_wherever_in_the_firm_it_was() -> None:
    found = reading(grid(sighting(), sighting(地点="乙"), sighting(4), sighting(None)), "sightings")
    assert landed(found) == [2, 4, 5]
    assert flaws(found) == [(3, "id_number", "duplicate_in_file")]


def test_a_file_without_the_childs_column_is_read() -> None:
    rows = [sighting(None), sighting(None, 地点="乙"), sighting(None)]
    without = [
        {name: cell for name, cell in row.items() if name not in ("身份证号", "用人单位名称")} for row in rows
    ]
    found = reading(grid(*without), "sightings")
    assert (landed(found), found.repeated) == ([2, 3], [4])
    nowhere = [{name: cell for name, cell in row.items() if name != "地点"} for row in rows]
    assert landed(reading(grid(*nowhere), "sightings")) == [2]


@pytest.mark.parametrize("cell", [91530423, 9.1530423e17, "9.15304E+17"])
def test_an_employers_code_that_a_spreadsheet_rounded_is_refused(cell: Cell) -> None:
    cells = grid(sighting())
    cells[1][0] = cell
    found = reading(cells, "sightings")
    assert [flaw.code for flaw in found.flaws] in (["precision_lost"], ["bad_code"])
