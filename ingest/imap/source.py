"""The IMAP account as a kind of source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.ingest.imap.account import KIND, read
from holdfast.ingest.imap.syncing import Bench, Synced, sync_account
from holdfast.ingest.imap.trial import Step, Trial

if TYPE_CHECKING:
    from holdfast.storage.catalogue.accounts import KeptAccount


@dataclass(frozen=True, slots=True)
class ImapSource:
    """See `ingest.sources.Source`."""

    kind: str = KIND

    def shown(self, settings: str) -> Mapping[str, object]:
        account = read(settings)
        return {
            "user": account.user,
            "place": account.place,
            "host": account.host,
            "port": account.port,
            "tls": account.tls,
            "folders": account.folders,
            "excludes": account.excludes,
        }

    def trial(self, settings: str, secret: bytes) -> Iterable[Step]:
        return Trial(read(settings), secret).steps()

    def sync(self, kept: KeptAccount, bench: Bench, *, reconciles: bool) -> Synced:
        return sync_account(kept, bench, reconciles=reconciles)
