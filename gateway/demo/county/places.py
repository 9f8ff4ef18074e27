"""Townships and schools of the invented county; no school of that name exists."""

from __future__ import annotations

from dataclasses import dataclass

COUNTY_NAME = "护学演示县"
TOWNSHIP_SUFFIXES = ("100", "101", "102", "200", "201")
TOWNSHIP_NAMES = ("星桥镇", "云麓镇", "石榴镇", "松溪乡", "白鹭乡")
PRIMARY_NAMES = ("第一小学", "启明小学")


@dataclass(slots=True, frozen=True)
class School:
    """A school: ten-digit 学校标识码, name, and whether it teaches grades 7 to 9."""

    code: str
    name: str
    junior: bool


def townships(county: str) -> tuple[str, ...]:
    """Give the nine-digit codes of the county's five townships."""
    return tuple(county + suffix for suffix in TOWNSHIP_SUFFIXES)


def schools(county: str) -> dict[tuple[str, bool], list[School]]:
    """Give the schools by (township, junior?): two primary and one junior school in each township."""
    found: dict[tuple[str, bool], list[School]] = {}
    for place, (township, name) in enumerate(zip(townships(county), TOWNSHIP_NAMES, strict=True)):
        found[township, False] = [
            School(f"21{county}{place * 2 + i:02d}", name + kind, False)
            for i, kind in enumerate(PRIMARY_NAMES)
        ]
        found[township, True] = [School(f"31{county}{place:02d}", name + "初级中学", True)]
    return found
