"""The messages of the command line in Simplified Chinese, a module for each field of work."""

from __future__ import annotations

from holdfast.cli.words_zh import (
    anchors,
    annotating,
    archive,
    directory,
    exports,
    holds,
    retention,
    rights,
    serving,
    webhooks,
)

MESSAGES: dict[str, str] = {
    **anchors.MESSAGES,
    **annotating.MESSAGES,
    **archive.MESSAGES,
    **directory.MESSAGES,
    **exports.MESSAGES,
    **holds.MESSAGES,
    **retention.MESSAGES,
    **rights.MESSAGES,
    **serving.MESSAGES,
    **webhooks.MESSAGES,
}
