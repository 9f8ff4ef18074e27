"""Both formats behind one port."""

from gateway.adapters.documents.docx import render_docx
from gateway.adapters.documents.pdf import PdfWriter
from gateway.domain.instruments import Document, Format


class FileDocumentWriter:
    """`gateway.domain.instruments.DocumentWriter`; for worker threads."""

    def __init__(self) -> None:
        self._pdf = PdfWriter()

    def render(self, document: Document, kind: Format) -> bytes:
        """The file; Unprintable when the PDF's font lacks a character."""
        return self._pdf.render(document) if kind is Format.PDF else render_docx(document)
