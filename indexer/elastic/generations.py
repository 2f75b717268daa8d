"""The generations of an index in one cluster: which is read by name, which are swept away.

It reads and writes no documents, and decides nothing: the caller says which generation is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from elasticsearch import NotFoundError

from holdfast.indexer.elastic.clauses import all_of, term
from holdfast.indexer.elastic.mapping import REMOVED

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

    from holdfast.indexer.elastic.connection import ElasticConfig

IS_HELD = all_of([], [term(REMOVED, value=True)])
"""Leaves out what stands for removed documents."""
_REST = re.compile(r"(m\d+-[0-9a-f]+)-\d{4}-\d{2}(?:-\d+)?")


def point_alias(client: Elasticsearch, config: ElasticConfig, generation: str) -> None:
    """Let the alias that is named like the prefix read this generation alone, at once."""
    held = _indices(client, config)
    wanted = [name for name, one in held.items() if one == generation]
    try:
        present = set(client.indices.get_alias(name=config.prefix))
    except NotFoundError:
        present = set()
    actions: list[dict[str, Any]] = [
        {"add": {"index": name, "alias": config.prefix, "filter": IS_HELD}} for name in wanted
    ]
    actions += [
        {"remove": {"index": name, "alias": config.prefix}}
        for name in sorted(present - set(wanted))
    ]
    if actions:
        client.indices.update_aliases(actions=actions)


def drop_generations(
    client: Elasticsearch, config: ElasticConfig, owner: str, kept: Iterable[str]
) -> list[str]:
    """Remove all generations of an owner but these; return the names of the parts that went.

    Args:
        client: Of the cluster.
        config: Says the prefix.
        owner: Begins the letters of a generation's name.
        kept: Names of generations.
    """
    staying = set(kept)
    gone = [
        name
        for name, one in _indices(client, config).items()
        if one not in staying and one.partition("-")[2].startswith(owner)
    ]
    for name in gone:  # one at a time: a list of names has no length limit, an address has
        client.options(ignore_status=404).indices.delete(index=name)
    return gone


def _indices(client: Elasticsearch, config: ElasticConfig) -> dict[str, str]:
    """Return name → generation of every part that belongs to this prefix."""
    stem = f"{config.prefix}-"
    names = client.indices.get(index=f"{stem}*", filter_path="*.aliases")
    found = {name: _REST.fullmatch(name.removeprefix(stem)) for name in names}
    return {name: match[1] for name, match in found.items() if match}
