"""The files of one export, wherever they lie: a directory, an archive, or one file by itself."""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from holdfast.core.records import CaptureFacts
from holdfast.ingest.readers.offers import Layer, Offered
from holdfast.parsers.chat.values import Context, Json, context_text, json_of, to_ms

DIRECTORY_BYTES = 64 << 20
"""Longest file that is read whole, for the names in it."""


@dataclass(frozen=True, slots=True)
class ChatRules:
    """What a person decides about the chat exports of an import."""

    zone: str = ""
    """IANA name of the zone of times that name none; empty: UTC, with a defect."""
    order: str = ""
    """`day` or `month` first, where a file's own dates do not tell; empty: such a file waits."""
    mapping: str = ""
    """JSON of a saved mapping for tables; empty: by their headers alone."""
    media: str = ""
    """Directory with the media that an export names; empty: beside it."""
    tenant: str = ""
    """Which corporation or workspace it is of, where the export does not say."""


@dataclass(frozen=True, slots=True)
class Spot:
    """An open file of an export, and how its parts are named."""

    fd: int
    begin: int
    end: int
    container: str
    trail: str
    """Path from the imported one down, as in keys."""
    member: str
    """Path inside the container; empty for a file by itself."""
    sha256: str
    """Of the container; empty for a file by itself."""
    folder: str
    layers: tuple[Layer, ...] = ()
    position: str = ""


@dataclass(frozen=True, slots=True)
class Broken:
    """A member that could not be opened."""

    spot: Spot
    reason: str


Place = tuple[str, str]
"""Container and member, as a `Spot` has them."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an export."""

    path: str
    """Inside the export, with `/`."""
    size: int
    opened: Callable[[], AbstractContextManager[Spot]] = field(repr=False, compare=False)
    begins: Callable[[int], bytes] = field(repr=False, compare=False)
    """Gives at most so many first bytes; none of what cannot be opened."""

    @property
    def name(self) -> str:
        """Last part of the path."""
        return self.path.rpartition("/")[2]

    @contextmanager
    def mapped(self) -> Iterator[tuple[Spot, bytes | mmap.mmap]]:
        """Open it; give its bytes without reading them all.

        What cannot be opened seems empty: see `Tree.broken`.
        """
        with self.opened() as spot:
            length = spot.end - spot.begin
            if length == 0:
                yield spot, b""
                return
            extra = spot.begin % mmap.ALLOCATIONGRANULARITY
            with mmap.mmap(
                spot.fd, length + extra, access=mmap.ACCESS_READ, offset=spot.begin - extra
            ) as whole:
                yield spot, whole if not extra else whole[extra:]

    def json(self) -> Json:
        """Return it as JSON; None where it is none, or longer than `DIRECTORY_BYTES`."""
        if self.size > DIRECTORY_BYTES:
            return None
        with self.mapped() as (_, content):
            try:
                return json_of(bytes(content))
            except ValueError:
                return None


@dataclass(frozen=True, slots=True)
class Tree:
    """An export."""

    members: Mapping[str, Member]
    """By path, in order."""
    rules: ChatRules = field(default_factory=ChatRules)
    name: str = ""
    """Of the file or the directory that holds it."""
    broken: dict[Place, Broken] = field(default_factory=dict)
    """Members that could not be opened: an export sees them empty, and `accounted` ends them."""


@dataclass(frozen=True, slots=True)
class Item:
    """Which bytes of a member are one item, and what is known beside them."""

    form: str
    context: Context
    start: int
    """First byte in the member."""
    length: int
    as_of: datetime | None = None
    """As `CaptureFacts.as_of`."""


def offered(spot: Spot, content: bytes | mmap.mmap, item: Item) -> Offered:
    """Return the reference to an item of a member."""
    with memoryview(content) as whole, whole[item.start : item.start + item.length] as raw:
        digest = hashlib.sha256(raw).hexdigest()[:16]
    span = f"{item.start}+{item.length}"
    facts = CaptureFacts(
        folder=spot.folder,
        container_sha256=spot.sha256,
        member=f"{spot.member}@{span}" if spot.member else span,
        form=item.form,
        context=context_text(item.context),
        as_of=item.as_of,
    )
    key = f"chat:{spot.trail}@{span}~{digest}"
    if item.context.item:
        key += f"#{item.context.item}"
    if item.as_of is not None:  # the same bytes, in a later export, say that it is still so
        key += f"@{to_ms(item.as_of)}"
    return Offered(
        key, spot.container, "chat", spot.begin + item.start, item.length, facts,
        spot.layers, digest,
    )  # fmt: skip


def accounted(offers: Iterator[Offered], tree: Tree) -> Iterator[Offered]:
    """Yield what an export offers, and an end for each member that could not be opened."""
    for one in offers:
        if (one.container, one.facts.member) not in tree.broken:
            yield one
    for broken in tree.broken.values():
        yield passed_over(broken.spot, broken.reason, is_unknown=True)


def damaged(spot: Spot, what: str, error: Exception) -> Offered:
    """Return the end of what of a member is no JSON or XML, beside the items before it."""
    return passed_over(spot, f"damaged:{what}: {error}", is_unknown=True)


def passed_over(spot: Spot, reason: str, *, is_unknown: bool = False) -> Offered:
    """Return the end of a member that holds no item: a rule, or why it cannot be read."""
    facts = CaptureFacts(
        folder=spot.folder, container_sha256=spot.sha256, member=spot.member, note=reason
    )
    kind = "unknown" if is_unknown else "skipped"
    key = f"chat:{spot.trail}{spot.position}"
    length = spot.end - spot.begin
    return Offered(key, spot.container, kind, spot.begin, length, facts, spot.layers)
