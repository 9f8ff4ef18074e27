"""Legal instruments as files, read by other programs than wrote them: words, number, fonts; nothing is markup."""

import io
import zipfile
from dataclasses import replace
from datetime import date

import docx
import pypdf
import pytest

from gateway.adapters.documents import pdf
from gateway.adapters.documents.writer import FileDocumentWriter
from gateway.domain.errors import Unprintable
from gateway.domain.instruments import Document, Format

WRITER = FileDocumentWriter()
NUMBER = "530423教控复字〔2026〕第0001号"
DOCUMENT = Document(
    title="限期复学通知书",
    number=NUMBER,
    issuer="通海县教育局",
    issued_on=date(2026, 11, 20),
    addressee="张建国（张小明的父亲）：",
    paragraphs=("《中华人民共和国义务教育法》第五条规定，父母应当送适龄儿童入学。", "送达当日不计入期限。"),
)
HOSTILE = (
    "#panic[x]",
    '#include "/etc/passwd"',
    "$x^2$ *粗* _斜_ `r` <label> @ref \\ // 注",
    "</w:t></w:r><w:r><w:t>&amp;&lt;",
    "<!ENTITY x SYSTEM 'file:///etc/passwd'> &x; ]]>",
    '"}]), #sys.inputs, \\u{202e}',
    "{{ child }} {% raw %} {child}",
)


def _pdf_text(data: bytes) -> str:
    reader = pypdf.PdfReader(io.BytesIO(data))
    return "".join(page.extract_text() for page in reader.pages).replace("\n", "").replace(" ", "")


def _docx_text(data: bytes) -> str:
    return "".join(each.text for each in docx.Document(io.BytesIO(data)).paragraphs).replace(" ", "")


TEXT = {Format.PDF: _pdf_text, Format.DOCX: _docx_text}


@pytest.mark.parametrize("kind", Format)
def test_the_words_and_the_number_are_in_the_file(kind: Format) -> None:
    text = TEXT[kind](WRITER.render(DOCUMENT, kind))
    for part in (
        DOCUMENT.title,
        NUMBER,
        DOCUMENT.issuer,
        DOCUMENT.addressee,
        *DOCUMENT.paragraphs,
        "2026年11月20日",
    ):
        assert part in text


@pytest.mark.parametrize("kind", Format)
@pytest.mark.parametrize("words", HOSTILE)
def test_what_looks_like_markup_is_shown_as_it_was_written(kind: Format, words: str) -> None:
    hostile = replace(DOCUMENT, addressee=words, paragraphs=(words,), issuer=words, number=words, title=words)
    text = TEXT[kind](WRITER.render(hostile, kind))
    assert text.count(words.replace(" ", "")) == 6


@pytest.mark.parametrize("kind", Format)
def test_the_same_words_are_the_same_bytes(kind: Format) -> None:
    assert WRITER.render(DOCUMENT, kind) == FileDocumentWriter().render(DOCUMENT, kind)


def _fonts(data: bytes) -> list[pypdf.generic.DictionaryObject]:
    pages = pypdf.PdfReader(io.BytesIO(data)).pages
    return [font.get_object() for page in pages for font in page["/Resources"]["/Font"].values()]


def test_the_font_is_inside_the_pdf_and_only_what_is_used_of_it() -> None:
    data = WRITER.render(DOCUMENT, Format.PDF)
    assert len(data) < 100_000
    fonts = _fonts(data)
    assert fonts
    for font in fonts:
        inner = font["/DescendantFonts"][0].get_object()
        assert "+NotoSerifSC" in inner["/BaseFont"]
        assert len(inner["/FontDescriptor"]["/FontFile3"].get_data()) > 1000


def test_a_pdf_runs_nothing_and_points_nowhere() -> None:
    data = WRITER.render(
        replace(DOCUMENT, addressee="https://example.invalid javascript:alert(1)"), Format.PDF
    )
    catalogue = pypdf.PdfReader(io.BytesIO(data)).trailer["/Root"]
    assert not {"/OpenAction", "/AA", "/Names", "/AcroForm"} & catalogue.keys()
    assert all("/Annots" not in page for page in pypdf.PdfReader(io.BytesIO(data)).pages)


def test_a_character_without_a_glyph_stops_and_is_not_told() -> None:
    rare = replace(DOCUMENT, addressee="\U00020bb7")
    with pytest.raises(Unprintable) as error:
        WRITER.render(rare, Format.PDF)
    assert "\U00020bb7" not in f"{error.value} {error.value.detail_zh} {error.value.__cause__!r}"
    assert "\U00020bb7" in _docx_text(WRITER.render(rare, Format.DOCX))


def test_another_font_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "_FONT_SHA256", "0" * 64)
    with pytest.raises(pdf.FontChanged):
        pdf.PdfWriter().render(DOCUMENT)


def test_the_docx_names_fonts_of_the_office_and_brings_nothing_along() -> None:
    data = WRITER.render(DOCUMENT, Format.DOCX)
    names = zipfile.ZipFile(io.BytesIO(data)).namelist()
    assert names == ["[Content_Types].xml", "_rels/.rels", "word/document.xml"]
    xml = zipfile.ZipFile(io.BytesIO(data)).read("word/document.xml").decode()
    assert 'w:eastAsia="仿宋"' in xml
    assert 'w:eastAsia="宋体"' in xml
    read = docx.Document(io.BytesIO(data))
    assert read.sections[0].page_width.mm == pytest.approx(210, abs=0.1)


def test_a_long_document_takes_more_than_one_page() -> None:
    long = replace(DOCUMENT, paragraphs=DOCUMENT.paragraphs * 20)
    assert len(pypdf.PdfReader(io.BytesIO(WRITER.render(long, Format.PDF))).pages) > 1
