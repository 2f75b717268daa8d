"""After a disposal no word of a message is in any file of the archive, however it is packed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import tantivy
import zstandard

from archive_kit import bring_in, opened, settings_in, write_mbox
from disposal_kit import Hands, Office, in_hands
from holdfast.core.errors import Conflict, NotFound
from holdfast.core.query import Phrase
from holdfast.indexer.embedded.schema import build_schema
from holdfast.indexer.embedded.segments import spent_counts
from holdfast.retention.disposal import Asked
from holdfast.settings import Settings
from holdfast.wiring.disposing import certificate_of, execute

WORDS = ("xylophonist", "zanzibarite", "quixotically", "xenonlamps", "zoe", "quuxville")
RULED = "harpsichord"
"""What the policy is about: it stands in the policy."""


def secret(number: int) -> bytes:
    return f"""From: Zoe Zed <zoe{number}@zanzibarite{number}.com>
To: quentin{number}@quuxville{number}.net
Subject: the xylophonist{number} of the year
Message-ID: <secret{number}@zanzibarite{number}.com>
Date: Mon, 2 Mar 2026 10:00:00 +0000
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=utf-8

She plays quixotically{number} on the {RULED}.
--b
Content-Type: text/plain; name="lamps{number}.txt"
Content-Disposition: attachment; filename=xenonlamps{number}.txt

xenonlamps{number}
--b--
""".encode()


def plain(number: int) -> bytes:
    return (
        f"From: Ann <ann@acme.com>\nTo: bob@example.org\nSubject: plain {number}\n"
        f"Message-ID: <p{number}@acme.com>\nDate: Tue, 3 Mar 2026 10:00:00 +0000\n\n"
        f"nothing much {number}\n"
    ).encode()


def files_with(folder: Path, number: int) -> dict[str, list[str]]:
    """Return which files hold which words, in clear or in a zstd frame."""
    found: dict[str, list[str]] = {}
    for path in (one for one in folder.rglob("*") if one.is_file()):
        content = path.read_bytes().lower()
        whole = content + b"".join(frames(path.read_bytes()))
        for word in WORDS:
            if f"{word}{number}".encode() in whole.lower():
                found.setdefault(path.name, []).append(word)
    return found


def frames(content: bytes) -> list[bytes]:
    """Unpack everything that looks like a zstd frame: header fields are kept so."""
    opened_frames, at = [], -1
    while (at := content.find(b"\x28\xb5\x2f\xfd", at + 1)) >= 0:
        try:
            unpacked = zstandard.ZstdDecompressor().decompressobj().decompress(content[at:])
        except zstandard.ZstdError:
            continue
        opened_frames.append(unpacked)
    return opened_frames


def index_terms(settings: Settings, word: str) -> int:
    """Count the words of the index's dictionaries that begin so, those of deleted mail too."""
    terms = 0
    for folder in (settings.data / "index").iterdir():
        index = tantivy.Index(build_schema(), str(folder))
        index.reload()
        searcher = index.searcher()
        for field in ("body", "subject", "attachment"):
            for name in (field, f"{field}_words"):
                try:
                    terms += len(searcher.terms_with_prefix(name, word))
                except ValueError:
                    continue
    return terms


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = settings_in(tmp_path)
    for part in range(2):  # several segments of vault and index
        mails = [plain(part * 20 + n) for n in range(20)] + [secret(part)]
        bring_in(made, write_mbox(tmp_path / f"{part}.mbox", mails))
    return made


def test_no_word_of_it_is_left_in_any_file(settings: Settings) -> None:
    assert len(without_rules(files_with(settings.data, 0))) > 0  # so it can be found
    hands = Hands(datetime.now(UTC) + timedelta(days=2))
    with in_hands(settings, hands) as services:
        office = Office.of(services.store, hands)
        office.rule("ceiling", 1, Phrase("xylophonist0"), name="first")
        first = office.approved()
        with pytest.raises(Conflict):
            certificate_of(services, first.id)
        done = execute(services, first.id, Asked(office.ann), lambda state: None)
        assert certificate_of(services, first.id) == done.certificate
        assert execute(services, first.id, Asked(office.ann), lambda state: None) == done
        with pytest.raises(NotFound):
            certificate_of(services, 1)
    assert without_rules(files_with(settings.data, 0)) == {}
    assert without_rules(files_with(settings.data, 1)) != {}
    with in_hands(settings, hands) as services:  # the second finds no free space to rewrite
        office = Office.of(services.store, hands)
        office.rule("ceiling", 1, Phrase(RULED), name="second")
        second = office.approved()
        assert second.items == 1
        execute(services, second.id, Asked(office.ann), lambda state: None)
    assert without_rules(files_with(settings.data, 1)) == {}
    with opened(settings) as services:
        assert len(list(services.index.ids())) == 40


def without_rules(found: dict[str, list[str]]) -> dict[str, list[str]]:
    """Leave out what a policy itself says."""
    left = {name: [w for w in words if w != "xylophonist"] for name, words in found.items()}
    return {name: words for name, words in left.items() if words}


def test_the_index_keeps_no_segment_with_something_deleted(settings: Settings) -> None:
    assert index_terms(settings, "quixotically") > 0
    hands = Hands(datetime.now(UTC) + timedelta(days=2))
    with in_hands(settings, hands) as services:
        office = Office.of(services.store, hands)
        office.rule("ceiling", 1, Phrase(RULED))
        office.dispose()
        services.desk.feed.drain()
        (generation,) = (settings.data / "index").iterdir()
        assert spent_counts(generation / "meta.json") != set()
        assert index_terms(settings, "quixotically") > 0  # so it would stay without clearing
        assert services.desk.feed.purge() > 0
        assert spent_counts(generation / "meta.json") == set()
    assert index_terms(settings, "quixotically") == 0


def test_the_database_overwrites_what_it_frees(settings: Settings) -> None:
    with opened(settings) as services:
        raw = services.store.engine.raw_connection()
        assert raw.cursor().execute("PRAGMA secure_delete").fetchone() == (1,)
        raw.close()
