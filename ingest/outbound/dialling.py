"""Opens connections, to checked addresses only, straight or by a proxy; sends nothing itself."""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import dataclass

from holdfast.core.errors import Unavailable
from holdfast.ingest.outbound.addresses import Place, resolved
from holdfast.ingest.outbound.proxies import WAYS, Proxy


@dataclass(frozen=True, slots=True)
class Dial:
    """How connections are made for one source."""

    allows_private: bool = False
    """This machine and its network may be reached."""
    proxy: Proxy | None = None
    connect_s: float = 30.0

    def open(self, place: Place) -> socket.socket:
        """Return a connection to the place, by an address that was checked.

        The first address that answers is taken. A proxy is told the address, not the name.

        Raises:
            Refused: The host is not to be reached, or the proxy does not let us in.
            Unavailable: The proxy does not reach it.
            OSError: It cannot be resolved or reached.
        """
        addresses = resolved(place, allows_private=self.allows_private)
        trouble: OSError | Unavailable = OSError("there is no address")
        for address in addresses:
            try:
                if self.proxy is None:
                    return socket.create_connection((address, place.port), self.connect_s)
                return self._through(self.proxy, address, place.port)
            except (OSError, Unavailable) as error:
                trouble = error
        raise trouble

    def _through(self, proxy: Proxy, address: str, port: int) -> socket.socket:
        # A proxy is named by whoever keeps the archive, and mostly lies in the own network.
        near = resolved(proxy.place, allows_private=True)[0]
        wire = socket.create_connection((near, proxy.place.port), self.connect_s)
        try:
            WAYS[proxy.kind](wire, proxy, address, port)
        except BaseException:
            with suppress(OSError):
                wire.close()
            raise
        return wire
