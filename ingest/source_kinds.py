"""The kinds of sources that are added by name: one module and one line here for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from holdfast.core.errors import Refused
from holdfast.ingest.folder.source import FolderSource
from holdfast.ingest.imap.source import ImapSource
from holdfast.ingest.webhooks.source import HookSource
from holdfast.ingest.wecom.source import WecomSource
from holdfast.storage.catalogue.source_schedule import refuse_paused

if TYPE_CHECKING:
    from holdfast.core.errors import HoldfastError
    from holdfast.ingest.imap.trial import Step
    from holdfast.ingest.progress import Progress
    from holdfast.ingest.sources.bench import Ask, Bench
    from holdfast.ingest.sources.watching import Post, Watch
    from holdfast.storage.catalogue.accounts import KeptAccount, StoredSecret


class Synced(Protocol):
    """What one run over one source came to, whatever its kind."""

    source: str
    batch: str
    counts: Progress
    recovered: int
    not_indexed: int
    error: HoldfastError | None

    @property
    def is_whole(self) -> bool:
        """Everything that was offered is kept or accounted for."""
        ...

    @property
    def folders_lacking(self) -> int:
        """Folders that were to be looked at, and are not there or could not be read."""
        ...


class Source(Protocol):
    """One kind of source."""

    @property
    def kind(self) -> str:
        """Its name, as in `source add`."""
        ...

    @property
    def is_pulled(self) -> bool:
        """It has to be asked; else what it has comes by itself."""
        ...

    @property
    def is_comparable(self) -> bool:
        """It still has what was taken from it: the two can be compared."""
        ...

    def shown(self, settings: str) -> Mapping[str, object]:
        """Return what people may see of the settings; `user` and `place` among it."""
        ...

    def trial(self, settings: str, stored: StoredSecret) -> Iterable[Step]:
        """Walk the way to the source; yield each step when it is done."""
        ...

    def refuse(self, kept: KeptAccount, ask: Ask) -> None:
        """Refuse to be asked for what sources of the kind do not have.

        Raises:
            Refused: The cause, and what to do instead.
        """
        ...

    def sync(self, kept: KeptAccount, bench: Bench, ask: Ask) -> Synced:
        """Take what the source has and the archive has not.

        Raises:
            Refused: As for `refuse`.
            Unavailable: The archive cannot be written. What goes wrong with the source is in the
                result.
        """
        ...

    def reconciles_every_s(self, kept: KeptAccount) -> float:
        """Return how often all that is kept is compared with the source by itself; 0: never."""
        ...

    def posts(self, kept: KeptAccount) -> int:
        """Return at how many places news of it is waited for; each is a thread."""
        ...

    def stand(self, post: Post, watch: Watch) -> None:
        """Wait for news at one place until it is over; make the source due, and tell the watch."""
        ...


SOURCES: tuple[Source, ...] = (ImapSource(), FolderSource(), HookSource(), WecomSource())


def source_of(kind: str) -> Source:
    """Return the kind of this name.

    Raises:
        Refused: There is none.
    """
    for source in SOURCES:
        if source.kind == kind:
            return source
    known = " or ".join(source.kind for source in SOURCES)
    raise Refused(f"There is no kind of source {kind!r}.", next_step=f"Use {known}.")


def refuse_unfit(kept: KeptAccount, ask: Ask) -> None:
    """Refuse what cannot be done with a source now, before anything is begun.

    Raises:
        Conflict: It is paused.
        Refused: Its kind has nothing of what is asked for.
    """
    source = source_of(kept.kind)
    source.refuse(kept, ask)
    if ask.reconciles and not source.is_comparable:
        raise Refused(
            f"The source {kept.name!r} does not keep what was taken: there is nothing to compare.",
            next_step="Sync it.",
        )
    refuse_paused(kept.paused_ms, kept.name)
