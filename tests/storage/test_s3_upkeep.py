"""Catalogue and vault in a bucket together: orphans, shredding, compaction, locks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import select

from catalogue_kit import Filing, Home, Mail
from holdfast.core.errors import NotFound
from holdfast.core.ports import LockMode, Placement
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.reading import original_bytes
from holdfast.storage.catalogue.schema import originals
from holdfast.storage.s3_vault import S3Vault, Worm
from holdfast.storage.store import Store
from holdfast.storage.upkeep import compact, finish_segments, shred
from s3_kit import SETTLE_S, bucket_vault, letters
from server_s3 import S3Server
from vault_kit import SetClock


@dataclass(frozen=True, slots=True)
class Kept:
    """An archive whose originals are in a bucket."""

    home: Home
    store: Store
    vault: S3Vault
    clock: SetClock

    def file(self, count: int) -> None:
        """File as many mails, one group commit each."""
        filing = Filing(self.store)
        for number in range(count):
            filing(Mail(subject=f"letter {number}", message_id=f"<{number}@acme.com>"))

    def settle(self) -> None:
        """Let everything become old enough for compaction."""
        self.clock.pass_time(2 * SETTLE_S)

    def readable(self) -> list[int]:
        """Return the ids of the originals that read back whole."""
        with reading(self.store.engine) as connection:
            ids = connection.scalars(select(originals.c.id).order_by(originals.c.id)).all()
        return [one for one in ids if self._is_readable(one)]

    def used(self) -> set[str]:
        """Return the segments that the catalogue refers to."""
        with reading(self.store.engine) as connection:
            query = select(originals.c.segment).where(originals.c.shredded_ms.is_(None))
            return set(connection.scalars(query))

    def _is_readable(self, original_id: int) -> bool:
        try:
            return bool(b"".join(original_bytes(self.store, original_id)))
        except NotFound:
            return False


@pytest.fixture(params=["plain", "locking"])
def kept(request: pytest.FixtureRequest, s3_server: S3Server, tmp_path: Path) -> Iterator[Kept]:
    is_locking = request.param == "locking"
    yield from archive(s3_server, tmp_path, is_locking=is_locking)


def archive(
    server: S3Server, folder: Path, *, is_locking: bool = False, worm: Worm | None = None
) -> Iterator[Kept]:
    clock = SetClock()
    vault = bucket_vault(server.new_bucket(is_locking=is_locking), clock, worm)
    home = Home(folder)
    yield Kept(home, replace(home.store(), vault=vault), vault, clock)
    home.close()


def test_batch_that_the_catalogue_never_learned_of_is_dropped_when_it_is_old(kept: Kept) -> None:
    kept.file(2)
    kept.vault.append(letters(b"its process died before the catalogue committed"))
    assert finish_segments(kept.vault, kept.store) == []
    compact(kept.store)
    assert len(kept.vault.segment_names()) == 3  # it may be about to commit
    kept.settle()
    assert compact(kept.store) > 0
    assert set(kept.vault.segment_names()) == kept.used()
    assert len(kept.readable()) == 2


def test_shredded_original_leaves_the_bucket_and_the_others_stay(kept: Kept) -> None:
    kept.file(4)
    victim = kept.readable()[1]
    shred(kept.store, [victim])
    left = [one for one in kept.readable() if one != victim]
    assert len(left) == 3
    kept.settle()
    assert compact(kept.store) > 0
    assert kept.readable() == left
    assert set(kept.vault.segment_names()) == kept.used()
    kept.settle()
    assert compact(kept.store) == 0


def test_compaction_killed_before_the_catalogue_learned_is_done_again(kept: Kept) -> None:
    kept.file(4)
    with reading(kept.store.engine) as connection:
        places = {
            row.content_id: Placement(row.segment, row.offset, row.length)
            for row in connection.execute(select(originals))
        }
    kept.settle()
    assert kept.vault.compact(places)  # killed here: the new objects are orphans
    assert len(kept.readable()) == 4
    kept.settle()
    assert compact(kept.store) > 0
    assert len(kept.readable()) == 4
    kept.settle()
    compact(kept.store)
    assert set(kept.vault.segment_names()) == kept.used()
    assert len(kept.readable()) == 4


def test_locked_originals_go_by_their_keys_and_compaction_goes_on(
    s3_server: S3Server, tmp_path: Path
) -> None:
    worm = Worm(LockMode.COMPLIANCE, 1)
    for kept in archive(s3_server, tmp_path, is_locking=True, worm=worm):
        kept.file(3)
        victim = kept.readable()[0]
        shred(kept.store, [victim])
        kept.settle()
        assert compact(kept.store) == 0
        assert len(kept.vault.segment_names()) == 3
        assert victim not in kept.readable()
        assert len(kept.readable()) == 2
