"""A document as PDF/A-2b (ISO 19005-2): the characters that are used are embedded, nothing is left to the reader's fonts.

The wording reaches the layout as data (`sys.inputs`), never as source. The layout reads no file and fetches nothing.
"""

import hashlib
import threading
from datetime import UTC, datetime, time
from pathlib import Path

import orjson
import pylopdf_fonts_zh_cn
import typst

from gateway.domain.errors import Unprintable
from gateway.domain.instruments import Document, in_words

_HERE = Path(__file__).parent
_LAYOUT = _HERE / "layout.typ"
_FONT_SHA256 = "e8f396decc1f0963a016a989c3d8852e863d1350996f573860a80767c83a1cd3"
_NO_GLYPH = "could not be displayed with"


class FontChanged(RuntimeError):
    """The installed font is not the published one."""


class PdfWriter:
    """Fonts are read once, when the first document is written; for worker threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fonts: typst.Fonts | None = None
        self._layout = _LAYOUT.read_bytes()

    def render(self, document: Document) -> bytes:
        """The bytes of the file; Unprintable when the font lacks a character."""
        words = orjson.dumps(_as_data(document)).decode()
        day = datetime.combine(document.issued_on, time(), UTC)
        # One at a time, since a document takes milliseconds; a compiler each, so that none is given another's words.
        with self._lock:
            compiler = typst.Compiler(
                self._layout, root=_HERE, font_paths=self._loaded(), ignore_system_fonts=True
            )
            try:
                pdf = compiler.compile(
                    format="pdf", sys_inputs={"instrument": words}, pdf_standards=["a-2b"], timestamp=day
                )
            except typst.TypstError as error:
                raise _translated(error) from None
        if not isinstance(pdf, bytes):
            raise TypeError("one document was asked for")
        return pdf

    def _loaded(self) -> typst.Fonts:
        if self._fonts is None:
            path = pylopdf_fonts_zh_cn.serif_path()
            if hashlib.sha256(path.read_bytes()).hexdigest() != _FONT_SHA256:
                raise FontChanged("NotoSerifSC-Regular.otf differs from the published one")
            self._fonts = typst.Fonts(False, False, [str(path.parent)])
        return self._fonts


def _as_data(document: Document) -> dict[str, object]:
    day = document.issued_on
    return {
        "title": document.title,
        "number": document.number,
        "issuer": document.issuer,
        "addressee": document.addressee,
        "paragraphs": document.paragraphs,
        "dated": in_words(day),
        "date": [day.year, day.month, day.day],
    }


def _translated(error: typst.TypstError) -> Exception:
    # Typst's own message quotes the text, which may be a name: it is never passed on.
    if _NO_GLYPH in error.message:
        return Unprintable(
            "文书中有内嵌字体没有的字（如生僻人名用字）：请改用 docx 格式。",
            "The document holds a character that the embedded font lacks: take the docx.",
        )
    return RuntimeError("the layout of legal instruments does not compile")
