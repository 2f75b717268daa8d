"""Makes a source of what is said of it, for the command line and the API; keeps nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

from holdfast.core.errors import Refused
from holdfast.ingest.imap.account import (
    KIND as MAILBOX,
)
from holdfast.ingest.imap.account import (
    PLAIN_PORT,
    TLS_PORT,
    Account,
    preset,
    written,
)
from holdfast.ingest.imap.plan import Plan, plan_for, written_plan
from holdfast.ingest.imap.signing.oauth import CLIENT, Credentials, Said, oauth_of, sealed
from holdfast.ingest.webhooks.settings import KIND as HOOK
from holdfast.ingest.webhooks.settings import checked, secret_of
from holdfast.ingest.webhooks.settings import written as written_hook
from holdfast.storage.catalogue.accounts import NewAccount

QUIET_S = 30 * 86_400.0
"""A webhook that brings nothing for so long is late."""


@dataclass(frozen=True, slots=True)
class Named:
    """What is said of a source of any kind."""

    name: str
    custodian: str = ""
    is_paused: bool = False

    def __post_init__(self) -> None:
        if not self.name.strip() or not self.name.isprintable():
            raise Refused("A source needs a name that can be printed.", next_step="Choose one.")
        if "/" in self.name or self.name in {".", ".."}:  # it stands in paths of URLs
            raise Refused("A source's name is no path.", next_step="Choose one without '/'.")
        if not self.custodian.isprintable():
            raise Refused("A custodian needs a name that can be printed.", next_step="Correct it.")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """What is said of a mailbox on a server; the service's preset fills in the rest."""

    host: str = ""
    user: str = ""
    port: int = 0
    """0: 993, and 143 without TLS at once."""
    tls: str = "implicit"
    preset: str = "generic"
    folders: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    ca_file: str = ""
    allows_plaintext: bool = False
    allows_private: bool = False
    has_exact_sizes: bool = True
    is_journal: bool = False
    proxy: str = ""
    tokens: Said | None = None
    """How tokens are had; None: signing in by password."""
    connections: int = 2
    compress: str = "auto"


@dataclass(frozen=True, slots=True)
class Secrets:
    """What is secret of a mailbox, as it was given."""

    main: str = field(repr=False)
    """The password; or, by tokens, the refresh token or the client's secret."""
    client: str = field(default="", repr=False)
    """The client's secret, where a refresh token needs one."""
    proxy: str = field(default="", repr=False)


def account_for(said: Mailbox) -> Account:
    """Return how the mailbox is reached.

    Raises:
        Refused: Something of it is missing or cannot be.
    """
    known = preset(said.preset)
    return Account(
        host=said.host or known.host,
        user=said.user,
        port=said.port or (TLS_PORT if said.tls == "implicit" else PLAIN_PORT),
        tls=said.tls,
        folders=tuple(filter(None, said.folders)) or known.folders,
        excludes=tuple(filter(None, said.excludes)),
        ca_file=said.ca_file,
        allows_plaintext=said.allows_plaintext,
        is_journal=said.is_journal,
        has_exact_sizes=known.has_exact_sizes and said.has_exact_sizes,
        allows_private=said.allows_private,
        proxy=said.proxy,
        oauth=None if said.tokens is None else oauth_of(said.tokens, said.preset),
        connections=said.connections,
        compress=said.compress,
    )


def new_mailbox(named: Named, account: Account, service: str) -> NewAccount:
    """Return the source, which runs as suits the service (a preset's name)."""
    return NewAccount(
        named.name,
        MAILBOX,
        account.identity,
        written(account),
        custodian=named.custodian,
        plan=written_plan(plan_for(service)),
        is_paused=named.is_paused,
    )


def secret_for(account: Account, secrets: Secrets) -> bytes:
    """Return what is sealed for signing in to the account."""
    if account.has_plain_secret:
        return secrets.main.encode()
    if account.oauth is None:
        kept = Credentials(password=secrets.main, proxy_password=secrets.proxy)
    elif account.oauth.flow == CLIENT:
        kept = Credentials(client_secret=secrets.main, proxy_password=secrets.proxy)
    else:
        kept = Credentials(
            refresh_token=secrets.main, client_secret=secrets.client, proxy_password=secrets.proxy
        )
    return sealed(kept)


def new_hook(named: Named, vendor: str, settings: str, secret: str) -> tuple[NewAccount, bytes]:
    """Return the source, and what is sealed of it.

    Args:
        named: What is said of any source.
        vendor: One of the registry.
        settings: A JSON object, or nothing.
        secret: A JSON object; or the secret alone, where the vendor has one only.

    Raises:
        Refused: There is no such vendor, or it cannot work with these.
    """
    whole = secret_of(vendor, secret)
    hook = checked(vendor, settings, whole)
    new = NewAccount(
        named.name,
        HOOK,
        hook.identity,
        written_hook(hook),
        custodian=named.custodian,
        plan=written_plan(Plan(late_s=QUIET_S)),
        is_paused=named.is_paused,
    )
    return new, whole.encode()
