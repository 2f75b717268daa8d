"""Cells are safe for spreadsheets and can be undone; hashes are those of other products."""

from __future__ import annotations

import csv
import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.discovery.attachment_files import attachment_name
from holdfast.discovery.export_records import edrm_mih
from holdfast.discovery.index_files import CUT, MAX_CELL_CHARS, cell, csv_row

PICTURES = {chr(0x2400 + code): chr(code) for code in range(32)} | {"\u2421": "\x7f"}

UNPICTURED = {ord(picture): control for picture, control in PICTURES.items()}


def undone(text: str) -> str:
    """What docs/exports.md tells a reader to do."""
    return text[1:] if text.startswith("'") else text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'␉=1"),
        ("\r\n=1", "'␍␊=1"),
        ("  =1", "'  =1"),
        ("\u3000＝1", "'\u3000＝1"),
        ("'tis", "''tis"),
        ("a\0b\nc", "a␀b␊c"),
        ("plain", "plain"),
        ("", ""),
        (None, ""),
        (True, "yes"),
        (False, "no"),
        (17, "17"),
    ],
)
def test_f59_cell_is_shown_as(value: object, shown: str) -> None:
    assert cell(value) == shown


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="".join(PICTURES)), max_size=60)


@given(TEXTS)
def test_every_text_without_pictures_can_be_had_again(text: str) -> None:
    line = csv_row([text, "end"]).decode()
    ((shown, end),) = csv.reader(io.StringIO(line, newline=""))
    assert undone(shown).translate(UNPICTURED) == text
    assert end == "end"


@given(st.lists(st.text(max_size=30), min_size=1, max_size=5))
def test_f59_no_cell_begins_as_a_formula_and_no_row_is_two_lines(values: list[str]) -> None:
    raw = csv_row(values)
    assert raw.count(b"\r") == raw.count(b"\n") == 1
    (shown,) = csv.reader(io.StringIO(raw.decode(), newline=""))
    assert len(shown) == len(values)
    assert not any(one.lstrip().startswith(tuple("=+-@＝＋－＠")) for one in shown)


def test_longest_cells_are_cut_where_spreadsheets_would_lose_them() -> None:
    shown = cell("=" * 40_000)
    assert len(shown) == MAX_CELL_CHARS + 2
    assert shown.endswith(CUT)
    assert len(cell("x" * 40_000)) == MAX_CELL_CHARS + 1


def test_edrm_mih_is_that_of_the_published_vector() -> None:
    """Relativity's example; without the angle brackets it would be another."""
    message_id = "CALckR-a8UDkRjO4xJyjd_s0GPxQWw@mail.gmail.com"
    assert edrm_mih(message_id) == "1de319c276884bd0c9e2f1621ada26cc"
    assert edrm_mih("") == ""


@given(st.text(max_size=40))
def test_no_type_makes_an_extension_that_starts_a_program(media_type: str) -> None:
    name = attachment_name(3, 0, media_type, 7)
    assert name.startswith("attachments/0000003-001.")
    assert name.count(os.sep) == 1
    for risky in ("text/html", "application/vnd.microsoft.portable-executable", media_type):
        assert attachment_name(3, 0, risky, 7).rpartition(".")[2] not in {"html", "exe", "js"}
