"""Find the files that messages of an export name: beside the export, or where a person says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.ingest.readers.chats.tree import Item, Member, Spot, Tree, offered
from holdfast.ingest.readers.chats.trees import chat_directory
from holdfast.ingest.readers.offers import portable

if TYPE_CHECKING:
    from holdfast.ingest.readers.chats.json_spans import Span
    from holdfast.ingest.readers.offers import Offered
    from holdfast.parsers.chat.values import Context

MEDIA = "media"
"""What keys call the directory that a person names."""


def media_of(tree: Tree) -> Mapping[str, Member]:
    """Return the files by path; those of the directory that a person named are below `media/`."""
    found = dict(tree.members)
    if tree.rules.media:
        there = chat_directory(Path(tree.rules.media), MEDIA, tree.rules)
        for path, one in there.members.items():
            found[f"{MEDIA}/{path}"] = replace(one, path=f"{MEDIA}/{path}")
    return found


def place_of(files: Mapping[str, Member], naming: str, name: str) -> str:
    """Return the path of a file that messages name; empty where it is not there.

    Args:
        files: As of `media_of`.
        naming: Path of the file with the messages, beside which it may lie.
        name: As the messages write it, perhaps with directories.
    """
    folder, inside = naming.rpartition("/")[0], portable(name)
    places = (f"{folder}/{inside}" if folder else inside, f"{MEDIA}/{inside}")
    return next((one for one in places if one in files), "")


def by_stem(members: Mapping[str, Member]) -> dict[str, Member]:
    """Return files by their name without its ending, in lower case; the first of equal ones."""
    found: dict[str, Member] = {}
    for member in members.values():
        found.setdefault(member.name.partition(".")[0].lower(), member)
    return found


def offered_file(member: Member, context: Context) -> Offered:
    """Return the reference to a whole file as the content that `context` describes.

    Raises:
        Unpackable: A layer of compression cannot be taken off.
        OSError: It cannot be read.
    """
    with member.mapped() as (spot, content):
        return offered(spot, content, Item("file", context, 0, spot.end - spot.begin))


def part_of(spot: Spot, span: Span) -> Spot:
    """Return the spot of something inside a member, so that its key is its own."""
    at = f"{spot.position}@{span.start}"
    return replace(spot, begin=spot.begin + span.start, end=spot.begin + span.end, position=at)
