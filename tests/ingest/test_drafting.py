"""What is drafted of one original, outside of the jail that drafting has in the product."""

from __future__ import annotations

import json
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest

from archive_kit import message, write_mbox
from holdfast.core.records import TextState
from holdfast.ingest.drafting import (
    MAX_SHORT_CHARS,
    MAX_TEXT_FILE_BYTES,
    Care,
    How,
    draft_original,
)
from holdfast.ingest.orders import Order, encode, reports_decoder
from holdfast.ingest.readers.offers import Offered
from holdfast.ingest.readers.planning import plan
from holdfast.ingest.readers.reading import Reader
from holdfast.ingest.workbench import workbench
from holdfast.storage.catalogue.texts import open_derived
from office_files import build_xlsx

KEY = bytes(32)


def with_file(data: bytes, subtype: str, filename: str) -> bytes:
    made = EmailMessage()
    made["Subject"] = "a file"
    made.set_content("see the file")
    made.add_attachment(data, maintype="application", subtype=subtype, filename=filename)
    return made.as_bytes()


@pytest.mark.parametrize(
    ("data", "state", "code"),
    [
        (build_xlsx({"Offer": [["lighthouse", 3]]}), TextState.EXTRACTED, ""),
        (b"PK\x03\x04 cut short", TextState.FAILED, "extract_failed"),
    ],
)
def test_text_of_a_file_is_drafted_or_it_is_said_why_not(
    data: bytes, state: TextState, code: str
) -> None:
    kind = "vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    draft = draft_original(with_file(data, kind, "a.xlsx"), KEY).draft
    assert [item.text_state for item in draft.attachments] == [state.value]
    assert (code in draft.defects) if code else (draft.defects.count("extract") == 0)


@pytest.mark.parametrize("size_bytes", [9, MAX_TEXT_FILE_BYTES + 9])
def test_text_file_is_read_the_same_with_and_without_a_child(size_bytes: int) -> None:
    raw = with_file(b"caf\xe9 " * (size_bytes // 5), "octet-stream", "a.log")
    drafted = draft_original(raw, KEY).draft
    (text,) = open_derived(drafted.sealed_text, KEY).attachments
    assert text == "caf\xe9 " * (size_bytes // 5)
    assert "charset_missing" in drafted.defects


def test_values_too_long_for_a_row_are_cut_and_said() -> None:
    long = "x" * (MAX_SHORT_CHARS + 1)
    raw = f"Subject: {long}\nTo: {long} <a@b.c>\n\nhi".encode()
    draft = draft_original(raw, KEY).draft
    assert len(draft.subject) == MAX_SHORT_CHARS
    assert [len(each.name) for each in draft.participants] == [MAX_SHORT_CHARS]
    assert "long_value_cut" in draft.defects


def test_file_name_too_long_for_a_row_is_cut() -> None:
    name = "n" * (MAX_SHORT_CHARS + 9)
    raw = f'Content-Type: image/png; name="{name}"\n\nx'.encode()
    assert [len(a.filename) for a in draft_original(raw, KEY).draft.attachments] == [
        MAX_SHORT_CHARS
    ]


@pytest.mark.parametrize(("care", "subject"), [(Care.ENVELOPE, "kept"), (Care.BYTES, "")])
def test_more_care_touches_less_and_says_why(care: Care, subject: str) -> None:
    draft = draft_original(b"Subject: kept\n\nbody", KEY, How(care, "signal 9")).draft
    assert draft.subject == subject
    assert any("signal 9" in detail for _, detail in json.loads(draft.defects))


def test_every_order_has_its_report_in_order(tmp_path: Path) -> None:
    letters = [message(n) for n in range(3)]
    offered = list(plan(write_mbox(tmp_path / "in.mbox", letters)))
    gone = next(plan(write_mbox(tmp_path / "gone.mbox", letters)))
    (tmp_path / "gone.mbox").unlink()
    with Reader() as reader:
        _check_reports(workbench(reader), offered, gone, letters[2])


def _check_reports(
    work: Callable[[bytes], bytes], offered: list[Offered], gone: Offered, bare_raw: bytes
) -> None:
    (first,) = reports_decoder.decode(work(encode([Order(offered[0])])))
    orders = [
        Order(offered[0], known=first.content_id),
        Order(offered[1], known=first.content_id),
        Order(gone),
        Order(None, raw=bare_raw),
        Order(offered[2], key=KEY),
    ]
    same, other, lost, bare, keyed = reports_decoder.decode(work(encode(orders)))
    assert same.is_unchanged
    assert same.draft is None
    assert other.draft is not None
    assert other.draft.message_id == "m1@example.com"
    assert lost.unreadable
    assert lost.is_retryable
    assert bare.draft is not None
    assert bare.content_id
    assert keyed.draft is not None
    assert not keyed.frames
