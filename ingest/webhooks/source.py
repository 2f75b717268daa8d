"""A webhook as a kind of source: it is not pulled, it comes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.core.errors import Refused
from holdfast.ingest.imap.trial import Step
from holdfast.ingest.webhooks.settings import KIND, checked, hook_of

if TYPE_CHECKING:
    from typing import NoReturn

    from holdfast.ingest.sources.bench import Ask, Bench
    from holdfast.ingest.sources.watching import Post, Watch
    from holdfast.storage.catalogue.accounts import KeptAccount, StoredSecret


@dataclass(frozen=True, slots=True)
class HookSource:
    """See `ingest.source_kinds.Source`."""

    kind: str = KIND
    is_pulled: bool = False
    is_comparable: bool = False

    def shown(self, settings: str) -> Mapping[str, object]:
        hook = hook_of(settings)
        return {"user": "", "place": hook.vendor, "vendor": hook.vendor, "settings": hook.settings}

    def trial(self, settings: str, stored: StoredSecret) -> Iterable[Step]:
        hook = hook_of(settings)
        checked(hook.vendor, hook.settings, stored.latest().decode())
        yield Step("settings", f"{hook.vendor}: the settings and the secret fit together.")

    def refuse(self, kept: KeptAccount, ask: Ask) -> NoReturn:
        raise Refused(
            f"The source {kept.name!r} is a webhook: what it has comes by itself.",
            next_step="Send an event from the other system; see 'holdfast source logs'.",
        )

    def sync(self, kept: KeptAccount, bench: Bench, ask: Ask) -> NoReturn:
        self.refuse(kept, ask)

    def reconciles_every_s(self, kept: KeptAccount) -> float:
        return 0.0

    def posts(self, kept: KeptAccount) -> int:
        return 0

    def stand(self, post: Post, watch: Watch) -> None:
        """Wait for nothing: the service listens."""
