"""What people added to interactions: each version against its event, the state against them all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from holdfast.storage.annotations.rows import annotation_digest
from holdfast.storage.annotations.values import Metadata, after_change, is_written, read_written
from holdfast.storage.verifying.report import DIFFERENT, GONE, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.storage.verifying.envelopes import Version
    from holdfast.storage.verifying.report import Told

STATE = "What was added to it is not what its versions lead to."


def annotated(all_versions: Sequence[Version], state: Metadata | None, told: Sequence[Told]) -> str:
    """Return what is wrong with the metadata of one interaction; empty when nothing is.

    Args:
        all_versions: Of the interaction, oldest first.
        state: As it stands; None where nothing was ever added.
        told: The events about changes of it.
    """
    versions = [one for one in all_versions if is_written(one.change)]
    if len(told) != len(versions):
        return UNKNOWN if len(told) < len(versions) else GONE
    for one in versions:
        if not _is_told(one, told):
            return f"Version {one.version}: {DIFFERENT}"
    try:
        return "" if state == _led_to(versions) else STATE
    except msgspec.MsgspecError:
        return STATE


def _is_told(version: Version, told: Sequence[Told]) -> bool:
    digest = annotation_digest(version.version, version.change)
    return any(
        (event.leaf.t, event.leaf.actor) == (version.changed_ms, version.actor)
        and event.commits_to(digest)
        for event in told
    )


def _led_to(versions: Sequence[Version]) -> Metadata | None:
    state: Metadata | None = None
    for one in versions:
        state = after_change(state or Metadata(), read_written(one.change), one.version)
    return state
