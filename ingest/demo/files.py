"""Small real files to attach: the same bytes everywhere, without times and zlib output."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "application/vnd.openxmlformats-officedocument"
_WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_SHEET = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_SLIDE = (
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
    f'xmlns:r="{_OFFICE}"'
)
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'


@dataclass(frozen=True, slots=True)
class File:
    """A file to attach."""

    name: str
    media_type: str
    content: bytes


def pdf(name: str, lines: Sequence[str]) -> File:
    """Return a one-page PDF; the lines are ASCII."""
    shown = "".join(f"({_pdf_text(line)}) Tj T*\n" for line in lines)
    stream = f"BT /F1 11 Tf 14 TL 72 770 Td\n{shown}ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        "/Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    out, places = "%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{content}\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    size, start = len(objects) + 1, len(out)
    out += f"xref\n0 {size}\n0000000000 65535 f \n{table}"
    out += f"trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
    return File(name, "application/pdf", out.encode("ascii"))


def docx(name: str, paragraphs: Sequence[str]) -> File:
    """Return a Word document."""
    text = "".join(f"<w:p><w:r><w:t>{escape(p)}</w:t></w:r></w:p>" for p in paragraphs)
    parts = {
        "word/document.xml": f"<w:document {_WORD}><w:body>{text}</w:body></w:document>",
    }
    kind = f"{_MAIN}.wordprocessingml.document"
    types = {"/word/document.xml": f"{kind}.main+xml"}
    return File(name, kind, _package("word/document.xml", parts, types))


def xlsx(name: str, rows: Sequence[Sequence[str | int]]) -> File:
    """Return a workbook of one sheet."""
    lines = "".join(f"<row>{''.join(_cell(value) for value in row)}</row>" for row in rows)
    parts = {
        "xl/workbook.xml": f'<workbook {_SHEET} xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _relations({"worksheet": "worksheets/sheet1.xml"}),
        "xl/worksheets/sheet1.xml": (
            f"<worksheet {_SHEET}><sheetData>{lines}</sheetData></worksheet>"
        ),
    }
    kind = f"{_MAIN}.spreadsheetml"
    types = {
        "/xl/workbook.xml": f"{kind}.sheet.main+xml",
        "/xl/worksheets/sheet1.xml": f"{kind}.worksheet+xml",
    }
    return File(name, f"{kind}.sheet", _package("xl/workbook.xml", parts, types))


def pptx(name: str, lines: Sequence[str]) -> File:
    """Return a presentation of one slide."""
    shown = "".join(f"<a:p><a:r><a:t>{escape(line)}</a:t></a:r></a:p>" for line in lines)
    group = (
        '<p:nvGrpSpPr><p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/>'
    )
    shape = (
        '<p:sp><p:nvSpPr><p:cNvPr id="2" name="Text"/><p:cNvSpPr/><p:nvPr/></p:nvSpPr><p:spPr/>'
        f"<p:txBody><a:bodyPr/>{shown}</p:txBody></p:sp>"
    )
    slide = f"<p:sld {_SLIDE}><p:cSld><p:spTree>{group}{shape}</p:spTree></p:cSld></p:sld>"
    parts = {
        "ppt/presentation.xml": f"<p:presentation {_SLIDE}>"
        '<p:sldIdLst><p:sldId id="256" r:id="rId1"/></p:sldIdLst>'
        '<p:sldSz cx="9144000" cy="6858000"/><p:notesSz cx="6858000" cy="9144000"/>'
        "</p:presentation>",
        "ppt/_rels/presentation.xml.rels": _relations({"slide": "slides/slide1.xml"}),
        "ppt/slides/slide1.xml": slide,
    }
    kind = f"{_MAIN}.presentationml"
    types = {
        "/ppt/presentation.xml": f"{kind}.presentation.main+xml",
        "/ppt/slides/slide1.xml": f"{kind}.slide+xml",
    }
    return File(name, f"{kind}.presentation", _package("ppt/presentation.xml", parts, types))


def png(name: str, colour: tuple[int, int, int]) -> File:
    """Return a picture of one colour, 16 by 16."""
    row = b"\x00" + bytes(colour) * 16
    stream = _stored(row * 16)
    chunks = (
        (b"IHDR", struct.pack(">2L5B", 16, 16, 8, 2, 0, 0, 0)),
        (b"IDAT", stream),
        (b"IEND", b""),
    )
    body = b"".join(
        struct.pack(">L", len(data)) + tag + data + struct.pack(">L", zlib.crc32(tag + data))
        for tag, data in chunks
    )
    return File(name, "image/png", b"\x89PNG\r\n\x1a\n" + body)


def plain(name: str, text: str) -> File:
    """Return a text file in UTF-8."""
    return File(name, "text/plain", text.encode("utf-8"))


def _stored(data: bytes) -> bytes:
    """Return a zlib stream without compression (RFC 1950, RFC 1951 3.2.4)."""
    size = len(data)
    block = b"\x01" + struct.pack("<2H", size, size ^ 0xFFFF) + data
    return b"\x78\x01" + block + struct.pack(">L", zlib.adler32(data))


def _package(main: str, parts: Mapping[str, str], types: Mapping[str, str]) -> bytes:
    listed = "".join(
        f'<Override PartName="{part}" ContentType="{kind}"/>' for part, kind in types.items()
    )
    whole = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{listed}</Types>',
        "_rels/.rels": _relations({"officeDocument": main}),
        **parts,
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in whole.items():
            archive.writestr(zipfile.ZipInfo(name), _HEAD + text)
    return out.getvalue()


def _relations(targets: Mapping[str, str]) -> str:
    listed = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets.items(), 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{listed}</Relationships>'


def _cell(value: str | int) -> str:
    if isinstance(value, int):
        return f"<c><v>{value}</v></c>"
    return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'


def _pdf_text(line: str) -> str:
    return line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
