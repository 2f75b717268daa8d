"""How an IMAP account is reached, checked when it is named; holds no secret, opens nothing."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from holdfast.core.errors import Refused
from holdfast.ingest.imap.hosts import is_loopback, refuse_controls
from holdfast.ingest.imap.signing.oauth import Oauth
from holdfast.ingest.outbound.addresses import Place
from holdfast.ingest.outbound.dialling import Dial
from holdfast.ingest.outbound.proxies import read_proxy

KIND = "imap"
TLS_PORT = 993
PLAIN_PORT = 143
WAYS = ("implicit", "starttls", "none")
COMPRESS = ("auto", "always", "never")
MOST_CONNECTIONS = 15
"""More than any large service lets one user have."""


@dataclass(frozen=True, slots=True)
class Account:
    """One user of one server."""

    host: str
    user: str
    port: int = TLS_PORT
    tls: str = "implicit"
    """`implicit`: TLS from the first byte; `starttls`: by command, before signing in; `none`."""
    folders: tuple[str, ...] = ()
    """Patterns of the folders to take; none means all. See `names.matches`."""
    excludes: tuple[str, ...] = ()
    """Patterns of folders to leave out, stronger than `folders`."""
    ca_file: str = ""
    """Certificates of the authority that signed the server's; empty: the system's."""
    allows_plaintext: bool = False
    """Password and mail may cross a network in clear: was asked for by name."""
    has_exact_sizes: bool = True
    """RFC822.SIZE is the size (RFC 9051, 7.5.2); some servers only estimate it."""
    allows_private: bool = False
    """Server, and whoever gives tokens, may lie in this machine's own network."""
    proxy: str = ""
    """URL of a proxy, without a password; see `read_proxy`."""
    oauth: Oauth | None = None
    """How tokens are had; None: signing in by password."""
    connections: int = 2
    """Most connections at a time."""
    compress: str = "auto"
    """`auto`: where the server offers it and is another machine; `always`: where it offers it."""
    is_journal: bool = False
    """It is the mailbox of a journal, whose reports count as such."""

    def __post_init__(self) -> None:
        named = (self.host, self.user, self.ca_file, self.proxy, *self.folders, *self.excludes)
        for value in named:
            refuse_controls(value)
        if not self.host or not self.user:
            raise Refused("The server or the user is missing.", next_step="Give --host and --user.")
        if not 0 < self.port < 65536:
            raise Refused(f"There is no port {self.port}.", next_step="Give one from 1 to 65535.")
        if self.tls not in WAYS:
            raise Refused(f"--tls {self.tls!r} is unknown.", next_step=f"Use {', '.join(WAYS)}.")
        if self.tls == "none" and not (self.allows_plaintext or is_loopback(self.host)):
            raise Refused(
                f"Without TLS the password would cross the network to {self.host} in clear.",
                next_step="Use --tls implicit or --tls starttls; else say --allow-plaintext.",
            )
        if not 0 < self.connections <= MOST_CONNECTIONS:
            raise Refused(
                f"{self.connections} connections are not possible.",
                next_step=f"Give --connections from 1 to {MOST_CONNECTIONS}.",
            )
        if self.compress not in COMPRESS:
            raise Refused(
                f"--compress {self.compress!r} is unknown.", next_step=f"Use {', '.join(COMPRESS)}."
            )
        if self.proxy:
            read_proxy(self.proxy)

    @property
    def identity(self) -> str:
        """What makes another source of it when it changes, as JSON."""
        return msgspec.json.encode({"host": self.host.lower(), "user": self.user}).decode()

    @property
    def place(self) -> str:
        """Host and port, for people."""
        return f"{self.host}:{self.port}"

    @property
    def has_plain_secret(self) -> bool:
        """The secret is the password alone; else it holds `Credentials`."""
        return self.oauth is None and not self.proxy

    @property
    def target(self) -> Place:
        """Where to connect."""
        return Place(self.host, self.port)

    def dial(self, proxy_password: str = "") -> Dial:
        """Return how connections for this account are made."""
        proxy = read_proxy(self.proxy, proxy_password) if self.proxy else None
        return Dial(self.allows_private, proxy)


def written(account: Account) -> str:
    """Return the account as JSON; `read` takes it back."""
    return msgspec.json.encode(account).decode()


read = msgspec.json.Decoder(Account).decode


@dataclass(frozen=True, slots=True)
class Preset:
    """What is known of a service; what the user says is stronger."""

    host: str = ""
    folders: tuple[str, ...] = ()
    has_exact_sizes: bool = True
    advice: str = ""
    """What to know before the first sign-in."""


_CODE = "Use the authorisation code that the service's settings give, not the password."

PRESETS = {
    "generic": Preset(),
    "gmail": Preset(
        "imap.gmail.com",
        folders=("\\All", "\\Junk", "\\Trash"),
        advice="Use an app password, which needs two-step verification; or tokens: --oauth.",
    ),
    "outlook": Preset(
        "outlook.office365.com",
        has_exact_sizes=False,
        advice="The tenant must allow signing in to IMAP by password; else use --oauth.",
    ),
    "exchange": Preset(
        has_exact_sizes=False,
        advice="Give --host, and --ca-file where the authority is your own. IMAP must be "
        "on there: the services MSExchangeImap4 and MSExchangeIMAP4BE, and Set-CasMailbox.",
    ),
    "qq": Preset("imap.qq.com", advice=_CODE),
    "exmail.qq": Preset("imap.exmail.qq.com", advice=_CODE),
    "163": Preset("imap.163.com", advice=_CODE),
    "126": Preset("imap.126.com", advice=_CODE),
    "aliyun": Preset("imap.qiye.aliyun.com"),
}
"""Gmail shows a message in every folder whose label it has; `\\All` holds each once."""


def preset(name: str) -> Preset:
    """Return what a service's own help pages say of it.

    Raises:
        Refused: There is no preset of this name.
    """
    found = PRESETS.get(name)
    if found is None:
        raise Refused(f"There is no preset {name!r}.", next_step=f"Known: {', '.join(PRESETS)}.")
    return found
