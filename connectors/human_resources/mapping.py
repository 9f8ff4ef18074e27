"""How labour inspection's case system names things: its own headings, and codes of its own for what was found and done."""

from connectors.base import Mapping

SIGHTINGS = Mapping(
    dataset="sightings",
    headings={
        "employer_uscc": ("被检查单位信用代码", "单位信用代码"),
        "employer_name": ("被检查单位", "被检查单位名称"),
        "inspected_on": ("监察日期", "现场检查日期"),
        "place": ("现场地点", "经营场所"),
        "region": ("所属行政区划", "监察地区划"),
        "id_number": ("疑似童工证件号", "童工身份证号"),
        "finding": ("监察结论", "核实结果"),
        "measure": ("处置措施", "处理方式"),
    },
    codes={
        "finding": {"01": "confirmed", "02": "none", "03": "pending"},
        "measure": {
            "00": "none",
            "10": "correction",
            "20": "fine",
            "30": "handed_to_guardian",
            "40": "police",
            "50": "market_regulation",
        },
    },
)
