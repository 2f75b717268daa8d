"""How a webhook is set up, checked when it is named; opens nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_type_hints

import msgspec

from holdfast.ingest.webhooks.registry import vendor_of

KIND = "hook"


@dataclass(frozen=True, slots=True)
class Hook:
    """One webhook."""

    vendor: str
    settings: str = ""
    """JSON: what the vendor's module needs besides the secret; the module says what."""

    @property
    def identity(self) -> str:
        """What makes another source of it when it changes, as JSON."""
        return msgspec.json.encode({"vendor": self.vendor}).decode()


hook_of = msgspec.json.Decoder(Hook).decode


def written(hook: Hook) -> str:
    """Return it as JSON; `hook_of` takes it back."""
    return msgspec.json.encode(hook).decode()


def checked(vendor: str, settings: str, secret: str) -> Hook:
    """Return a webhook as it is kept.

    Args:
        vendor: One of the registry.
        settings: A JSON object, or nothing.
        secret: A JSON object; or, where the vendor has one secret only, that secret alone.

    Raises:
        Refused: There is no such vendor, or it cannot work with these settings.
    """
    vendor_of(vendor).read(settings, secret)
    return Hook(vendor, settings)


def secret_of(vendor: str, text: str) -> str:
    """Return the secrets of a vendor as a JSON object, of such an object or of the only one."""
    known = vendor_of(vendor)
    if text.lstrip().startswith("{") or len(known.secrets) != 1:
        return text
    name = next(iter(known.secrets))
    is_list = "tuple" in str(get_type_hints(known.settings)[name])
    value = text.strip().splitlines() if is_list else text.strip()
    return msgspec.json.encode({name: value}).decode()
