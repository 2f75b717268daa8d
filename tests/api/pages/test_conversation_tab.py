"""The tab of a chat message that shows what was said around it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
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


@pytest.mark.parametrize(("language", "gone"), [("en", "gone by"), ("zh", "此时已无")])
def test_reactions_are_shown_with_who_and_until_when(
    language: str, gone: str, tmp_path: Path
) -> None:
    settings = settings_in(tmp_path, service={"requests_per_minute": 0})
    create_archive(settings)
    for name, who, last in (("late", ["U2"], 60), ("early", ["U1", "U2"], 30)):
        those = [{"name": "13800138000", "users": who, "count": len(who)}]
        lines = [said(0, "liked", reactions=those), said(last, "last")]
        export = export_files({"general/2023-11-14.json": lines})
        bring_in(settings, write_files(tmp_path / name, export))
    with house(settings) as opened:
        opened.hire("legal", Role.LEGAL)
        legal = opened.browser(language).sign_in("legal")
        (liked,) = ids(legal.get("/search?q=liked").text)
        shown = legal.get(f"/records/{liked}?tab=conversation").text
    reactions = shown.partition('class="reactions"')[2].partition("</ul>")[0]
    first, second = sorted(reactions.split("<li>")[1:], key=lambda one: "bob" in one)
    assert all(one in first for one in ("Ann Acker", "<del>:138****8000:</del>", gone))
    assert all(one in second for one in ("bob", ":138****8000:"))
    assert "<del>" not in second


def test_lines_out_of_the_scope_are_neither_shown_nor_counted(premises: House) -> None:
    bob = premises.browser().sign_in("bob")
    (pear,) = ids(bob.get("/search?q=pear").text)
    shown = bob.get(f"/records/{pear}?tab=conversation").text
    assert "pear" in talk(shown)
    assert "apple" not in shown
    assert "plum" not in shown
    assert "outside" not in shown
