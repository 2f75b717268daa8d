"""The house of the acceptance stories: a customer, colleagues of every kind, and their mail.

甲公司 (jia.example) with 王敏 and 李强; of our own people sales1 and sales2 write with them, fin1
and tech1 have mail of their own.
"""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.header import Header
from pathlib import Path
from typing import Any, Protocol

from api_kit import Office, office
from archive_kit import bring_in, settings_in
from holdfast.settings import Settings
from holdfast.wiring.founding import create_archive
from office_files import build_pdf

FROM_LINE = b"From somebody@example Fri Mar 15 10:22:00 2024\n"
WANG = "=?utf-8?B?546L5pWP?= <wang.min@jia.example>"
LI = "=?utf-8?B?5p2O5by6?= <li.qiang@jia.example>"
PHONE, CARD = "13800138000", "6222021234567890128"


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail of the house."""

    sender: str
    to: str
    subject: str
    body: str
    date: str = "Fri, 15 Mar 2024 10:22:00 +0800"
    cc: str = ""
    attachment: tuple[str, bytes] | None = None

    def raw(self, number: int) -> bytes:
        """Return its bytes."""
        lines = [
            f"Message-ID: <house{number}@our.example>",
            f"From: {self.sender}",
            f"To: {self.to}",
            *([f"Cc: {self.cc}"] if self.cc else []),
            f"Date: {self.date}",
            f"Subject: {Header(self.subject, 'utf-8').encode()}",
            "MIME-Version: 1.0",
        ]
        text = ["Content-Type: text/plain; charset=utf-8", "", self.body, ""]
        if self.attachment is None:
            return "\n".join([*lines, *text]).encode()
        name, content = self.attachment
        head = "\n".join([*lines, "Content-Type: multipart/mixed; boundary=b", "", "--b", *text])
        part = (
            f'--b\nContent-Type: application/octet-stream; name="{name}"\n'
            f'Content-Disposition: attachment; filename="{name}"\n'
            "Content-Transfer-Encoding: base64\n\n"
        )
        return (head + part).encode() + base64.encodebytes(content) + b"--b--\n"


def house_mail() -> list[Mail]:
    """Return all mail, in order."""
    mails = [
        Mail(WANG, "sales1@our.example", "报价单确认", "价格可以按 8.5 折，下周签合同。"),
        Mail(
            "sales1@our.example", WANG, "合同", "请看附件。",
            date="Sat, 16 Mar 2024 09:00:00 +0800",
            attachment=("合同.pdf", build_pdf(["the discount of jia is agreed: lighthouse"])),
        ),
        Mail(LI, "sales2@our.example", "发票", f"请打我电话 {PHONE}，卡号 {CARD}。"),
        Mail("fin1@our.example", "tech1@our.example", "budget", "the quarterly budget"),
        Mail("tech1@our.example", "fin1@our.example", "server", "the server is down"),
    ]  # fmt: skip
    mails += [
        Mail(WANG, "sales1@our.example", f"进度 {n}", f"第 {n} 周的进度。discount{n}")
        for n in range(1, 13)
    ]
    return mails


def write(path: Path, mails: Iterable[Mail], start: int = 0) -> Path:
    """Write mails as an mbox file."""
    raws = (mail.raw(number) for number, mail in enumerate(mails, start))
    path.write_bytes(b"".join(FROM_LINE + raw + b"\n" for raw in raws))
    return path


class Ground(Protocol):
    """Where archives lie: on this host alone, or in servers."""

    def settings(
        self, folder: Path, **sections: Any
    ) -> contextlib.AbstractContextManager[Settings]:
        """Give the settings of a new, empty archive."""


class Embedded:
    """Everything in one folder."""

    @contextmanager
    def settings(self, folder: Path, **sections: Any) -> Iterator[Settings]:
        """Give the settings of a new, empty archive."""
        yield settings_in(folder, **sections)


@contextmanager
def archive_of(folder: Path, ground: Ground, mbox: Path) -> Iterator[Settings]:
    """Make an archive of this mail."""
    archive = {"internal_domains": ["our.example"], "zone": "Asia/Shanghai"}
    service = {"requests_per_minute": 0}
    with ground.settings(folder, archive=archive, service=service) as settings:
        create_archive(settings)
        bring_in(settings, mbox, custodian="Li Qiang")
        yield settings


PEOPLE = (
    ("sales1", "member"), ("sales2", "member"), ("tech1", "member"), ("fin1", "member"),
    ("mgr", "manager"), ("legal1", "legal"), ("legal2", "legal"), ("comp1", "compliance"),
    ("guest1", "guest"), ("admin", "admin"), ("audit1", "auditor"),
)  # fmt: skip


@contextmanager
def staffed(settings: Settings) -> Iterator[Office]:
    """Serve an archive, with all people of the house."""
    with office(settings) as opened:
        for login, role in PEOPLE:
            opened.hire(login, role, addresses=(f"{login}@our.example",))
        yield opened


@contextmanager
def house(folder: Path, ground: Ground) -> Iterator[tuple[Office, Settings]]:
    """Serve the archive of the house with all its people."""
    mbox = write(folder / "house.mbox", house_mail())
    with archive_of(folder, ground, mbox) as settings, staffed(settings) as opened:
        yield opened, settings
