"""The IMAP account as a kind of source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.ingest.imap.account import KIND, read
from holdfast.ingest.imap.plan import read_plan
from holdfast.ingest.imap.running import run_account
from holdfast.ingest.imap.sentry import Sentry
from holdfast.ingest.imap.syncing import Synced
from holdfast.ingest.imap.trial import Step, Trial
from holdfast.ingest.sources.bench import Ask, Bench

if TYPE_CHECKING:
    from holdfast.ingest.sources.watching import Post, Watch
    from holdfast.storage.catalogue.accounts import KeptAccount, StoredSecret


@dataclass(frozen=True, slots=True)
class ImapSource:
    """See `ingest.source_kinds.Source`."""

    kind: str = KIND
    is_pulled: bool = True
    is_comparable: bool = True

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

    def trial(self, settings: str, stored: StoredSecret) -> Iterable[Step]:
        return Trial(read(settings), stored.latest(), stored).steps()

    def refuse(self, kept: KeptAccount, ask: Ask) -> None:
        """Refuse nothing: a mailbox has days and folders."""

    def sync(self, kept: KeptAccount, bench: Bench, ask: Ask) -> Synced:
        return run_account(kept, bench, ask)

    def reconciles_every_s(self, kept: KeptAccount) -> float:
        return read_plan(kept.plan).reconcile_s

    def posts(self, kept: KeptAccount) -> int:
        return read_plan(kept.plan).watches

    def stand(self, post: Post, watch: Watch) -> None:
        Sentry(post, watch).run()
