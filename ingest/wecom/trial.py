"""Looks whether an archive of WeCom can be pulled, step by step; takes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.core.errors import HoldfastError
from holdfast.ingest.imap.trial import Step
from holdfast.ingest.wecom.dialogue import Bridge
from holdfast.ingest.wecom.keys import Keys
from holdfast.ingest.wecom.place import refuse_open

if TYPE_CHECKING:
    from holdfast.ingest.wecom.place import WecomPlace


def steps(place: WecomPlace) -> Iterator[Step]:
    """Yield each step when it is done; the first that fails is the last."""
    name = "keys"
    try:
        if place.keys:
            versions = Keys(Path(place.keys)).versions()
            for version in versions:
                refuse_open(Path(place.keys, f"{version}.pem"))
            yield Step(name, ", ".join(map(str, versions)))
        if place.secrets:
            name = "secrets"
            refuse_open(Path(place.secrets))
            yield Step(name, place.secrets)
        name = "bridge"
        with Bridge(place) as bridge:
            bridge.start()
        yield Step(name, place.command[0])
    except HoldfastError as error:
        yield Step(name, error=error)
