"""Builds small Office and PDF files for tests, with the libraries that make them or by hand."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence

from docx import Document
from pptx import Presentation
from pptx.util import Inches

OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_R = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def build_zip(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as container:
        for name, content in members.items():
            container.writestr(name, content)
    return out.getvalue()


def with_members(raw: bytes, members: Mapping[str, bytes]) -> bytes:
    """Return a container with some members added or replaced."""
    with zipfile.ZipFile(io.BytesIO(raw)) as container:
        kept = {name: container.read(name) for name in container.namelist()}
    return build_zip({**kept, **members})


def build_docx(paragraphs: Sequence[str], table: Sequence[Sequence[str]] = ()) -> bytes:
    document = Document()
    for text in paragraphs:
        document.add_paragraph(text)
    if table:
        grid = document.add_table(rows=len(table), cols=len(table[0]))
        for row, cells in enumerate(table):
            for column, text in enumerate(cells):
                grid.cell(row, column).text = text
    document.sections[0].header.paragraphs[0].text = "页眉 header line"
    document.sections[0].footer.paragraphs[0].text = "页脚 footer line"
    comment_on = document.add_paragraph("commented").runs
    document.add_comment(comment_on, text="批注 remark", author="Ann", initials="A")
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def build_pptx(titles: Sequence[str], notes: str = "") -> bytes:
    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[5])
    for title in titles:
        slide = presentation.slides.add_slide(presentation.slide_layouts[5])
        assert slide.shapes.title is not None
        slide.shapes.title.text = title
    frame = slide.shapes.add_table(1, 2, Inches(1), Inches(2), Inches(4), Inches(1))
    frame.table.cell(0, 0).text = "左 cell"
    frame.table.cell(0, 1).text = "右 cell"
    notes_frame = slide.notes_slide.notes_text_frame
    assert notes_frame is not None
    notes_frame.text = notes
    out = io.BytesIO()
    presentation.save(out)
    return out.getvalue()


def build_xlsx(sheets: Mapping[str, Sequence[Sequence[str | float]]]) -> bytes:
    members = {"[Content_Types].xml": _content_types(len(sheets))}
    names, relations = [], []
    for number, (name, rows) in enumerate(sheets.items(), 1):
        names.append(f'<sheet name="{name}" sheetId="{number}" r:id="r{number}"/>')
        relations.append(
            f'<Relationship Id="r{number}" Type="{_OFFICE}/worksheet" '
            f'Target="worksheets/sheet{number}.xml"/>'
        )
        members[f"xl/worksheets/sheet{number}.xml"] = _sheet(rows)
    workbook = f"<workbook {_S} {_R}><sheets>{''.join(names)}</sheets></workbook>"
    members["xl/workbook.xml"] = workbook.encode()
    members["xl/_rels/workbook.xml.rels"] = _relations("".join(relations))
    members["_rels/.rels"] = _relations(
        f'<Relationship Id="r1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
    )
    members["xl/comments1.xml"] = (
        f"<comments {_S}><commentList><comment ref='A1'><text><r><t>单元格批注</t></r></text>"
        "</comment></commentList></comments>"
    ).encode()
    return build_zip(members)


def _sheet(rows: Sequence[Sequence[str | float]]) -> bytes:
    body = []
    for number, row in enumerate(rows, 1):
        cells = []
        for column, value in zip("ABCDEFGH", row, strict=False):
            if isinstance(value, str):
                text = f'<c r="{column}{number}" t="inlineStr"><is><t>{value}</t></is></c>'
            else:
                text = f'<c r="{column}{number}"><v>{value}</v></c>'
            cells.append(text)
        body.append(f'<row r="{number}">{"".join(cells)}</row>')
    return f"<worksheet {_S}><sheetData>{''.join(body)}</sheetData></worksheet>".encode()


def _content_types(sheets: int) -> bytes:
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{kind}.worksheet+xml"/>'
        for n in range(1, sheets + 1)
    )
    return (
        f'<Types xmlns="{_TYPES}"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f"{overrides}</Types>"
    ).encode()


def _relations(body: str) -> bytes:
    return f'<Relationships xmlns="{_RELATIONS}">{body}</Relationships>'.encode()


def build_odt(paragraphs: Sequence[str]) -> bytes:
    body = "".join(f"<text:p>{text}</text:p>" for text in paragraphs)
    content = (
        '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:text>'
        f"{body}</office:text></office:body></office:document-content>"
    )
    return build_zip(
        {
            "mimetype": b"application/vnd.oasis.opendocument.text",
            "content.xml": content.encode(),
            "META-INF/manifest.xml": b"<manifest/>",
        }
    )


def build_pdf(pages: Sequence[str], *, is_encrypted: bool = False) -> bytes:
    """Return a PDF with one line a page; the font has no outlines, only a map to Unicode."""
    objects: list[bytes] = []

    def add(body: str) -> int:
        objects.append(body.encode("latin-1"))
        return len(objects)

    catalog, tree = 1, 2
    objects += [b"", b""]
    letters = sorted(set("".join(pages)))
    code = {letter: number for number, letter in enumerate(letters, 1)}
    lines = [f"<{code[c]:04x}> <{c.encode('utf-16-be').hex()}>" for c in letters]
    blocks = [lines[at : at + 100] for at in range(0, len(lines), 100)]
    mapped = "".join(f"{len(b)} beginbfchar {' '.join(b)} endbfchar\n" for b in blocks)
    to_unicode = add(_stream(_CMAP_START + mapped + _CMAP_END))
    inner = add(
        "<</Type/Font/Subtype/CIDFontType2/BaseFont/Plain/CIDSystemInfo<</Registry(Adobe)"
        "/Ordering(Identity)/Supplement 0>>/DW 1000>>"
    )
    font = add(
        "<</Type/Font/Subtype/Type0/BaseFont/Plain/Encoding/Identity-H"
        f"/DescendantFonts[{inner} 0 R]/ToUnicode {to_unicode} 0 R>>"
    )
    kids = []
    for text in pages:
        shown = "".join(f"{code[c]:04x}" for c in text)
        content = add(_stream(f"BT /F 12 Tf 72 700 Td <{shown}> Tj ET"))
        kids.append(
            add(
                f"<</Type/Page/Parent {tree} 0 R/MediaBox[0 0 612 792]/Contents {content} 0 R"
                f"/Resources<</Font<</F {font} 0 R>>>>>>"
            )
        )
    objects[catalog - 1] = f"<</Type/Catalog/Pages {tree} 0 R>>".encode()
    references = " ".join(f"{kid} 0 R" for kid in kids)
    objects[tree - 1] = f"<</Type/Pages/Count {len(kids)}/Kids[{references}]>>".encode()
    return _assembled(objects, is_encrypted=is_encrypted)


_CMAP_START = (
    "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
    "/CMapName /X def /CMapType 2 def\n1 begincodespacerange <0000> <ffff> endcodespacerange\n"
)
_CMAP_END = "endcmap CMapName currentdict /CMap defineresource pop end end"


def _stream(content: str) -> str:
    return f"<</Length {len(content)}>>\nstream\n{content}\nendstream"


def _assembled(objects: Sequence[bytes], *, is_encrypted: bool) -> bytes:
    out = bytearray(b"%PDF-1.7\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for offset in offsets:
        out += b"%010d 00000 n \n" % offset
    lock = b""
    if is_encrypted:
        lock = b"/Encrypt<</Filter/Standard/V 1/R 2/O<%s>/U<%s>/P -4>>/ID[<00><00>]" % (
            b"11" * 32,
            b"22" * 32,
        )
    out += b"trailer\n<</Size %d/Root 1 0 R%s>>\n" % (len(objects) + 1, lock)
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % start)


def build_xls(rows: Sequence[Sequence[str | float]], *, is_encrypted: bool = False) -> bytes:
    """Return a BIFF8 workbook of one sheet ([MS-XLS]); encrypted means: says that it is."""
    start = _record(0x809, struct.pack("<HHHHII", 0x600, 5, 0, 0, 0, 0))
    if is_encrypted:
        start += _record(0x2F, struct.pack("<HHH", 1, 1, 1) + bytes(48))
    start += _record(0x42, struct.pack("<H", 1200))
    name = "表".encode("utf-16-le")
    sheet_at = len(start) + 4 + 8 + len(name) + 4
    start += _record(0x85, struct.pack("<IBBBB", sheet_at, 0, 0, 1, 1) + name)
    body = start + _record(0x0A, b"")
    body += _record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 0, 0, 0))
    for row, cells in enumerate(rows):
        for column, value in enumerate(cells):
            place = struct.pack("<HHH", row, column, 0)
            if isinstance(value, str):
                text = struct.pack("<HB", len(value), 1) + value.encode("utf-16-le")
                body += _record(0x204, place + text)
            else:
                body += _record(0x203, place + struct.pack("<d", value))
    return build_ole("Workbook", body + _record(0x0A, b""))


def _record(kind: int, body: bytes) -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def build_ole(name: str, stream: bytes) -> bytes:
    """Return an OLE file of one stream ([MS-CFB]), with one sector of allocation table."""
    sectors = max(8, -(-len(stream) // 512))
    stream = stream.ljust(sectors * 512, b"\0")
    free, end = 0xFFFFFFFF, 0xFFFFFFFE
    table = [0xFFFFFFFD, end, *range(3, sectors + 2), end]
    table += [free] * (128 - len(table))
    header = OLE_MAGIC + bytes(16) + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, end, 0, end, 0)
    header += struct.pack("<110I", 0, *[free] * 109)[: 512 - len(header)]
    directory = _ole_entry("Root Entry", 5, 1, end, 0) + _ole_entry(name, 2, free, 2, len(stream))
    directory += _ole_entry("", 0, free, 0, 0) * 2
    return header + struct.pack("<128I", *table) + directory + stream


def _ole_entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    encoded = name.encode("utf-16-le")
    free = 0xFFFFFFFF
    length = len(encoded) + 2 if name else 0
    links = struct.pack("<HBBIII36x", length, kind, 1, free, free, child)
    return encoded.ljust(64, b"\0") + links + struct.pack("<IQ", start, size)
