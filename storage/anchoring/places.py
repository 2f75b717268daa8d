"""The outside places of one archive, as its settings name them; each is opened when used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.core.errors import Refused

if TYPE_CHECKING:
    from pathlib import Path

    from holdfast.storage.anchoring.locked_copies import LockedCopies
    from holdfast.storage.anchoring.tokens import Trust
    from holdfast.storage.anchoring.witness import Witness


@dataclass(frozen=True, slots=True)
class Places:
    """Where checkpoints are kept, and whose tokens are trusted."""

    trust_file: Path | None = None
    """PEM file of the time-stamping authority's certificates."""
    witness: Witness | None = None
    open_copies: Callable[[], LockedCopies] | None = None

    def trust(self) -> Trust | None:
        """Return whose tokens are trusted; None where nobody's are.

        Raises:
            Refused: The file cannot be read, or holds not what it should.
        """
        if self.trust_file is None:
            return None
        from holdfast.storage.anchoring.tokens import read_trust

        try:
            return read_trust(self.trust_file.read_bytes())
        except OSError as error:
            raise Refused(
                f"The file of anchors.tsa_ca_file cannot be read: {error.strerror}.",
                next_step="Check its path, owner and mode.",
            ) from error
