"""A document as DOCX (ISO/IEC 29500-1, transitional): the few parts a word processor needs, the same bytes every time.

Built as a tree, so that whatever a text holds is escaped by the serialiser. Fonts are named, not embedded: 仿宋 and 宋体
are on every office machine in a county.
"""

import io
import zipfile
from collections.abc import Iterable
from xml.etree import ElementTree

from gateway.domain.instruments import Document, in_words

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_RELATIONS_TYPE = "application/vnd.openxmlformats-package.relationships+xml"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_BODY_FONT, _TITLE_FONT = "仿宋", "宋体"
_BODY_SIZE, _TITLE_SIZE = "32", "44"  # half points: 三号, 二号
_INDENT = "640"  # twentieths of a point: two characters
_MARGINS = {  # GB/T 9704: 37, 35, 28, 26 mm
    "top": "2098",
    "right": "1474",
    "bottom": "1984",
    "left": "1588",
    "header": "851",
    "footer": "992",
    "gutter": "0",
}
_A4 = {"w": "11906", "h": "16838"}

Element = ElementTree.Element


def render_docx(document: Document) -> bytes:
    """The bytes of the file."""
    parts = {
        "[Content_Types].xml": _content_types(),
        "_rels/.rels": _relations(),
        "word/document.xml": _document(document),
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        for name, root in parts.items():
            xml = ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True)
            package.writestr(zipfile.ZipInfo(name, _LONG_AGO), xml, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def _content_types() -> Element:
    root = Element("Types", {"xmlns": _TYPES})
    for extension, kind in (("rels", _RELATIONS_TYPE), ("xml", "application/xml")):
        ElementTree.SubElement(root, "Default", {"Extension": extension, "ContentType": kind})
    main = {"PartName": "/word/document.xml", "ContentType": _MAIN}
    ElementTree.SubElement(root, "Override", main)
    return root


def _relations() -> Element:
    root = Element("Relationships", {"xmlns": _RELATIONS})
    names = {"Id": "rId1", "Type": _OFFICE, "Target": "word/document.xml"}
    ElementTree.SubElement(root, "Relationship", names)
    return root


def _document(document: Document) -> Element:
    root = Element(_w("document"))
    body = ElementTree.SubElement(root, _w("body"))
    body.extend(_paragraphs(document))
    page = ElementTree.SubElement(body, _w("sectPr"))
    ElementTree.SubElement(page, _w("pgSz"), _attributes(_A4))
    ElementTree.SubElement(page, _w("pgMar"), _attributes(_MARGINS))
    return root


def _paragraphs(document: Document) -> Iterable[Element]:
    yield _paragraph(document.issuer, "center", title=True)
    yield _paragraph(document.title, "center", title=True)
    yield _paragraph(document.number, "center")
    yield _paragraph(document.addressee, "left")
    for text in document.paragraphs:
        yield _paragraph(text, "both", indent=True)
    yield _paragraph(f"{document.issuer}（印章）", "right")
    yield _paragraph(in_words(document.issued_on), "right")


def _paragraph(text: str, align: str, *, title: bool = False, indent: bool = False) -> Element:
    paragraph = Element(_w("p"))
    layout = ElementTree.SubElement(paragraph, _w("pPr"))
    if indent:
        ElementTree.SubElement(layout, _w("ind"), _attributes({"firstLine": _INDENT}))
    ElementTree.SubElement(layout, _w("jc"), _attributes({"val": align}))
    run = ElementTree.SubElement(paragraph, _w("r"))
    look = ElementTree.SubElement(run, _w("rPr"))
    font = _TITLE_FONT if title else _BODY_FONT
    ElementTree.SubElement(
        look, _w("rFonts"), _attributes(dict.fromkeys(("ascii", "hAnsi", "eastAsia"), font))
    )
    ElementTree.SubElement(look, _w("sz"), _attributes({"val": _TITLE_SIZE if title else _BODY_SIZE}))
    ElementTree.SubElement(
        run, _w("t"), {"{http://www.w3.org/XML/1998/namespace}space": "preserve"}
    ).text = text
    return paragraph


def _attributes(values: dict[str, str]) -> dict[str, str]:
    return {_w(name): value for name, value in values.items()}


def _w(name: str) -> str:
    return f"{{{_W}}}{name}"


ElementTree.register_namespace("w", _W)
