"""The tab of a chat message that shows what was said around it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from archive_kit import bring_in, settings_in
from holdfast.core.rights import Role
from holdfast.wiring.founding import create_archive
from pages_kit import House, flat, house, ids
from slack_kit import export_files, write_files


def said(second: int, text: str, **more: Any) -> dict[str, Any]:
    ts = f"{1_700_000_000 + second}.000100"
    return {"type": "message", "ts": ts, "user": "U1", "text": text, **more}


@pytest.fixture(scope="module")
def premises(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Three lines of a room, of which Bob has the middle one."""
    folder = tmp_path_factory.mktemp("talk")
    lines = [said(0, "apple"), said(1, "pear"), said(2, "plum")]
    settings = settings_in(folder, service={"requests_per_minute": 0})
    create_archive(settings)
    day = "general/2023-11-14.json"
    bring_in(settings, write_files(folder / "whole", export_files({day: lines})))
    own = write_files(folder / "own", export_files({day: lines[1:2]}))
    bring_in(settings, own, custodian="bob")
    with house(settings) as opened:
        opened.hire("legal", Role.LEGAL)
        opened.hire("bob", Role.MEMBER)
        yield opened


def talk(shown: str) -> str:
    return flat(shown.partition('<ol class="talk">')[2].partition("</ol>")[0])


@pytest.mark.parametrize("language", ["en", "zh"])
def test_lines_around_a_message_are_shown_in_order(premises: House, language: str) -> None:
    legal = premises.browser(language).sign_in("legal")
    (pear,) = ids(legal.get("/search?q=pear").text)
    shown = talk(legal.get(f"/records/{pear}?tab=conversation").text)
    places = [shown.index(word) for word in ("apple", "pear", "plum")]
    assert places == sorted(places)


def test_lines_out_of_the_scope_are_neither_shown_nor_counted(premises: House) -> None:
    bob = premises.browser().sign_in("bob")
    (pear,) = ids(bob.get("/search?q=pear").text)
    shown = bob.get(f"/records/{pear}?tab=conversation").text
    assert "pear" in talk(shown)
    assert "apple" not in shown
    assert "plum" not in shown
    assert "outside" not in shown
