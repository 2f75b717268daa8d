"""Looks whether a folder can be taken from, step by step; takes nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from holdfast.ingest.folder.looking import Outlook
from holdfast.ingest.folder.rooms import CLAIMS, DONE, FAILED, FolderAway, opened
from holdfast.ingest.imap.trial import Step

if TYPE_CHECKING:
    from holdfast.ingest.folder.place import WatchedFolder


def steps(place: WatchedFolder) -> Iterator[Step]:
    """Yield each step when it is done; the first that fails is the last."""
    try:
        with opened(place.folder, keeps=True) as rooms:
            look = Outlook().look(rooms.root, 0, time.monotonic())
        left = ", ".join(f"{count} {rule}" for rule, count in sorted(look.left.items()))
        yield Step("folder", str(place.path))
        yield Step("files", f"{len(look.ready)}" + (f"; left: {left}" if left else ""))
        if not place.keeps:
            with opened(place.folder, keeps=False):
                yield Step("rooms", f"{CLAIMS}, {DONE}, {FAILED}")
    except FolderAway as error:
        yield Step("folder", error=error)
