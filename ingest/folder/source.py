"""The watched folder as a kind of source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.ingest.folder.place import KIND, read
from holdfast.ingest.folder.taking import Taken, take
from holdfast.ingest.folder.trial import steps

if TYPE_CHECKING:
    from holdfast.ingest.imap.syncing import Bench
    from holdfast.ingest.imap.trial import Step
    from holdfast.storage.catalogue.accounts import KeptAccount


@dataclass(frozen=True, slots=True)
class FolderSource:
    """See `ingest.sources.Source`."""

    kind: str = KIND

    def shown(self, settings: str) -> Mapping[str, object]:
        place = read(settings)
        facts = {"path": place.path, "settle_s": place.settle_s, "keeps": place.keeps}
        return {"user": "", "place": place.path, **facts}

    def trial(self, settings: str, secret: bytes) -> Iterable[Step]:
        return steps(read(settings))

    def sync(self, kept: KeptAccount, bench: Bench, *, reconciles: bool) -> Taken:
        return take(kept, bench)
