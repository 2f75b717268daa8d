"""Asks a proxy for a connection to somewhere else: SOCKS5, HTTP CONNECT; opens no socket itself."""

from __future__ import annotations

import base64
import re
import socket
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import unquote, urlsplit

from holdfast.core.errors import Refused, Unavailable
from holdfast.ingest.outbound.addresses import Place

_PORTS = {"socks5": 1080, "http": 8080}
_MOST_HEAD = 16 * 1024
_MOST_NAME = 255
_SOCKS_SAID = {
    1: "general failure",
    2: "not allowed by its rules",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "time ran out",
    7: "command not known",
    8: "kind of address not known",
}
"""RFC 1928, section 6."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy and who asks it."""

    kind: str
    """`socks5` or `http`."""
    place: Place
    user: str = ""
    password: str = field(default="", repr=False)


def read_proxy(url: str, password: str = "") -> Proxy:
    """Return the proxy that a URL names.

    Args:
        url: `socks5://[user@]host[:port]` or `http://[user@]host[:port]`.
        password: Of the user; it has no place in a URL, which others may see.

    Raises:
        Refused: It is no such URL, or holds a password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise _not_a_proxy() from error
    is_bare = not (parts.path.strip("/") or parts.query or parts.fragment)
    if parts.scheme not in _PORTS or not parts.hostname or not is_bare:
        raise _not_a_proxy()
    if parts.password is not None:
        raise Refused(
            "The URL of the proxy holds a password.",
            next_step="Leave it out, and give it by --proxy-secret-file.",
        )
    return Proxy(parts.scheme, Place(parts.hostname, port), unquote(parts.username or ""), password)


def _not_a_proxy() -> Refused:
    return Refused(
        "The URL of the proxy is not understood.",
        next_step="Write socks5://HOST:PORT or http://HOST:PORT, a user as USER@HOST.",
    )


class Ask(Protocol):
    """Turns a connection to a proxy into one to somewhere else."""

    def __call__(self, wire: socket.socket, proxy: Proxy, address: str, port: int) -> None: ...


def ask_socks(wire: socket.socket, proxy: Proxy, address: str, port: int) -> None:
    """Ask by SOCKS5 (RFC 1928), with user and password where there are any (RFC 1929).

    Raises:
        Unavailable: The proxy does not reach the address.
        Refused: It does not let us in.
    """
    wire.sendall(b"\x05\x02\x00\x02" if proxy.user else b"\x05\x01\x00")
    version, method = _exactly(wire, 2)
    if version != 5:
        raise Refused("The proxy speaks no SOCKS5.", next_step="Check --proxy.")
    if method == 2 and proxy.user:
        user, password = proxy.user.encode(), proxy.password.encode()
        if max(len(user), len(password)) > _MOST_NAME:
            raise Refused("User or password of the proxy is too long for SOCKS5.")
        wire.sendall(bytes([1, len(user)]) + user + bytes([len(password)]) + password)
        if _exactly(wire, 2)[1] != 0:
            raise _shut_out(proxy)
    elif method != 0:
        raise _shut_out(proxy)
    kind = b"\x04" if ":" in address else b"\x01"
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    place = kind + socket.inet_pton(family, address) + port.to_bytes(2, "big")
    wire.sendall(b"\x05\x01\x00" + place)
    _, said, _, bound = _exactly(wire, 4)
    if said != 0:
        raise _not_reached(proxy, _SOCKS_SAID.get(said, f"error {said}"))
    length = {1: 4, 4: 16}.get(bound) or _exactly(wire, 1)[0]
    _exactly(wire, length + 2)


def ask_http(wire: socket.socket, proxy: Proxy, address: str, port: int) -> None:
    """Ask by CONNECT (RFC 9110, 9.3.6); the answer is read to its last byte and no further.

    Raises:
        Unavailable: The proxy does not reach the address.
        Refused: It does not let us in.
    """
    where = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    lines = [f"CONNECT {where} HTTP/1.1", f"Host: {where}"]
    if proxy.user:
        pair = base64.b64encode(f"{proxy.user}:{proxy.password}".encode()).decode()
        lines.append(f"Proxy-Authorization: Basic {pair}")
    wire.sendall("\r\n".join([*lines, "", ""]).encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += _exactly(wire, 1)
        if len(head) > _MOST_HEAD:
            raise Refused("The proxy answers without an end.", next_step="Check --proxy.")
    found = re.match(rb"HTTP/1\.[01] (\d{3})", head)
    if found is None:
        raise Refused("The proxy speaks no HTTP.", next_step="Check --proxy.")
    if found[1] == b"407":
        raise _shut_out(proxy)
    if not found[1].startswith(b"2"):
        raise _not_reached(proxy, f"it answered {found[1].decode()}")


WAYS: dict[str, Ask] = {"socks5": ask_socks, "http": ask_http}


def _exactly(wire: socket.socket, length: int) -> bytes:
    found = b""
    while len(found) < length:
        piece = wire.recv(length - len(found))
        if not piece:
            raise ConnectionError("the proxy closed the connection")
        found += piece
    return found


def _shut_out(proxy: Proxy) -> Refused:
    who = proxy.user or "anybody without a name"
    return Refused(
        f"The proxy {proxy.place} does not let {who} in.",
        next_step="Check the user in --proxy and --proxy-secret-file.",
    )


def _not_reached(proxy: Proxy, why: str) -> Unavailable:
    return Unavailable(
        f"The proxy {proxy.place} does not reach the server: {why}.",
        next_step="Check the host, and what the proxy allows.",
    )
