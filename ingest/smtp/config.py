"""What the listener is told: where it listens, who may deliver what, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path

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
    bounds: Bounds = Bounds()

    def trusts(self, peer: str) -> bool:
        """Tell whether a client of this address may deliver without a login."""
        address = ip_address(peer.partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self.networks)

    def takes(self, recipient: str) -> bool:
        """Tell whether mail for this address is taken."""
        return recipient.strip().casefold() in self.addresses
