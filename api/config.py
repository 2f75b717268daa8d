"""What the HTTP service is told when it is made; it reads no file and no environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class ApiConfig:
    """Bounds and names of one service."""

    archive: str = "holdfast"
    """Name of the archive, shown to people."""
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    """Of dates in queries, unless a request names another."""
    requests_per_minute: int = 600
    """Of one key or one signed-in user; 0: no limit."""
    most_body_bytes: int = 1024 * 1024
    """Largest request body; a bigger one is refused unread."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses whose `X-Forwarded-For` is believed."""
    is_behind_tls: bool = False
    """Cookies are marked Secure; only a service on loopback may do without."""
    embedders: tuple[str, ...] = ()
    """Origins that may show trails in a frame."""
    release_delay_days: int = 30
    """Between the approval of a hold's release and its end."""
    cooling_off_hours: int = 24
    """Between the approval of a disposal and its execution."""
