"""Keeps the messages that people forward to a drop address as attachments; opens none itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.core.custody import Intake, Offer
from holdfast.core.records import CaptureFacts
from holdfast.ingest.pipeline import accept
from holdfast.storage.catalogue.batches import ensure_custodian
from holdfast.storage.catalogue.reading import original_bytes
from holdfast.storage.frames import prepare

if TYPE_CHECKING:
    from holdfast.ingest.pipeline import Desk
    from holdfast.parsers.carried import Carried

DROP = "drop"
"""Folder of what people sent to a drop address."""
GROUP_BYTES = 16 << 20
"""Attached messages of so many bytes are kept at once, in memory."""


@dataclass(frozen=True, slots=True)
class Forward:
    """One captured message that carries others."""

    key: str
    source_id: int
    batch_id: int
    original_id: int
    content_id: bytes
    facts: CaptureFacts


def is_drop(facts: CaptureFacts) -> bool:
    """Tell whether people sent it to a drop address; what it carried itself was not sent."""
    return facts.smtp is not None and facts.folder == DROP


def keep_carried(carried: Sequence[Carried], forward: Forward, desk: Desk) -> None:
    """Keep each attached message as an original with a capture; a repeat changes nothing.

    They are sealed then, and filed like all others. Their custodian is who forwarded them; time and
    folder are those of the message that carried them, which the capture names with the part. They
    are not believed, and not opened again: what they carry is among `carried`.

    Raises:
        Unavailable: Not all were kept.
    """
    sender = forward.facts.smtp.sender.strip() if forward.facts.smtp else ""
    # Not those without a reverse path: nobody forwarded them.
    named = sender.casefold() if "@" in sender else ""
    custodian = ensure_custodian(desk.store, named) if named else None
    intake = Intake(forward.batch_id, forward.source_id, custodian)
    for group in _groups(carried, forward, desk):
        accept(group, intake, desk)


def _groups(carried: Sequence[Carried], forward: Forward, desk: Desk) -> Iterator[list[Offer]]:
    whole = b"".join(original_bytes(desk.store, forward.original_id))
    group: list[Offer] = []
    held = 0
    for one in carried:
        content = one.raw or whole[one.start : one.end]
        group.append(_offer(one.path, content, forward))
        held += len(content)
        if held >= GROUP_BYTES:
            yield group
            group, held = [], 0
    if group:
        yield group


def _offer(path: str, content: bytes, forward: Forward) -> Offer:
    facts = CaptureFacts(
        forward.facts.folder,
        received_at=forward.facts.received_at,
        container_sha256=forward.content_id.hex(),
        member=path,
    )
    return Offer(f"{forward.key}#{path}", facts, prepare(content, spool=None), "")
