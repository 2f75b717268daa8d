"""One archive whose pages tests look at, with somebody of each role that matters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive_kit import bring_in, settings_in
from archive_kit import write_mbox as write_messages
from cli_archive import write_mbox
from holdfast.core.rights import Role
from holdfast.wiring.founding import create_archive
from pages_kit import House, Visitor, house

HTML = "\r\n".join(
    (
        "Message-ID: <painted@jia.example>",
        "Received: from mx.jia.example (mx.jia.example [192.0.2.7]) by in.our.example with ESMTPS;"
        " Thu, 21 Mar 2024 17:00:09 +0800",
        "Received: from pc.jia.example by mx.jia.example with SMTP;"
        " Thu, 21 Mar 2024 17:00:02 +0800",
        "From: Painter <painter@jia.example>",
        "To: li@our.example",
        "Date: Thu, 21 Mar 2024 17:00:00 +0800",
        "Subject: Painted",
        "MIME-Version: 1.0",
        "Content-Type: multipart/related; boundary=r",
        "",
        "--r",
        "Content-Type: text/html; charset=utf-8",
        "",
        '<p onclick="alert(1)">Call 13800138000 <b>today</b></p><script>alert(1)</script>',
        '<img src="https://beacon.example/p.png"><img src="cid:dot@x">',
        '<a href="https://far.example/?a=1&b=2">far</a>',
        "--r",
        "Content-Type: image/gif",
        "Content-ID: <dot@x>",
        "Content-Transfer-Encoding: base64",
        "",
        "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7",
        "--r--",
        "",
    )
).encode()


@pytest.fixture(scope="session")
def premises(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The five letters and a painted one, served; not to be changed."""
    folder = tmp_path_factory.mktemp("premises")
    settings = settings_in(
        folder,
        archive={"internal_domains": ["our.example"], "zone": "Asia/Shanghai"},
        service={"requests_per_minute": 0},
    )
    create_archive(settings)
    bring_in(settings, write_mbox(folder / "letters.mbox"), custodian="Li Qiang")
    painted = write_messages(folder / "painted.mbox", [HTML.replace(b"\r\n", b"\n")])
    bring_in(settings, painted)
    with house(settings) as opened:
        for role in Role:
            opened.hire(role.value, role)
        opened.hire("boss", Role.MEMBER, addresses=("boss@our.example",))
        yield opened


@pytest.fixture(scope="session")
def legal(premises: House) -> Visitor:
    """A browser of somebody who may nearly everything."""
    return premises.browser().sign_in("legal")


@pytest.fixture(scope="session")
def chinese(premises: House) -> Visitor:
    """The same in Chinese."""
    return premises.browser("zh").sign_in("legal")


@pytest.fixture
def lonely(tmp_path: Path) -> Iterator[House]:
    """An empty archive of the test's own."""
    settings = settings_in(tmp_path)
    create_archive(settings)
    with house(settings) as opened:
        yield opened
