"""Which addresses may be connected to; opens nothing.

A name that somebody typed may mean a machine of this network, or the service that gives a cloud
machine its keys. So all addresses of a name are looked at, and what is connected to is one of them.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from dataclasses import dataclass

from holdfast.core.errors import Refused

_HERE = ipaddress.ip_network("0.0.0.0/8")
"""Of this host alone (RFC 1122, 3.2.1.3); connecting to 0.0.0.0 means loopback."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Place:
    """A host as it was named, and a port of it."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def resolved(place: Place, *, allows_private: bool) -> list[str]:
    """Return the addresses of a host, all of them checked, in the order to try them.

    Args:
        place: What was named.
        allows_private: Whoever named it may reach this machine and its network.

    Raises:
        Refused: One of the addresses is not to be reached: the name may mean another one next time.
        OSError: The name cannot be resolved (`socket.gaierror`).
    """
    found = socket.getaddrinfo(place.host.strip("[]"), place.port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(one[4][0]).partition("%")[0] for one in found))
    for one in addresses:
        if not may_reach(one, allows_private=allows_private):
            raise Refused(
                f"{place.host} is {one}, which is no public address.",
                next_step="Check the host; if it is meant, say --allow-private."
                if may_reach(one, allows_private=True)
                else "Check the host; such an address is never connected to.",
            )
    return addresses


def may_reach(address: str, *, allows_private: bool) -> bool:
    """Tell whether an address may be connected to; link-local ones never."""
    for one in _meant(ipaddress.ip_address(address)):
        is_never = one.is_link_local or one.is_multicast or one.is_unspecified or one.is_reserved
        if is_never or one in _HERE or not (one.is_global or allows_private):
            return False
    return True


def _meant(address: Address) -> Iterator[Address]:
    """Yield every address that a connection to this one may end at.

    An IPv6 address may hold another: mapped (RFC 4291, 2.5.5.2), 6to4 (RFC 3056), NAT64 (RFC 6052).
    """
    if isinstance(address, ipaddress.IPv4Address):
        yield address
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
        return
    if address.sixtofour is not None:
        yield address.sixtofour
    if address in _NAT64:
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return
    # Loopback lies in a block that Python calls reserved.
    yield ipaddress.IPv4Address("127.0.0.1") if address.is_loopback else address
