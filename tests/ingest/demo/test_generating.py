"""The demo is the same for the same seed, is real mail, and hides what its queries must find."""

from __future__ import annotations

import email
import email.policy
import io
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pypdfium2
import pytest
from docx import Document
from pptx import Presentation
from python_calamine import CalamineWorkbook

from holdfast.core.errors import Refused
from holdfast.core.records import RawItem
from holdfast.ingest.demo import files, story
from holdfast.ingest.demo.generating import DemoStory, generate
from holdfast.ingest.readers.offers import Offered
from holdfast.ingest.readers.planning import plan
from holdfast.ingest.readers.reading import Reader

MESSAGES = 1_000


@dataclass(frozen=True, slots=True)
class Made:
    """A demo, and what an independent parser reads in it."""

    target: Path
    told: DemoStory
    mails: list[tuple[Offered, bytes, EmailMessage]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    target = tmp_path_factory.mktemp("demo") / "mail"
    told = generate(target, seed=7, messages=MESSAGES)
    return Made(target, told, [(o, raw, parsed(raw)) for o, raw in stored(target)])


def stored(target: Path) -> list[tuple[Offered, bytes]]:
    with Reader() as reader:
        items = [(offered, reader.read(offered)) for offered in plan(target)]
    assert all(isinstance(item, RawItem) for _, item in items)
    return [(offered, item.raw) for offered, item in items if isinstance(item, RawItem)]


def tree(target: Path) -> dict[str, bytes]:
    return {str(p.relative_to(target)): p.read_bytes() for p in target.rglob("*") if p.is_file()}


def parsed(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def texts(message: EmailMessage) -> Iterator[str]:
    """Everything that a person could search for, decoded by another parser than ours."""
    for name in ("Subject", "From", "To", "Cc"):
        yield str(message.get(name, ""))
    for part in message.walk():
        if part.get_content_type() == "application/pdf":
            page = pypdfium2.PdfDocument(part.get_content())[0]
            yield page.get_textpage().get_text_range()
        elif part.get_content_maintype() == "text":
            yield str(part.get_content())
        yield part.get_filename() or ""


def test_same_seed_gives_the_same_bytes(tmp_path: Path, made: Made) -> None:
    again = generate(tmp_path / "again", seed=7, messages=MESSAGES)
    assert tree(tmp_path / "again") == tree(made.target)
    assert again.queries == made.told.queries
    generate(tmp_path / "other", seed=8, messages=MESSAGES)
    assert tree(tmp_path / "other") != tree(made.target)


def test_counts_are_those_that_an_import_finds(made: Made) -> None:
    told = made.told
    assert len(made.mails) == told.stored == MESSAGES
    assert len({raw for _, raw, _ in made.mails}) == told.originals
    assert len({mail["Message-ID"] for _, _, mail in made.mails}) == told.interactions
    assert told.interactions < told.originals < told.stored


@pytest.mark.parametrize("messages", [200, 201, 333])
def test_exactly_as_many_are_stored_as_asked(tmp_path: Path, messages: int) -> None:
    told = generate(tmp_path / "few", seed=1, messages=messages)
    found = stored(tmp_path / "few")
    assert len(found) == told.stored == messages
    ids = {parsed(raw)["Message-ID"] for _, raw in found}
    assert len(ids) == told.interactions


def test_queries_find_what_the_story_promises(made: Made) -> None:
    whole: dict[str, str] = {}
    for _, _, message in made.mails:
        text = " ".join(" ".join(texts(message)).split()).casefold()
        whole[str(message["Message-ID"])] = text
    counts = {
        query.query: sum(query.query.strip('"').casefold() in text for text in whole.values())
        for query in made.told.queries
    }
    assert counts == {query.query: query.expected for query in made.told.queries}
    assert all(count > 0 for count in counts.values())
    assert any(query.language == "zh" for query in made.told.queries)


def test_every_message_is_sound_mail_in_many_charsets(made: Made) -> None:
    charsets, encodings, types = set(), set(), set()
    for _, raw, message in made.mails:
        assert not message.defects
        assert max(map(len, raw.split(b"\n"))) <= 998
        for part in message.walk():
            assert not part.defects
            types.add(part.get_content_type())
            if part.get_content_maintype() == "text" and not part.get_filename():
                charsets.add(part.get_content_charset())
                encodings.add(part["Content-Transfer-Encoding"])
                assert "\ufffd" not in part.get_content()
    assert {"utf-8", "gb2312", "gb18030", "big5", "iso-2022-jp", "windows-1252"} <= charsets
    assert encodings == {"7bit", "8bit", "base64", "quoted-printable"}
    assert {"text/html", "multipart/alternative", "application/pdf", "image/png"} <= types


def test_all_addresses_are_reserved_for_examples(made: Made) -> None:
    for _, _, message in made.mails:
        for name in ("From", "To", "Cc"):
            for address in message[name].addresses if message[name] else ():
                assert address.domain.endswith(".example")


def test_copies_within_a_company_are_equal_and_beyond_it_have_a_trace(
    made: Made,
) -> None:
    by_id: dict[str, list[tuple[str, bytes]]] = {}
    for offered, raw, mail in made.mails:
        by_id.setdefault(str(mail["Message-ID"]), []).append((offered.facts.folder, raw))
    equal = [c for c in by_id.values() if len(c) > 1 and len({raw for _, raw in c}) == 1]
    differing = [c for c in by_id.values() if len({raw for _, raw in c}) > 1]
    assert any("Sent" in folder for copies in equal for folder, _ in copies)
    for copies in differing:
        traced = [raw for _, raw in copies if raw.startswith(b"Return-Path:")]
        assert len(traced) >= len(copies) - 1
    assert len(equal) > 50
    assert len(differing) > 50


def test_one_mailbox_a_company_is_a_maildir(made: Made) -> None:
    found = {o.facts.folder for o, _, _ in made.mails if o.kind == "maildir"}
    assert "calderfell/leila.hartmann/Maildir" in found
    assert "yunxi-trade/bai.lu/Maildir/已发送" in found


def test_bulletins_differ_in_one_number() -> None:
    bodies = {story.bulletin(number)[1] for number in range(story.BULLETINS)}
    assert len(bodies) == story.BULLETINS
    shortened = {"".join(c for c in body if not c.isdigit()) for body in bodies}
    assert len(shortened) == 1


def test_target_must_be_empty_and_the_story_must_fit(tmp_path: Path) -> None:
    with pytest.raises(Refused):
        generate(tmp_path, seed=1, messages=20)
    (tmp_path / "something").touch()
    with pytest.raises(Refused):
        generate(tmp_path, seed=1)


def test_attached_files_open_in_the_libraries_that_read_them() -> None:
    lines = ["One <line> & more", "合同 二"]
    document = Document(io.BytesIO(files.docx("a.docx", lines).content))
    assert [p.text for p in document.paragraphs] == lines
    book = CalamineWorkbook.from_filelike(io.BytesIO(files.xlsx("a.xlsx", [("a & b", 7)]).content))
    assert book.get_sheet_by_index(0).to_python() == [["a & b", 7.0]]
    slides = Presentation(io.BytesIO(files.pptx("a.pptx", lines).content)).slides
    assert [shape.text_frame.text for shape in slides[0].shapes] == ["\n".join(lines)]
    pdf = pypdfium2.PdfDocument(files.pdf("a.pdf", ["One (line) \\ more"]).content)
    assert "One (line) \\ more" in pdf[0].get_textpage().get_text_range()
    assert files.png("a.png", (1, 2, 3)).content.startswith(b"\x89PNG")
