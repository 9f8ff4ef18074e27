"""A workbook that claims to hold billions of strings is read for what it holds."""

import io
import zipfile

import pytest
import xlsxwriter

from gateway.adapters.files import Files


def _claiming(tag: bytes) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as workbook:
        workbook.add_worksheet().write_string(0, 0, "学籍号")
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(out.getvalue())) as old, zipfile.ZipFile(made, "w") as new:
        for member in old.infolist():
            part = old.read(member)
            if member.filename.endswith("sharedStrings.xml"):
                start, end = part.index(b"<sst"), part.index(b">", part.index(b"<sst"))
                part = part[:start] + tag + part[end + 1 :]
            new.writestr(member.filename, part)
    return made.getvalue()


NS = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


@pytest.mark.parametrize(
    "tag",
    [
        b"<sst " + NS + b' count="1" uniqueCount="4294967296">',
        b"<sst uniqueCount = '4294967295' " + NS + b' count="4294967296">',
        b"<sst " + NS + b' note="a>b" uniqueCount="4294967296">',
        b"<sst\n" + NS + b'\nuniqueCount="1099511627776"\n>',
    ],
)
def test_what_is_claimed_is_not_believed(tag: bytes) -> None:
    _, sheets = Files().read(_claiming(tag), "xlsx")
    assert sheets[0].grid[0][0] == "学籍号"
