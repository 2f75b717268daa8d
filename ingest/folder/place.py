"""How a watched folder is treated, checked when it is named; opens nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from holdfast.core.errors import Refused
from holdfast.ingest.readers.offers import local, portable

KIND = "folder"
SETTLE_S = 2.0
_LONGEST_SETTLE_S = 3600.0


@dataclass(frozen=True, slots=True)
class WatchedFolder:
    """One folder that files are dropped into."""

    path: str
    """Absolute, `portable`."""
    settle_s: float = SETTLE_S
    """So long a file must lie unchanged before it is taken; 0: every name stands for a whole file,
    because files are renamed into place."""
    keeps: bool = False
    """Files stay where they are; their results lie beside them."""

    def __post_init__(self) -> None:
        if not self.path.startswith("/"):
            raise Refused("Which folder is watched?", next_step="Give --path.")
        if not 0 <= self.settle_s <= _LONGEST_SETTLE_S:
            raise Refused(
                f"--settle {self.settle_s:g} is out of range.", next_step="Give 0 to 3600 seconds."
            )

    @property
    def folder(self) -> Path:
        """The folder itself."""
        return local(self.path)

    @property
    def identity(self) -> str:
        """What makes another source of it when it changes, as JSON."""
        return msgspec.json.encode({"path": self.path}).decode()


def watched(path: Path | None, settle_s: float, *, keeps: bool) -> WatchedFolder:
    """Return the folder as it is kept.

    Raises:
        Refused: It is no folder.
    """
    if path is None or not path.is_dir():
        raise Refused(f"There is no folder {path or ''}.", next_step="Give --path.")
    return WatchedFolder(portable(str(path.resolve())), settle_s, keeps)


def written(place: WatchedFolder) -> str:
    """Return it as JSON; `read` takes it back."""
    return msgspec.json.encode(place).decode()


read = msgspec.json.Decoder(WatchedFolder).decode
