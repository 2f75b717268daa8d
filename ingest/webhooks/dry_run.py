"""Shows by a sample what a field map would make of it; keeps nothing."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.core.errors import Refused
from holdfast.core.records import Parsed
from holdfast.ingest.webhooks.checking import json_object
from holdfast.ingest.webhooks.registry import vendor_of
from holdfast.ingest.webhooks.request import Deny
from holdfast.ingest.webhooks.settings import KIND, hook_of, secret_of
from holdfast.ingest.webhooks.vendors import generic, jdy
from holdfast.parsers.chat.events.fields import FIELDS, Mapped, mapped, paths_of
from holdfast.parsers.chat.forms import FormItem, parse_form
from holdfast.parsers.chat.values import Context, Json, context_text

if TYPE_CHECKING:
    from holdfast.storage.catalogue.accounts import KeptAccount

MOST_SHOWN = 20
"""Values shown of one field."""
MOST_CHARS = 200
"""Characters shown of one value."""

MappedSettings = generic.GenericSettings | jdy.JdySettings


@dataclass(frozen=True, slots=True)
class FieldShown:
    """What the sample holds for one of our fields."""

    name: str
    meaning: str
    paths: tuple[str, ...]
    """Where it is looked for: by the map, else under its own name."""
    is_mapped: bool
    found: tuple[str, ...]
    """As texts, each cut at `MOST_CHARS`, at most `MOST_SHOWN`."""
    count: int
    """How many values were found."""

    @property
    def is_missed(self) -> bool:
        """The map names it, and the sample has nothing there."""
        return self.is_mapped and not self.count


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a sample would become."""

    fields: tuple[FieldShown, ...]
    """In the order of `FIELDS`."""
    record: Parsed | None
    """With its defects; None when the sample cannot be taken at all."""
    problem: str = ""
    """Why it cannot."""


def settings_to_try(kept: KeptAccount) -> MappedSettings:
    """Return the map of a source.

    Raises:
        Refused: It is no webhook, or has no map.
    """
    if kept.kind != KIND:
        raise Refused(f"{kept.name!r} is no webhook.", next_step="Name one that is.")
    hook = hook_of(kept.settings)
    return map_to_try(hook.vendor, hook.settings)


def map_to_try(vendor: str, text: str) -> MappedSettings:
    """Return the map that the settings of a vendor's webhook hold, which are JSON.

    Raises:
        Refused: The vendor is unknown or has no map, or the settings cannot be read.
    """
    known = vendor_of(vendor)
    read = None
    if issubclass(known.settings, MappedSettings):
        # The map is tried, not the signature: any secret does.
        read = known.read(text, secret_of(vendor, secrets.token_urlsafe(32)))
    if not isinstance(read, MappedSettings):
        raise Refused(f"Webhooks of {vendor!r} have no map.", next_step="Try generic or jdy.")
    return read


def dry_run(settings: MappedSettings, body: bytes, source: str = "") -> DryRun:
    """Return what each field, and the record as a whole, would become of a body.

    The body is judged as one that is signed rightly, and posted to the source of this name.
    """
    try:
        value = json_object(body)
    except Deny as deny:
        return DryRun((), None, deny.denied.reason)
    form, context = _form_and_context(settings, source)
    fields = mapped(value, context)
    shown = tuple(_shown(name, fields, context) for name in FIELDS)
    return DryRun(shown, parse_form(form, FormItem(body, context_text(context))))


def _form_and_context(settings: MappedSettings, source: str) -> tuple[str, Context]:
    if isinstance(settings, jdy.JdySettings):
        return jdy.FORM, Context(channel="jdy", zone=settings.zone, extra=jdy.extra_of(settings))
    channel = settings.channel_at(source)
    extra = generic.extra_of(settings, channel)
    return generic.FORM, Context(channel=channel, zone=settings.zone, extra=extra)


def _shown(name: str, fields: Mapped, context: Context) -> FieldShown:
    given: Json = context.extra.get("fields") or {}
    texts = fields.texts(name)
    return FieldShown(
        name=name,
        meaning=FIELDS[name],
        paths=tuple(paths_of(context, name)),
        is_mapped=name in given,
        found=tuple(one[:MOST_CHARS] for one in texts[:MOST_SHOWN]),
        count=len(texts),
    )
