"""What a disposal could not remove is said, in words of what hinders it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from holdfast.cli.commands.remaining import tell_remains
from holdfast.cli.language import messages
from holdfast.cli.screen import Screen
from holdfast.cli.session import Choices, Session
from holdfast.storage.governance.remains import Remains

UNTIL = datetime(2031, 5, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (Remains(), ()),
        (Remains(7, 2), ("7 originals", "next 'holdfast compact'")),
        (Remains(7, 2, 1, UNTIL), ("Not all is gone", "7 originals", "locked 1", "2031-05-06")),
        (Remains(7, 2, 2, None, is_on_hold=True), ("Not all is gone", "legal hold", "No key")),
    ],
)
def test_what_is_left_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], left: Remains, words: tuple[str, ...]
) -> None:
    choices = Choices(data=tmp_path, values=("archive.zone=UTC",))
    tell_remains(Session(choices, Screen(messages("en"))), left)
    said = capsys.readouterr()
    flat = " ".join(said.err.split())
    assert all(one in flat for one in words)
    assert bool(flat) == bool(words)
    assert said.out == ""


def test_what_is_left_is_told_in_chinese(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    choices = Choices(data=tmp_path, values=("archive.zone=UTC",))
    tell_remains(Session(choices, Screen(messages("zh"))), Remains(7, 2, 1, UNTIL))
    assert "尚未全部清除" in capsys.readouterr().err
