"""`source watch`: take what comes into a folder until asked to end."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from holdfast.cli.command import explain, flag
from holdfast.cli.commands.syncing import SOURCE_NAME, show, summary
from holdfast.core.errors import HoldfastError

if TYPE_CHECKING:
    from holdfast.cli.session import Session
    from holdfast.ingest.folder.taking import Taken


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """Options of `source watch`."""

    name: Annotated[str, SOURCE_NAME]
    as_json: Annotated[bool, flag("--json", text="Print what each look took as a JSON line.")] = (
        False
    )


def watch(session: Session, options: WatchOptions) -> None:
    """Take files as they come into a folder, until interrupted.

    What the archive or the folder refuses is said, and tried again a moment later.
    """
    from holdfast.ingest.jobs.stopping import StopRequest
    from holdfast.wiring.runs import watch_folder

    def report(one: Taken | HoldfastError) -> None:
        if isinstance(one, HoldfastError):
            explain(session.screen, one)
        elif options.as_json:
            session.screen.json({"schema": "holdfast.source-watch/1", **summary(one)})
        else:
            show(session, one)

    stop = StopRequest()
    with stop.heeding(signal.SIGTERM, signal.SIGINT):
        watch_folder(session.settings, session.actor, options.name, report, lambda: stop.is_asked)
