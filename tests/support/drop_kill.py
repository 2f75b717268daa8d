"""A process that is killed between keeping attached messages and filing what carried them."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from typing import Any

from archive_kit import ACTOR
from holdfast.ingest.recovery import file_sealed
from holdfast.settings import Settings
from holdfast.wiring.archive import open_archive
from holdfast.wiring.runs import parser_pool


class Deadly:
    """A linker that ends its process when something is to be filed."""

    def recognise(self, *_: object) -> None:
        """End here, as a power cut does."""
        os.kill(os.getpid(), signal.SIGKILL)


def file_and_die(settings: Settings) -> None:
    """File what is sealed, and be killed over it."""
    linker: Any = Deadly()
    with parser_pool(settings) as pool, open_archive(settings, ACTOR) as services:
        file_sealed(replace(services.desk, linker=linker), pool)
