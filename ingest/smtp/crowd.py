"""Counts clients and their failed logins, and decides who must wait outside; speaks to nobody."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.ingest.smtp.config import SmtpConfig

MOST_PEERS = 10_000
"""Addresses whose failed logins are remembered; the oldest are forgotten first."""


class Client(Protocol):
    """One session, as far as it is counted."""

    @property
    def peer(self) -> str: ...

    @property
    def is_idle_since(self) -> float | None:
        """When it fell silent between two messages, by `time.monotonic`; None while it works."""
        ...

    def give_way(self) -> None:
        """End the session in order, for others."""
        ...


@dataclass(slots=True)
class Crowd:
    """All clients of one listener."""

    config: SmtpConfig
    clock: Callable[[], float] = time.monotonic
    clients: set[Client] = field(default_factory=set)
    _by_peer: Counter[str] = field(default_factory=Counter)
    _strangers: int = 0
    _nobody_until: float = 0.0
    """Before then nobody will have been silent for long: it is not looked for again."""
    _failed: dict[str, tuple[int, float]] = field(default_factory=dict)
    """Peer → failed logins, and when they are forgotten."""

    def refusal(self, peer: str) -> str:
        """Say why a client of this address cannot come in now; nothing where it can."""
        bounds = self.config.bounds
        is_known = self.config.trusts(peer)
        if not is_known and not self.config.knows_strangers:
            return "peer"
        if self._by_peer[peer] >= bounds.connections_per_peer:
            return "connections_per_peer"
        if not is_known and self._strangers >= self._most_strangers:
            return "strangers"
        if len(self.clients) >= bounds.connections and not self._make_room():
            return "connections"
        return ""

    @property
    def _most_strangers(self) -> int:
        return max(self.config.bounds.connections // 2, 1)

    def bound_of(self, refusal: str) -> dict[str, int]:
        """Return what a log line says of a refusal: how many may be there at a time."""
        bounds = self.config.bounds
        most = {
            "connections": bounds.connections,
            "connections_per_peer": bounds.connections_per_peer,
            "strangers": self._most_strangers,
        }
        return {"most": most[refusal]} if refusal in most else {}

    def _make_room(self) -> bool:
        """Let the client go that has been silent longest, if that is long."""
        now, spare_s = self.clock(), self.config.bounds.spare_s
        if now < self._nobody_until:
            return False
        since = {one: one.is_idle_since for one in self.clients}
        silent = {one: at for one, at in since.items() if at is not None}
        longest = min(silent, key=silent.__getitem__, default=None)
        if longest is None or now - silent[longest] < spare_s:
            self._nobody_until = (now if longest is None else silent[longest]) + spare_s
            return False
        self.let_out(longest)
        longest.give_way()
        return True

    def let_in(self, client: Client) -> None:
        """Count a client in."""
        self.clients.add(client)
        self._by_peer[client.peer] += 1
        self._strangers += not self.config.trusts(client.peer)

    def let_out(self, client: Client) -> None:
        """Count a client out; may be repeated."""
        if client not in self.clients:
            return
        self.clients.remove(client)
        self._by_peer[client.peer] -= 1
        if not self._by_peer[client.peer]:
            del self._by_peer[client.peer]
        self._strangers -= not self.config.trusts(client.peer)

    def note_failed_login(self, peer: str) -> None:
        """Count a login that was wrong."""
        times = self._failed.pop(peer, (0, 0.0))[0] if self.may_log_in(peer) else 0
        if len(self._failed) >= MOST_PEERS:
            del self._failed[next(iter(self._failed))]
        self._failed[peer] = (times + 1, self.clock() + self.config.bounds.login_pause_s)

    def may_log_in(self, peer: str) -> bool:
        """Tell whether a login of this address is looked at; too many wrong ones end that."""
        times, until = self._failed.get(peer, (0, 0.0))
        if until and self.clock() >= until:
            del self._failed[peer]
            return True
        return times < self.config.bounds.login_failures
