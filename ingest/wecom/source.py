"""The message archive of WeCom as a kind of source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.core.errors import Refused
from holdfast.ingest.wecom.place import KIND, read
from holdfast.ingest.wecom.pulling import Pulled
from holdfast.ingest.wecom.running import run_archive
from holdfast.ingest.wecom.trial import steps

if TYPE_CHECKING:
    from holdfast.ingest.imap.trial import Step
    from holdfast.ingest.sources.bench import Ask, Bench
    from holdfast.ingest.sources.watching import Post, Watch
    from holdfast.storage.catalogue.accounts import KeptAccount, StoredSecret


@dataclass(frozen=True, slots=True)
class WecomSource:
    """See `ingest.source_kinds.Source`."""

    kind: str = KIND
    is_pulled: bool = True
    is_comparable: bool = False

    def shown(self, settings: str) -> Mapping[str, object]:
        place = read(settings)
        facts = {"bridge": place.command[0], "keys": place.keys, "secrets": place.secrets}
        return {"user": "", "place": place.corp, **facts}

    def trial(self, settings: str, stored: StoredSecret) -> Iterable[Step]:
        return steps(read(settings))

    def refuse(self, kept: KeptAccount, ask: Ask) -> None:
        if ask.backfill is not None or ask.folders:
            raise Refused(
                f"The source {kept.name!r} has neither days nor folders.",
                next_step="Use --failed, or import what another program has pulled.",
            )

    def sync(self, kept: KeptAccount, bench: Bench, ask: Ask) -> Pulled:
        self.refuse(kept, ask)
        return run_archive(kept, bench, ask)

    def reconciles_every_s(self, kept: KeptAccount) -> float:
        return 0.0

    def posts(self, kept: KeptAccount) -> int:
        return 0

    def stand(self, post: Post, watch: Watch) -> None:
        """Nobody stands: there are no posts."""
