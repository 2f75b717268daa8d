"""What the listener is told: where it listens, who may deliver what, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Login:
    """The one user that may authenticate, over TLS only."""

    name: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files of the certificate with its chain, and of its private key, in PEM."""

    chain: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Clients:
    """Whose certificates let clients in."""

    authority: Path
    """PEM file of the authorities that sign them."""
    names: frozenset[str] = frozenset()
    """Of which one must be in the certificate, case folded; none: any that they signed."""

    def name_in(self, certificate: Mapping[str, Any]) -> str:
        """Return the name that lets a client in, of a certificate that was checked; else nothing.

        Args:
            certificate: As `ssl.SSLSocket.getpeercert` gives it.
        """
        given = [value for kind, value in certificate.get("subjectAltName", ()) if kind == "DNS"]
        if not given:
            parts = [part for name in certificate.get("subject", ()) for part in name]
            given = [value for kind, value in parts if kind == "commonName"]
        known = [one for one in given if not self.names or one.casefold() in self.names]
        return known[0] if known else ""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one client, and all of them, may use."""

    message_bytes: int = 100 << 20
    connections: int = 200
    connections_per_peer: int = 50
    idle_s: float = 300.0
    """Between two commands (RFC 5321 section 4.5.3.2.7 asks for 5 minutes)."""
    data_s: float = 600.0
    """For the whole content of one message."""
    session_s: float = 6 * 3600.0
    noops: int = 100
    """NOOP, RSET, EHLO and the like in one session, of each."""
    errors: int = 50
    """Commands that are refused for good in one session."""
    login_failures: int = 10
    """Of one address; then it is let in no more for `login_pause_s`."""
    login_pause_s: float = 600.0
    spare_s: float = 10.0
    """Who has been silent for so long gives way when all connections are in use."""
    backlog: int = 200_000
    """Items that may wait to be filed; then nothing more is taken for a while."""


@dataclass(frozen=True, slots=True)
class SmtpConfig:
    """Everything that the listener is told."""

    host: str
    port: int
    """0 takes any that is free."""
    hostname: str
    """As it calls itself."""
    addresses: frozenset[str]
    """That mail is taken for, case folded; all others are refused."""
    networks: tuple[Network, ...] = ()
    """Whose members deliver without a login."""
    login: Login | None = None
    certificate: Certificate | None = None
    clients: Clients | None = None
    journal_networks: tuple[Network, ...] = ()
    """Of those let in by address, whose reports and fields are believed; none: those of all."""
    envelope_fields: tuple[str, ...] = ()
    """Header fields that whoever is believed sets, in lower case; see `records.Trust`."""
    keeps_bare_newlines: bool = True
    """CR or LF alone inside a message; it never ends one."""
    drop_addresses: frozenset[str] = frozenset()
    """That mail is taken for too, from people: it is never believed to be of a journal."""
    copy_addresses: frozenset[str] = frozenset()
    """That mail is taken for too, as plain copies: anybody outside wrote it, reports included."""
    lmtp_port: int | None = None
    """Of a second port that speaks LMTP; None for none, 0 takes any that is free."""
    bounds: Bounds = Bounds()

    def trusts(self, peer: str) -> bool:
        """Tell whether a client of this address may deliver without a login."""
        return _is_in(peer, self.networks)

    def believes(self, peer: str) -> bool:
        """Tell whether a client that was let in by its address may send journal reports."""
        return self.trusts(peer) and _is_in(peer, self.journal_networks or self.networks)

    @property
    def own(self) -> frozenset[str]:
        """Addresses that servers send to: in an envelope they say nothing."""
        return self.addresses | self.copy_addresses

    @property
    def knows_strangers(self) -> bool:
        """Whether a client of any address may come to deliver: by a login or a certificate."""
        return self.login is not None or self.clients is not None

    def takes(self, recipient: str) -> bool:
        """Tell whether mail for this address is taken."""
        return recipient.strip().casefold() in self.own | self.drop_addresses

    def is_drop(self, recipients: Iterable[str]) -> bool:
        """Tell whether a message for these addresses is for an address of people."""
        return any(one.strip().casefold() in self.drop_addresses for one in recipients)

    def is_copy(self, recipients: Iterable[str]) -> bool:
        """Tell whether a message for these addresses is a plain copy, and so no report."""
        return any(one.strip().casefold() in self.copy_addresses for one in recipients)


def _is_in(peer: str, networks: tuple[Network, ...]) -> bool:
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:  # a client that has gone already has none
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in network for network in networks)
