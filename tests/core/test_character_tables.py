from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

import make_han_folding
import make_scripts
from holdfast.core import han_folding, scripts


def test_folding_table_is_what_its_generator_writes() -> None:
    assert Path(han_folding.__file__).read_text("utf-8") == make_han_folding.table_source()


@pytest.mark.skipif(
    unicodedata.unidata_version != "14.0.0", reason="the table is written from Unicode 14.0.0"
)
def test_ranges_are_what_their_generator_writes() -> None:
    assert Path(scripts.__file__).read_text("utf-8") == make_scripts.table_source()
