"""The watched folder as a kind of source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.core.errors import Refused
from holdfast.ingest.folder.place import KIND, read
from holdfast.ingest.folder.running import Sentry, run_folder
from holdfast.ingest.folder.taking import Taken
from holdfast.ingest.folder.trial import steps

if TYPE_CHECKING:
    from holdfast.ingest.imap.trial import Step
    from holdfast.ingest.sources.bench import Ask, Bench
    from holdfast.ingest.sources.watching import Post, Watch
    from holdfast.storage.catalogue.accounts import KeptAccount, StoredSecret


@dataclass(frozen=True, slots=True)
class FolderSource:
    """See `ingest.source_kinds.Source`."""

    kind: str = KIND
    is_pulled: bool = True
    is_comparable: bool = False

    def shown(self, settings: str) -> Mapping[str, object]:
        place = read(settings)
        facts = {"path": place.path, "settle_s": place.settle_s, "keeps": place.keeps}
        return {"user": "", "place": place.path, **facts}

    def trial(self, settings: str, stored: StoredSecret) -> Iterable[Step]:
        return steps(read(settings))

    def refuse(self, kept: KeptAccount, ask: Ask) -> None:
        if ask.is_partial or ask.folders:
            raise Refused(
                f"The source {kept.name!r} is no mailbox.", next_step="Put the files in again."
            )

    def sync(self, kept: KeptAccount, bench: Bench, ask: Ask) -> Taken:
        self.refuse(kept, ask)
        return run_folder(kept, bench, ask)

    def reconciles_every_s(self, kept: KeptAccount) -> float:
        return 0.0

    def posts(self, kept: KeptAccount) -> int:
        return 1

    def stand(self, post: Post, watch: Watch) -> None:
        Sentry(post, watch).run()
