"""How each source fares: for lists, `doctor` and metrics; it runs none."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from holdfast.core.custody import End
from holdfast.ingest.imap.plan import read_plan
from holdfast.ingest.jobs.reporting import Delay
from holdfast.ingest.sources.leasing import RUN, WATCH
from holdfast.ingest.sources.troubles import Trouble
from holdfast.storage.catalogue.accounts import accounts_of
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.leases import lease_holders
from holdfast.storage.catalogue.schema import source_items, sources
from holdfast.storage.catalogue.source_runs import outcomes

if TYPE_CHECKING:
    from holdfast.storage.catalogue.accounts import KeptAccount
    from holdfast.storage.store import Store

NEW, OK, RUNNING, PAUSED, LATE = "waiting", "ok", "running", "paused", "late"
STATES = (NEW, OK, RUNNING, PAUSED, LATE, *(one.value for one in Trouble if one))
_BAD_AFTER = 3
"""So many runs that failed in a row do not look like chance."""


@dataclass(frozen=True, slots=True)
class Health:
    """One source at one instant."""

    kept: KeptAccount
    state: str
    """One of `STATES`: what is wrong with it, else what it does."""
    lag_s: float
    """Since when it may lack what there is for it; 0 while it is paused."""
    late_s: float
    """Beyond so much it is late."""
    is_watched: bool
    """News of its folders is waited for."""

    @property
    def is_late(self) -> bool:
        """It has not succeeded for longer than its plan allows."""
        return self.lag_s > self.late_s


def health(store: Store) -> list[Health]:
    """Return how all pulled sources fare, by name."""
    with reading(store.engine) as connection:
        held = lease_holders(connection, store.now_ms())
    return [_health(one, store.now_ms(), held) for one in accounts_of(store)]


def health_of(store: Store, kept: KeptAccount) -> Health:
    """Return how one of them fares, as it was read."""
    with reading(store.engine) as connection:
        held = lease_holders(connection, store.now_ms())
    return _health(kept, store.now_ms(), held)


def _health(kept: KeptAccount, now_ms: int, held: Collection[str]) -> Health:
    late_s = read_plan(kept.plan).late_s
    is_paused = kept.paused_ms is not None
    lag_s = 0.0 if is_paused else max(now_ms - (kept.succeeded_ms or kept.added_ms), 0) / 1000
    is_running = f"{RUN}{kept.source_id}" in held
    if is_paused:
        state = PAUSED
    elif kept.trouble:
        state = kept.trouble
    elif is_running:
        state = RUNNING
    elif lag_s > late_s:
        state = LATE
    else:
        state = NEW if kept.succeeded_ms is None else OK
    return Health(kept, state, lag_s, late_s, f"{WATCH}{kept.source_id}" in held)


def complaints(store: Store) -> Iterator[Delay]:
    """Yield what is wrong with sources, for a person; nothing when all is well."""
    for one in health(store):
        kept = one.kept
        if one.state == PAUSED:
            continue
        if kept.trouble:
            tries = f", {kept.failures} times in a row" if kept.failures > 1 else ""
            seen = f"{kept.name}: {kept.trouble}{tries}: {kept.last_error}"
            is_bad = kept.failures >= _BAD_AFTER or one.is_late or _needs_somebody(kept)
            yield Delay(seen, kept.next_step or _SEE_LOGS.format(kept.name), is_bad)
        elif one.is_late:
            seen = f"{kept.name}: has not succeeded for {one.lag_s / 3600:,.1f} h"
            yield Delay(seen, "Start 'holdfast worker', or more of it.", is_bad=True)


_SEE_LOGS = "See 'holdfast source logs {}'."


def _needs_somebody(kept: KeptAccount) -> bool:
    """Tell whether waiting does not help."""
    ours = {Trouble.SIGN_IN, Trouble.TOKEN, Trouble.CERTIFICATE, Trouble.SETTINGS}
    return kept.trouble in {one.value for one in ours}


@dataclass(frozen=True, slots=True)
class SourceFigures:
    """What metrics say of sources."""

    lag_s: Mapping[str, float]
    """Source → how long its oldest item waits, at the server or here."""
    failures: Mapping[str, int]
    """Pulled source → runs that failed in a row."""
    states: Mapping[str, str]
    last_success_ms: Mapping[str, int]
    runs: Sequence[tuple[str, str, str, int]]
    """Source, outcome, trouble, runs that are kept."""


def source_figures(store: Store) -> SourceFigures:
    """Return the figures of all sources, pulled or not."""
    now_ms = store.now_ms()
    fares = health(store)
    oldest = (
        select(source_items.c.source_id, func.min(source_items.c.seen_ms))
        .where(source_items.c.state == End.SEALED.value)
        .group_by(source_items.c.source_id)
    )
    with reading(store.engine) as connection:
        names = {row.id: row.name for row in connection.execute(select(sources))}
        unfiled = {row[0]: row[1] for row in connection.execute(oldest)}
        kept_runs = outcomes(connection)
    lags = {names[i]: max(now_ms - unfiled.get(i, now_ms), 0) / 1000 for i in names}
    for one in fares:
        lags[one.kept.name] = max(lags[one.kept.name], one.lag_s)
    return SourceFigures(
        lags,
        {one.kept.name: one.kept.failures for one in fares},
        {one.kept.name: one.state for one in fares},
        {one.kept.name: one.kept.succeeded_ms for one in fares if one.kept.succeeded_ms},
        [(names[source], outcome, trouble, n) for source, outcome, trouble, n in kept_runs],
    )
