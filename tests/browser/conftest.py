"""A browser and two sites for it: an archive in two languages, and one of hostile mail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from archive_kit import bring_in, settings_in, write_mbox
from browser_kit import Site, Trap, chromium, demo_settings, serving, staffed, trap
from holdfast.wiring.founding import create_archive
from hostile_html import hostile_mail, hostile_mails

if TYPE_CHECKING:
    from playwright.sync_api import Browser

DEEP = "<div>" * (195 * 1024 // 5)
"""195 KiB of open elements, which cost a sanitiser the square of their number."""


@pytest.fixture(scope="package")
def foreign() -> Iterator[Trap]:
    with trap() as opened:
        yield opened


@pytest.fixture(scope="package")
def browser(foreign: Trap) -> Iterator[Browser]:
    with chromium(foreign) as opened:
        yield opened


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Mail of two companies, in English and Chinese."""
    with serving(demo_settings(tmp_path_factory.mktemp("site"))) as opened:
        yield staffed(opened)


@pytest.fixture(scope="package")
def hostile_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Every payload once, the wrappers in turn, and one that is only deep."""
    folder = tmp_path_factory.mktemp("hostile")
    settings = settings_in(folder, service={"requests_per_minute": 0})
    create_archive(settings)
    every = [raw for _, raw in hostile_mails()]
    # Payloads stand beside each other in all wrappers: one of each, the wrapper changing.
    chosen = [every[3 * n + n % 3] for n in range(len(every) // 3)]
    deep = hostile_mail(len(every), DEEP, "deep")
    bring_in(settings, write_mbox(folder / "hostile.mbox", [*chosen, deep]))
    with serving(settings) as opened:
        yield staffed(opened)
