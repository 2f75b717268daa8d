"""Puts together what speaks to the OpenID Connect provider of the settings; asks it nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.ingest.outbound.issuers import Issuer, IssuerConfig
from holdfast.settings import Settings, secret

if TYPE_CHECKING:
    from holdfast.api.oidc.provider import Provider


def issuer_of(settings: Settings) -> Issuer | None:
    """Return the issuer of the settings; None: there is none."""
    section = settings.oidc
    if not section.issuer:
        return None
    return Issuer(IssuerConfig(section.issuer, section.private_allowed, section.ca_file))


def provider_of(settings: Settings) -> Provider | None:
    """Return the provider of the settings, its secret read; None: there is none.

    Raises:
        Refused: The secret of the client cannot be had.
    """
    issuer, section = issuer_of(settings), settings.oidc
    if issuer is None:
        return None
    from holdfast.api.oidc.provider import Provider, ProviderConfig  # libraries of the flow

    config = ProviderConfig(
        client_id=section.client_id,
        client_secret=secret(section, "client_secret"),
        public_url=section.public_url,
        scopes=section.scopes,
        address_claim=section.address_claim,
        verified_claim=section.verified_claim,
        groups_claim=section.groups_claim,
        groups=section.groups,
        label=section.label,
        is_second_factor_trusted=section.second_factor_trusted,
    )
    return Provider(config, issuer)
