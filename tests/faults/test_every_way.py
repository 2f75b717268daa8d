"""F10, F11, F55: one mail, another of its name, and forged dates, by every way in at once."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from archive_kit import bring_in, findings, found, kept, opened, settings_in
from fault_command import PROGRAM, import_words, start
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import captures, originals, sources
from imap_kit import added, counted, letter, plain_account
from imap_script import Script, scripted
from smtp_kit import Client, listening

pytestmark = pytest.mark.unmeasured

SECRET = "open-sesame-84"


FORGED = ("Mon, 1 Jan 1990 00:00:00 +0000", "Fri, 1 Jan 2099 00:00:00 +0000")
BEGUN = datetime.now(UTC)


def forged(number: int) -> bytes:
    true = f"Mon, 2 Mar 2026 10:00:{number:02d} +0000"
    return letter(number).replace(true.encode(), FORGED[number].encode())


SAME = [forged(0), forged(1), *(letter(number) for number in range(2, 60))]
OWN = [[letter(1, body=f"Sent by {way}, {n}.") for n in range(2)] for way in range(3)]
"""Other words under one Message-ID, different by each way."""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """An archive that was handed mail by SMTP, IMAP and import at the same time."""
    folder = tmp_path_factory.mktemp("ways")
    made = settings_in(folder)
    by_smtp, by_imap, by_import = ([*SAME, *own] for own in OWN)
    (folder / "offer").mkdir()
    for number, raw in enumerate(by_import):
        (folder / "offer" / f"{number}.eml").write_bytes(raw)
    script = Script(dict(enumerate(by_imap, 1)))
    with scripted(script), listening(made) as running, ThreadPoolExecutor() as threads:
        added(made, plain_account(script.port), SECRET)
        sync = [*PROGRAM, "--data", made.data, "source", "sync", "-j", 1, "--json"]
        offer = import_words(made.data, folder / "offer")
        commands = [start(sync, folder / "sync"), start(offer, folder / "import")]
        half = len(by_smtp) // 2
        answers = threads.map(_deliver, [running.port] * 2, [by_smtp[:half], by_smtp[half:]])
        assert {code for codes in answers for code in codes} == {"250"}
        ended = [one.finish() for one in commands]
    assert [one.status for one in ended] == [0, 0], [one.err for one in ended]
    bring_in(made, folder / "offer" / "2.eml")  # files what was sealed last, and indexes it
    return made


def _deliver(port: int, mail: Sequence[bytes]) -> list[str]:
    with Client(port) as client:
        client.greet()
        return [client.deliver(raw.removesuffix(b"\r\n"))[:3] for raw in mail]


def test_f10_same_bytes_are_one_original_and_one_interaction_with_each_capture(
    settings: Settings,
) -> None:
    count = len(SAME) + 6
    assert sorted(kept(settings)) == sorted([*SAME, *(raw for own in OWN for raw in own)])
    assert counted(settings) == {
        "originals": count, "interactions": count, "captures": 3 * len(SAME) + 6 + 1,
    }  # fmt: skip
    assert findings(settings) == []


def test_f11_other_words_of_one_message_id_are_all_there_and_marked(settings: Settings) -> None:
    assert found(settings, "is:conflict") == 7


def test_f55_forged_dates_move_no_time_that_retention_counts_from(settings: Settings) -> None:
    names = [hashlib.sha256(forged(number)).digest() for number in range(2)]
    with opened(settings) as services, reading(services.store.engine) as connection:
        query = (
            select(sources.c.kind, captures.c.received_ms, captures.c.captured_ms)
            .join(sources, sources.c.id == captures.c.source_id)
            .join(originals, originals.c.id == captures.c.original_id)
            .where(originals.c.content_id.in_(names))
        )
        rows = connection.execute(query).all()
    assert Counter(row.kind for row in rows) == {"smtp": 2, "imap": 2, "import": 2}
    begun_ms = BEGUN.timestamp() * 1000 - 1000
    server_said_ms = datetime(2024, 3, 15, 2, 22, tzinfo=UTC).timestamp() * 1000
    for row in rows:
        assert begun_ms <= row.captured_ms
        if row.kind == "smtp":
            assert begun_ms <= row.received_ms <= row.captured_ms + 1000
        else:
            assert row.received_ms == (server_said_ms if row.kind == "imap" else None)
