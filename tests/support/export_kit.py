"""An archive worth exporting, packages taken apart and made again, and their verifier run."""

from __future__ import annotations

import base64
import contextlib
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from stream_zip import ZIP_AUTO, stream_zip

from archive_kit import ACTOR, NOW, bring_in, message, opened, settings_in, write_mbox
from holdfast.core.query import Scope
from holdfast.discovery import offline_verifier
from holdfast.discovery.export_order import Archive, Asker, ExportOrder
from holdfast.discovery.exporting import create_export
from holdfast.indexer.query_parser import parse_query
from holdfast.settings import Settings
from holdfast.storage.checkpoint import verifier_key
from holdfast.storage.governance.exports import ExportRow
from holdfast.wiring.archive import Services
from holdfast.wiring.exports import export_archive

CORPUS = Path(__file__).resolve().parents[1] / "corpus"
SHANGHAI = ZoneInfo("Asia/Shanghai")
HOSTILE = (
    "=1+1", "+cmd|' /C calc'!A0", "-2", "@SUM(A1)", "'quoted", "＝1+1", "../../etc/passwd", "CON",
    "a\u202egpj.exe", "x" * 300, "nul\x00byte", "two\rlines\nof", "\tTAB", '"quotes", commas',
    "逾期",
)  # fmt: skip
Members = dict[str, bytes]


def encoded(text: str) -> str:
    """Return the text as one encoded word, whatever is in it."""
    return f"=?utf-8?B?{base64.b64encode(text.encode()).decode()}?="


def with_attachment(number: int, name: str, content: bytes, media: str = "text/plain") -> bytes:
    """One message with an attachment that has any name."""
    lines = [
        f"From: Ann <ann{number}@acme.example>",
        "To: =?utf-8?B?546L5pWP?= <wang@jia.example>",
        "Cc: boss@our.example",
        f"Subject: {encoded(name)}",
        f"Date: Tue, 5 Mar 2024 09:00:{number % 60:02d} +0800",
        f"Message-ID: <with{number}@acme.example>",
        "MIME-Version: 1.0",
        "Content-Type: multipart/mixed; boundary=b",
        "",
        "--b",
        "",
        f"Call 1380013800{number % 10} about {number}.",
        "--b",
        f"Content-Type: {media}",
        f'Content-Disposition: attachment; filename="{encoded(name)}"',
        "Content-Transfer-Encoding: base64",
        "",
        base64.encodebytes(content).decode().rstrip(),
        "--b--",
        "",
    ]
    return "\n".join(lines).encode()


def new_archive(folder: Path) -> Settings:
    """Archive plain mail, hostile mail, a journal report with a blind copy, and mail kept twice."""
    settings = settings_in(folder)
    mail = [message(number) for number in range(5)]
    mail += [with_attachment(i, name, b"%d" % i) for i, name in enumerate(HOSTILE)]
    bring_in(settings, write_mbox(folder / "mail.mbox", mail), custodian="Li Qiang")
    offer = folder / "journal"
    offer.mkdir()
    report = CORPUS / "journal" / "exchange_bcc_and_list.eml"
    (offer / report.name).write_bytes(report.read_bytes())
    bring_in(settings, offer, trusts_reports=True)
    bring_in(settings, write_mbox(folder / "again.mbox", [message(1) + b"\n"]), custodian="Bob")
    return settings


def order_for(text: str, file: Path, **options: object) -> ExportOrder:
    """Return an order as the command line makes it."""
    node = parse_query(text, now=NOW, zone=SHANGHAI).node
    return ExportOrder(node, text, SHANGHAI, file, **options)  # type: ignore[arg-type]


def owner(services: Services) -> Asker:
    """Return the archive's owner."""
    return Asker(ACTOR, services.store.actor, Scope.whole_archive(ACTOR))


@contextlib.contextmanager
def exporting(settings: Settings) -> Iterator[tuple[Archive, Asker]]:
    """Open the archive for exports by its owner."""
    with opened(settings) as services:
        services.desk.feed.drain()
        yield export_archive(services), owner(services)


def made(settings: Settings, file: Path, text: str = "", **options: object) -> ExportRow:
    """Export as the archive's owner does."""
    with exporting(settings) as (archive, asker):
        return create_export(archive, order_for(text, file, **options), asker)


def key_of(settings: Settings) -> str:
    """Return the archive's public key, from the archive itself."""
    with opened(settings) as services:
        public = services.store.keyring.signing_key().public_key()
        return verifier_key(services.log.checkpoint.origin, public)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the verifier said."""

    status: int
    out: str

    @property
    def bad(self) -> list[str]:
        """What it named."""
        lines = [one for one in self.out.splitlines() if one.startswith("BAD")]
        return [line.removeprefix("BAD  ").rpartition(": ")[0] for line in lines]


def verdict(path: Path, key: str = "") -> Verdict:
    """Run the shipped verifier in this process."""
    offline_verifier.faults.clear()
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        status = offline_verifier.main([str(path), *(["--key", key] if key else [])])
    return Verdict(status, said.getvalue())


def members_of(path: Path) -> Members:
    """Return the files of a package in their order."""
    with zipfile.ZipFile(path) as package:
        return {name: package.read(name) for name in package.namelist()}


def write_package(path: Path, members: Mapping[str, bytes] | Iterable[tuple[str, bytes]]) -> Path:
    """Write files as a package, in the form that ours have."""
    pairs = members.items() if isinstance(members, Mapping) else members
    at = datetime(2026, 6, 1, tzinfo=UTC)
    files = ((name, at, 0o600, ZIP_AUTO(len(data), 1), (data,)) for name, data in pairs)
    path.write_bytes(b"".join(stream_zip(files)))
    return path
