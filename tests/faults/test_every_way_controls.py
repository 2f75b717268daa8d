"""Ways in that are broken on purpose: the checks of F10 and F55 must find them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from email import message_from_bytes
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from archive_kit import bring_in, settings_in
from fault_bugs import BUGS
from holdfast.ingest import bulk, taking_in
from holdfast.ingest.imap import fetching
from holdfast.ingest.readers.offers import Fetched, Offered
from holdfast.ingest.readers.sealed_files import SealedFile
from holdfast.ingest.smtp.committing import GroupCommit, Letter
from holdfast.settings import Settings
from imap_kit import added, letter, plain_account, synced
from imap_script import Script, scripted
from smtp_kit import Client, listening
from way_checks import forged, has_times_of_servers, is_one_of_each

Plant = pytest.MonkeyPatch
SAME = [forged(0), forged(1), letter(2)]


def brought_every_way(folder: Path) -> Settings:
    """An archive that was handed the same mail by SMTP, IMAP and import."""
    settings = settings_in(folder)
    (folder / "offer").mkdir()
    for number, raw in enumerate(SAME):
        (folder / "offer" / f"{number}.eml").write_bytes(raw)
    with listening(settings) as running, Client(running.port) as client:
        client.greet()
        for raw in SAME:
            assert client.deliver(raw.removesuffix(b"\r\n")).startswith("250 ")
    with scripted(Script(dict(enumerate(SAME, 1)))) as script:
        added(settings, plain_account(script.port), "open-sesame-84")
        synced(settings)
    bring_in(settings, folder / "offer")
    return settings


def senders_date(raw: bytes) -> datetime:
    """The date that whoever wrote the message gave it."""
    return parsedate_to_datetime(message_from_bytes(raw)["Date"])


def believe_senders(plant: Plant) -> None:
    """What a message says of its date is when it came."""
    kept_group = GroupCommit._kept

    def kept(self: GroupCommit, group: Sequence[Letter]) -> Exception | None:
        dated = [
            replace(one, facts=replace(one.facts, received_at=senders_date(bytes(one.content))))
            for one in group
        ]
        return kept_group(self, dated)

    def fetched(offered: Offered, body: bytes | SealedFile) -> Fetched:
        assert isinstance(body, bytes)
        assert offered.facts is not None
        facts = replace(offered.facts, received_at=senders_date(body))
        return Fetched(replace(offered, facts=facts), body)

    plant.setattr(GroupCommit, "_kept", kept)
    plant.setattr(fetching, "Fetched", fetched)


def merge_by_message_id(plant: Plant) -> None:
    """A message whose Message-ID is known is not kept."""
    for taker, name in ((bulk.Import, "_settle"), (taking_in.Taking, "_add")):
        plant.setattr(taker, name, getattr(taker, name))  # put back behind the test
    BUGS["merge_by_message_id"]()


def test_f10_way_that_merges_by_message_id_is_found_out(tmp_path: Path, monkeypatch: Plant) -> None:
    merge_by_message_id(monkeypatch)
    settings = brought_every_way(tmp_path)
    with pytest.raises(AssertionError, match="not one of each"):
        is_one_of_each(settings, SAME, [])


def test_f55_ways_that_believe_senders_are_found_out(tmp_path: Path, monkeypatch: Plant) -> None:
    believe_senders(monkeypatch)
    settings = brought_every_way(tmp_path)
    with pytest.raises(AssertionError, match=r"\['imap', 'smtp'\]"):
        has_times_of_servers(settings, {"smtp": 2, "imap": 2, "import": 2})
