"""Runs one source once: under its lease, kept in the list of runs, with the next run appointed."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Protocol, TypeVar

from holdfast.core.errors import HoldfastError
from holdfast.ingest.sources.leasing import RUN, holding
from holdfast.ingest.sources.troubles import Trouble, after_failure
from holdfast.storage.catalogue.accounts import Ending, KeptAccount, note_ended
from holdfast.storage.catalogue.source_runs import (
    FAILED,
    STOPPED,
    EndedRun,
    begin_run,
    end_run,
)

if TYPE_CHECKING:
    from holdfast.ingest.sources.bench import Bench
    from holdfast.storage.store import Store

Done = TypeVar("Done")


class Course(Protocol[Done]):
    """One way to run a kind of source, and what its end means."""

    def take(self) -> Done:
        """Run it; what goes wrong with the source is in what it returns."""
        ...

    def broken(self, error: HoldfastError) -> Done:
        """Return what a run came to that a fault of ours ended."""
        ...

    def ending(self, done: Done) -> Ending | None:
        """Return what a run means for the source; None when it says nothing of the whole of it."""
        ...

    def ended(self, done: Done, ending: Ending | None) -> EndedRun:
        """Return what the list of runs shows."""
        ...


def run_course(kept: KeptAccount, bench: Bench, why: str, course: Course[Done]) -> Done:
    """Run a source of any kind, and keep what came of it.

    Raises:
        Taken: Another process runs it now.
        Unavailable: The archive cannot be written.
    """
    store = bench.desk.store
    with holding(store, f"{RUN}{kept.source_id}") as held:
        run_id = begin_run(store, kept.source_id, why, held.owner)
        try:
            done = course.take()
        except HoldfastError as error:
            end_run(store, run_id, EndedRun(FAILED, trouble="archive", error=error.cause))
            raise
        except Exception as error:  # noqa: BLE001 - a fault of ours, kept with its trace: others run on
            _note_fault(store, kept, run_id, error)
            return course.broken(_fault(error))
        except BaseException:  # the worker is to end
            end_run(store, run_id, EndedRun(STOPPED))
            raise
        ending = course.ending(done)
        end_run(store, run_id, course.ended(done, ending))
        if ending is not None:
            note_ended(store, kept.source_id, ending)
    return done


def _note_fault(store: Store, kept: KeptAccount, run_id: int, error: Exception) -> None:
    trace = "".join(traceback.format_exception(error, limit=-5))
    end_run(store, run_id, EndedRun(FAILED, trouble=Trouble.FAULT.value, error=trace))
    ending = after_failure(kept, Trouble.FAULT, _fault(error), store.now_ms())
    note_ended(store, kept.source_id, ending)


def _fault(error: Exception) -> HoldfastError:
    return HoldfastError(
        f"A fault of ours ended the run: {type(error).__name__}.",
        next_step="See 'holdfast source logs', and report it.",
    )
