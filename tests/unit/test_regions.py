"""Regions: forms of a code, what the table knows, names and history."""

from pathlib import Path

import pytest

from schemas.codes.region import Region, RegionTable, level_of, normalise_region, regions, within
from schemas.identifiers import IdentifierError


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("53", "53"),
        ("5304", "5304"),
        ("5300", "53"),
        ("530423", "530423"),
        ("530000", "53"),
        ("530400", "5304"),
        ("530423000", "530423"),
        ("530423100", "530423100"),
        ("530423100000", "530423100"),
        ("530423000000", "530423"),
        ("530000000000", "53"),
        ("530423100201", "530423100201"),
        (" ５３０４２３ ", "530423"),
        ("'530423", "530423"),
        ("441900", "4419"),
        ("441900003", "441900003"),
        ("500000", "50"),
    ],
)
def test_short_form(text: str, short: str) -> None:
    assert normalise_region(text) == short
    assert normalise_region(short) == short


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "530",
        "53042",
        "5304231",
        "5304231000",
        "530423.0",
        "云南",
        "053042",
        "00",
        "50A000",
        "٥٣",
    ],
)
def test_not_a_region(text: str) -> None:
    with pytest.raises(IdentifierError) as caught:
        normalise_region(text)
    assert caught.value.code == "bad_code"
    assert not regions().is_known(text)
    assert regions().get(text) is None
    assert regions().ancestors(text) == ()


def test_levels() -> None:
    codes = ("53", "5304", "530423", "530423100", "530423100201", "530423000")
    assert [level_of(code) for code in codes] == [
        "province",
        "prefecture",
        "county",
        "township",
        "village",
        "county",
    ]


def test_within() -> None:
    assert within("530423100", "530423")
    assert within("530423", "530423")
    assert within("530423100201", "53")
    assert not within("53", "530423")
    assert not within("530424100", "530423")
    assert not within("530423", "530")
    assert not within("530423", "")
    assert not within("53042", "5304")


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("530423", "云南省玉溪市通海县"),
        ("330113", "浙江省杭州市临平区"),
        ("659012", "新疆维吾尔自治区白杨市"),
        ("500156", "重庆市武隆区"),
        ("110105", "北京市朝阳区"),
        ("500240", "重庆市石柱土家族自治县"),
        ("429004", "湖北省仙桃市"),
        ("4419", "广东省东莞市"),
        ("620201100", "甘肃省嘉峪关市新城镇"),
        ("522401", "贵州省毕节地区毕节市"),
        ("53", "云南省"),
        ("530423101", "云南省玉溪市通海县杨广镇"),
        ("441900101", "广东省东莞市石碣镇"),
        ("530423000000", "云南省玉溪市通海县"),
    ],
)
def test_names(code: str, name: str) -> None:
    assert regions().is_known(code)
    assert regions().name(code) == name


def test_the_unknown_keeps_its_code() -> None:
    assert regions().name("530423199") == "云南省玉溪市通海县(530423199)"
    assert regions().name("530423101201") == "云南省玉溪市通海县杨广镇(530423101201)"
    assert regions().name("99") == "(99)"
    assert regions().name("11010519491231002X") == ""


def test_townships_of_the_sample_county() -> None:
    table = regions()
    known = [code for code in ("100", "101", "102", "200", "201") if table.is_known(f"530423{code}")]
    # Two of the sample's townships are invented: they are the warnings `unknown_region`.
    assert known == ["101", "102", "201"]
    assert table.is_known("530423101201")
    assert not table.is_known("530423100201")


def test_withdrawn_codes() -> None:
    table = regions()
    withdrawn = table.get("522401")
    assert withdrawn == Region("522401", "毕节市", "county", 1993, 2011, "520502", ("520502",))
    split = table.get("330104")
    assert split is not None
    assert split.successor is None
    assert split.successors == ("330102", "330114")
    current = table.get("530423")
    assert current is not None
    assert (current.valid_from, current.valid_to, current.successor) == (1997, None, None)


def test_a_code_that_changed_its_name() -> None:
    names = [region.name for region in regions().history("420600")]
    assert names[:2] == ["襄阳市", "襄樊市"]
    assert regions().name("4206") == "湖北省襄阳市"


def test_a_withdrawn_county_is_named_with_the_prefecture_of_its_time() -> None:
    assert regions().name("420604") == "湖北省襄樊市樊西区"
    assert regions().name("420607") == "湖北省襄阳市襄州区"


def test_ancestors() -> None:
    assert regions().ancestors("530423100201") == ("530423100", "530423", "5304", "53")
    assert regions().ancestors("530423") == ("5304", "53")
    assert regions().ancestors("441900101") == ("4419", "44")
    assert regions().ancestors("53") == ()


def test_the_whole_table_is_sound() -> None:
    table, seen = regions(), set()
    for region in table:
        assert normalise_region(region.code) == region.code
        assert region.level == level_of(region.code)
        assert region.name
        assert all(table.is_known(code) for code in region.successors)
        assert region.code not in seen
        seen.add(region.code)
        if region.level == "township":
            assert table.is_known(region.code[:6])
    assert {"81", "82", "83"} <= seen
    assert len(seen) > 45_000


def test_the_table_is_read_once() -> None:
    assert regions() is regions()


def test_a_newer_table(tmp_path: Path) -> None:
    (tmp_path / "region.csv").write_text(
        "code,name,valid_from,valid_to,successor\n99,新省,2030,,\n", encoding="utf-8"
    )
    (tmp_path / "township.csv").write_text("code,name\n990101001,新镇\n", encoding="utf-8-sig")
    table = regions(tmp_path)
    assert table.is_known("990000")
    assert table.name("990101001") == "新省新镇"
    assert not table.is_known("530423")


def test_a_table_without_its_header_is_refused(tmp_path: Path) -> None:
    (tmp_path / "region.csv").write_text("99,新省,2030,,\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"region\.csv"):
        RegionTable.load(tmp_path)
    with pytest.raises(OSError, match=r"region\.csv"):
        RegionTable.load(tmp_path / "nowhere")
