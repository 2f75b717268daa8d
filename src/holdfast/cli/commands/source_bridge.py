"""What `source add wecom` keeps of a bridge; its secrets lie in files that the settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.cli.text_files import text_in
from holdfast.core.errors import Refused

if TYPE_CHECKING:
    from holdfast.cli.commands.sources import AddOptions
    from holdfast.storage.catalogue.accounts import NewAccount


def new_bridge(options: AddOptions) -> NewAccount:
    """Return the source that the settings file describes.

    Raises:
        Refused: It cannot be read, or describes none.
    """
    from holdfast.ingest.wecom.place import KIND, placed, written
    from holdfast.storage.catalogue.accounts import NewAccount

    if options.settings_file is None:
        raise Refused("Which bridge?", next_step="Give --settings-file.")
    place = placed(text_in(options.settings_file))
    return NewAccount(
        options.name,
        KIND,
        place.identity,
        written(place),
        custodian=options.custodian,
        is_paused=options.paused,
    )
