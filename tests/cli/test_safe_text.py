"""Nothing from mail may act on a terminal."""

from __future__ import annotations

import io
import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from holdfast.cli.safe_text import is_safe, safe_block, safe_json, safe_line
from holdfast.cli.screen import Column, Screen, amount, size, styled

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\r\x08\x7f \u202egnp.exe\u2066\u2028\ud800"
ACTIVE = {*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)} - {0x0A}


def acting(text: str) -> list[str]:
    return [f"{ord(one):04x}" for one in text if ord(one) in ACTIVE]


@given(st.text(st.characters(codec=None)))
def test_line_and_block_hold_nothing_that_acts(text: str) -> None:
    assert acting(safe_line(text)) == []
    assert "\n" not in safe_line(text)
    assert acting(safe_block(text)) == []
    assert is_safe(safe_block(text))


@given(st.text(st.characters(codec=None)))
def test_every_character_is_replaced_by_one_so_offsets_stay(text: str) -> None:
    assert len(safe_line(text)) == len(text) == len(safe_block(text))


def test_ordinary_text_stays_as_it_is() -> None:
    text = "Grüße, 王敏: 报价 8.5 折 – שלום 👋🏽"
    assert safe_line(text) == text == safe_block(text)


@given(st.text(st.characters(codec=None)))
def test_json_loses_nothing_and_acts_on_nothing(text: str) -> None:
    shown = safe_json({"x": text})
    assert json.loads(shown) == {"x": text}
    assert acting(shown) == []
    shown.encode()


def screen() -> tuple[Screen, io.StringIO]:
    written = io.StringIO()
    console = Console(file=written, width=60, markup=False, highlight=False, emoji=False)
    return Screen(out=console, err=console), written


def test_no_way_to_print_lets_a_hostile_text_through() -> None:
    shown, written = screen()
    shown.result("{text}", text=HOSTILE)
    shown.note("{text}", text=HOSTILE)
    shown.warn("{text}", text=HOSTILE)
    shown.title("{text}", text=HOSTILE)
    shown.show(HOSTILE, Text(HOSTILE), styled(HOSTILE, "bold"))
    shown.plain(HOSTILE)
    shown.json({"a": HOSTILE})
    shown.table([Column(HOSTILE), Column("b", ratio=1)], [(HOSTILE, Text(HOSTILE))])
    shown.facts([(HOSTILE, HOSTILE), ("b", Text(HOSTILE))])
    assert acting(written.getvalue()) == []
    assert "owned" in written.getvalue()


def test_markup_and_emoji_codes_in_mail_are_plain_text() -> None:
    shown, written = screen()
    shown.result("{text}", text="[red]x[/red] [link=http://h]y[/link] :smile:")
    assert written.getvalue() == "[red]x[/red] [link=http://h]y[/link] :smile:\n"


def test_columns_align_under_wide_characters() -> None:
    shown, written = screen()
    shown.table([Column("a"), Column("b")], [("王敏", "x"), ("Wang", "x")])
    ends = {
        sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line[: line.index("x")])
        for line in written.getvalue().splitlines()[1:]
    }
    assert ends == {6}


def test_sizes_and_amounts_as_people_say_them() -> None:
    assert [size(n) for n in (0, 999, 1000, 14_200, 999_999_999, 3.2e15)] == [
        "0 B",
        "999 B",
        "1.0 KB",
        "14.2 KB",
        "1000 MB",
        "3200 TB",
    ]
    assert amount(1234567) == "1,234,567"
