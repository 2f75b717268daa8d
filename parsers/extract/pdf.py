"""PDF files by PDFium; must not run scripts, fill forms or load anything from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pypdfium2

from holdfast.core.records import Defect, TextState
from holdfast.parsers.extract.outcome import Extracted, Unreadable, of_pieces

MAX_PAGES = 5_000
"""Later pages are not read; the text is then called truncated."""


def read_pdf(raw: bytes) -> Extracted:
    """Return the text of the pages; empty for scans, which hold pictures alone."""
    try:
        document = pypdfium2.PdfDocument(raw)
    except pypdfium2.PdfiumError as trouble:
        is_locked = "password" in str(trouble).lower()
        code = "extract_encrypted" if is_locked else "extract_failed"
        raise Unreadable(code, str(trouble)) from trouble
    with document:
        found = of_pieces(_pages(document))
        if len(document) <= MAX_PAGES:
            return found
        defect = Defect("extract_truncated", f"{MAX_PAGES} of {len(document)} pages read")
        return replace(found, state=TextState.TRUNCATED, defects=(*found.defects, defect))


def _pages(document: pypdfium2.PdfDocument) -> Iterator[str]:
    """Yield page by page; a page that cannot be read is left out."""
    for index in range(min(len(document), MAX_PAGES)):
        try:
            page = document[index]
            text_page = page.get_textpage()
        except pypdfium2.PdfiumError:
            continue
        yield text_page.get_text_range().replace("\r\n", "\n")
        yield "\n"
        text_page.close()
        page.close()
