"""Lists the vendors whose webhooks are understood, and answers for each; total on any request."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from holdfast.core.errors import Refused
from holdfast.ingest.webhooks.request import Deny, Handshake, Outcome, Request, Taken
from holdfast.ingest.webhooks.vendors import dingtalk, feishu, generic, jdy, slack, teams, wecom

if TYPE_CHECKING:
    from holdfast.ingest.outbound.issuers import IssuerConfig


@dataclass(frozen=True, slots=True)
class Vendor:
    """One way of posting events."""

    name: str
    settings: type
    """A frozen dataclass; its secrets are the fields that its text form leaves out."""
    take: Callable[[Request, Any], Handshake | Taken]
    """Judges a request by such settings; raises `Deny`."""
    issuer: Callable[[Any], IssuerConfig | None] = lambda _settings: None
    """Of such settings: whose published keys vouch for what comes; None: nobody is asked."""
    is_exact: bool = False
    """A key stands for one content for good; else what is sent again may be written otherwise."""

    @property
    def secrets(self) -> frozenset[str]:
        """The names of the settings that are to be kept as secrets."""
        return frozenset(one.name for one in dataclasses.fields(self.settings) if not one.repr)

    def read(self, settings: str, secret: str) -> Any:
        """Return the settings of a source, from what of them is public and what is secret.

        Args:
            settings: A JSON object; empty for none.
            secret: A JSON object with the `secrets` alone.

        Raises:
            Refused: Something is missing, unknown, of the wrong type, or in the wrong one of both.
        """
        public, hidden = _object(settings, "settings"), _object(secret, "secret")
        secret_ones = f"Of {self.name}, secret are {', '.join(sorted(self.secrets))}."
        if misplaced := sorted(public.keys() & self.secrets):
            raise Refused(f"Not a place for {', '.join(misplaced)}.", next_step=secret_ones)
        if hidden.keys() - self.secrets:  # unnamed: a secret may have been taken for a name
            raise Refused("The secret holds something else, too.", next_step=secret_ones)
        known = {one.name for one in dataclasses.fields(self.settings)}
        if unknown := sorted(public.keys() - known):
            raise Refused(
                f"There is no setting {', '.join(unknown)}.",
                next_step=f"Of {self.name}, there are {', '.join(sorted(known - self.secrets))}.",
            )
        try:
            return msgspec.convert(public | hidden, self.settings)
        except msgspec.ValidationError as error:
            raise Refused(f"The settings of {self.name} are wrong: {error}.") from None

    def handle(self, request: Request, settings: Any) -> Outcome:
        """Return what to answer, and what to keep before that."""
        try:
            return self.take(request, settings)
        except Deny as deny:
            return deny.denied


def _object(text: str, what: str) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(text) if text else {}
    except msgspec.MsgspecError:
        value = None
    if not isinstance(value, dict):
        raise Refused(f"The {what} must be a JSON object.")
    return value


VENDORS: tuple[Vendor, ...] = (
    Vendor("slack", slack.SlackSettings, slack.take),
    Vendor("feishu", feishu.FeishuSettings, feishu.take),
    Vendor("dingtalk", dingtalk.DingtalkSettings, dingtalk.take),
    Vendor("wecom", wecom.WecomSettings, wecom.take),
    Vendor("teams", teams.TeamsSettings, teams.take, teams.issuer_of),
    Vendor("jdy", jdy.JdySettings, jdy.take),
    Vendor("generic", generic.GenericSettings, generic.take, is_exact=True),
)


def vendor_of(name: str) -> Vendor:
    """Return the vendor of this name.

    Raises:
        Refused: There is none.
    """
    for vendor in VENDORS:
        if vendor.name == name:
            return vendor
    known = ", ".join(vendor.name for vendor in VENDORS)
    raise Refused(f"No webhooks of {name!r} are understood.", next_step=f"Use one of {known}.")
