"""The section of the OpenID Connect provider; it reads nothing and asks nobody."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

from holdfast.settings.sections import Section, one_of, split_words

_OWN_OR_TLS = r"https://[^@\s/?#]+|http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?"


class Oidc(Section):
    """The OpenID Connect provider through which people may sign in to the pages."""

    issuer: str = Field(default="", pattern=rf"^(|({_OWN_OR_TLS})(/[^@\s?#]*)?)$")
    """Address by which the provider names itself, to the letter; empty: passwords alone."""
    client_id: str = Field(default="", max_length=300)
    """As which the provider knows this service."""
    client_secret: SecretStr = SecretStr("")
    """Of the client; without one it is a public client."""
    client_secret_file: Path | None = None
    """File that holds the secret."""
    client_secret_command: str = ""
    """Command that prints the secret; run without a shell."""
    public_url: str = Field(default="", pattern=rf"^(|({_OWN_OR_TLS})/?)$")
    """Where browsers reach the service, without a path; the provider leads back there."""
    scopes: Annotated[tuple[str, ...], NoDecode] = ("openid", "email")
    """What is asked for."""
    address_claim: str = Field(default="email", min_length=1)
    """Claim whose address binds somebody to a user at their first sign-in."""
    verified_claim: str = Field(default="email_verified", min_length=1)
    """Claim that must be true for that."""
    groups_claim: str = Field(default="groups", min_length=1)
    """Claim that names the groups of somebody."""
    groups: Annotated[tuple[str, ...], NoDecode] = ()
    """Groups of which one lets in; empty: no group is asked for."""
    label: str = Field(default="", max_length=60)
    """Of the button; empty: a general one in the language of the page."""
    second_factor_trusted: bool = True
    """The provider asks for a second factor, so that none of Holdfast is asked for."""
    private_allowed: bool = False
    """The provider may be this machine, or be in its network."""
    ca_file: Path | None = None
    """Certificates of the authority that signed that of the provider; empty: the system's."""

    _one_secret = one_of("client_secret")

    _split = field_validator("scopes", mode="before")(split_words)

    @field_validator("groups", mode="before")
    @classmethod
    def _split_at_commas(cls, value: object) -> object:
        if isinstance(value, str):  # names of groups hold spaces
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    @field_validator("scopes")
    @classmethod
    def _is_openid(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if "openid" not in value:
            raise ValueError("openid is missing, without which nobody is vouched for")
        return value

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        missing = [name for name in ("client_id", "public_url") if not getattr(self, name)]
        if self.issuer and missing:
            raise ValueError(f"issuer needs {' and '.join(missing)}")
        if self.client_id and not self.issuer:
            raise ValueError("client_id needs issuer")
        return self
