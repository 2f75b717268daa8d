"""The sections of the settings: names, kinds, limits and defaults; it reads nothing.

A secret may stand in the settings themselves, in a file of its own (`…_file`), or be the output of
a command (`…_command`).
"""

from __future__ import annotations

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import NoDecode

_ORIGIN = re.compile(r"https?://(\*\.)?[A-Za-z0-9.-]+(:[0-9]{1,5})?")


class Section(BaseModel):
    """What all sections have in common: unknown keys are errors, an empty path is the default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_default(cls, value: object, info: ValidationInfo) -> object:
        field = cls.model_fields[info.field_name or ""]
        return None if value == "" and field.default is None else value


def one_of(name: str) -> Any:
    """Return a validator that refuses a secret given in more than one way."""

    def check(section: Any) -> Any:
        ways = (
            bool(getattr(section, name).get_secret_value()),
            getattr(section, f"{name}_file") is not None,
            bool(getattr(section, f"{name}_command")),
        )
        if sum(ways) > 1:
            raise ValueError(f"{name}, {name}_file and {name}_command exclude each other")
        return section

    return model_validator(mode="after")(check)


def split_words(value: object) -> object:
    """Return the words of a list that is one text, as the environment and `--set` give it."""
    return value.replace(",", " ").split() if isinstance(value, str) else value


class Archive(Section):
    """What the archive is called, whose it is, and the zone its days are counted in."""

    name: str = Field(default="holdfast", min_length=1, max_length=200, pattern=r"^[^\x00-\x20+]+$")
    """Name in reports and in the checkpoints of the audit log; no spaces, no plus sign."""
    internal_domains: Annotated[tuple[str, ...], NoDecode] = ()
    """Domains of the organisation itself: they decide what is incoming, outgoing and internal."""
    zone: str = ""
    """Time zone of the dates in queries and output, as in Europe/Berlin; empty: the system's."""

    _split = field_validator("internal_domains", mode="before")(split_words)

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value and not is_zone(value):
            raise ValueError(f"{value!r} is not a time zone of the IANA database")
        return value


class Catalogue(Section):
    """Where the catalogue is: in the data folder, or on a PostgreSQL server."""

    url: str = Field(default="", pattern=r"^(|postgresql://[^:@\s]+(@[^@\s]+|[^@\s]*))$")
    """`postgresql://user@host:port/database` without a password; empty: SQLite, in the data."""
    password: SecretStr = SecretStr("")
    """Of the PostgreSQL user."""
    password_file: Path | None = None
    """File that holds the password."""
    password_command: str = ""
    """Command that prints the password; run without a shell."""
    connections: int = Field(default=5, ge=2, le=200)
    """Connections that one process keeps to PostgreSQL."""

    _one_password = one_of("password")


class Vault(Section):
    """How originals are kept: in segment files, or in a bucket."""

    segment_mib: int = Field(default=256, ge=1, le=4096)
    """Size at which a segment file is completed and the next one begun, in MiB."""
    url: str = Field(default="", pattern=r"^(|s3://[^/\s]+(/\S*)?)$")
    """`s3://bucket/prefix`; empty: segment files in the data folder."""
    endpoint: str = Field(default="", pattern=r"^(|https?://\S+)$")
    """Address of the S3 server; empty: that of the cloud region."""
    region: str = "us-east-1"
    """Region of the bucket."""
    access_key: str = ""
    """Name of the S3 key."""
    secret_key: SecretStr = SecretStr("")
    """Secret of the S3 key."""
    secret_key_file: Path | None = None
    """File that holds the secret."""
    secret_key_command: str = ""
    """Command that prints the secret; run without a shell."""
    worm: Literal["off", "governance", "compliance"] = "off"
    """Object Lock of new objects; at start it is proved that the server enforces it."""
    retain_days: int = Field(default=0, ge=0, le=36500)
    """Days for which new objects are locked; needed with `worm`."""

    _one_secret = one_of("secret_key")

    @model_validator(mode="after")
    def _lock_has_an_end(self) -> Self:
        if self.worm != "off" and not (self.url and self.retain_days):
            raise ValueError("worm needs a bucket (url) and retain_days")
        return self


class Keys(Section):
    """Where the keys are: never inside the data, so that a copy of the data opens nothing."""

    path: Path | None = None
    """Folder of the keyring; by default a sibling of the data folder that ends in `.keys`."""


class IndexSettings(Section):
    """Where the search index is and how it is written."""

    heap_mib: int = Field(default=128, ge=32, le=16384)
    """Memory of the index writer, in MiB; more makes bulk imports faster."""
    commit_every_s: float = Field(default=30.0, gt=0, le=3600)
    """Longest time until what is indexed can be found while an import runs, in seconds."""
    url: str = Field(default="", pattern=r"^(|https?://\S+(\s+https?://\S+)*)$")
    """Addresses of Elasticsearch nodes, separated by spaces; empty: an index in the data folder."""
    user: str = ""
    """User of Elasticsearch; empty: without authentication."""
    password: SecretStr = SecretStr("")
    """Of the Elasticsearch user."""
    password_file: Path | None = None
    """File that holds the password."""
    password_command: str = ""
    """Command that prints the password; run without a shell."""
    ca_file: Path | None = None
    """Certificates of the authority that signed those of the nodes; empty: the system's."""
    prefix: str = Field(default="holdfast", pattern=r"^[a-z][a-z0-9-]{0,50}$")
    """Begins the names of all indices; one for each archive in a cluster."""
    shards: int = Field(default=1, ge=1, le=64)
    """Primary shards of each index."""
    replicas: int = Field(default=0, ge=0, le=8)
    """Copies of each shard; 1 or more on a cluster of several nodes."""

    _one_password = one_of("password")


class Work(Section):
    """How much of the machine is used."""

    processes: int = Field(default=0, ge=0, le=256)
    """Processes that parse; 0: as many as the machine has cores."""
    watched: int = Field(default=200, ge=0, le=10000)
    """Connections of one worker that wait for new mail, over all sources; the rest is polled."""
    broker: str = Field(default="", pattern=r"^(|rediss?://[^@\s]+)$")
    """`redis://host:port/number` of the broker that wakes workers; empty: they look themselves."""
    password: SecretStr = SecretStr("")
    """Of the broker."""
    password_file: Path | None = None
    """File that holds the password."""
    password_command: str = ""
    """Command that prints the password; run without a shell."""

    _one_password = one_of("password")


class Smtp(Section):
    """The listener for journal mail: where it listens, who may deliver what, and how much."""

    host: str = Field(default="127.0.0.1", min_length=1)
    """Address to listen on; `0.0.0.0` or `::` for all."""
    port: int = Field(default=2525, ge=0, le=65535)
    """Port to listen on; 0: any that is free."""
    hostname: str = Field(default="", pattern=r"^[A-Za-z0-9.-]*$")
    """As it calls itself; empty: the machine's name."""
    addresses: Annotated[tuple[str, ...], NoDecode] = ()
    """Addresses that mail is taken for; all others are refused. Without one it does not start."""
    drop_addresses: Annotated[tuple[str, ...], NoDecode] = ()
    """Addresses that people send or copy mail to by hand; journal reports there are plain mail."""
    copy_addresses: Annotated[tuple[str, ...], NoDecode] = ()
    """Addresses that servers send plain copies to; journal reports there are plain mail."""
    networks: Annotated[tuple[str, ...], NoDecode] = ("127.0.0.0/8", "::1/128")
    """Addresses and networks whose members deliver without a login."""
    source: str = Field(default="journal", min_length=1, max_length=200)
    """Name of the source that the mail is of."""
    user: str = ""
    """Name of the login that lets others deliver, over TLS only; empty: no login."""
    password: SecretStr = SecretStr("")
    """Of the login."""
    password_file: Path | None = None
    """File that holds the password."""
    password_command: str = ""
    """Command that prints the password; run without a shell."""
    tls_certificate: Path | None = None
    """PEM file of the certificate with its chain, for STARTTLS; empty: no TLS."""
    tls_key: Path | None = None
    """PEM file of its private key."""
    client_ca: Path | None = None
    """PEM file of the authorities whose certificates let clients in; empty: no certificate does."""
    client_names: Annotated[tuple[str, ...], NoDecode] = ()
    """Names of which one must be in a client's certificate; empty: any of those authorities."""
    journal_networks: Annotated[tuple[str, ...], NoDecode] = ()
    """Of those in `networks`, whose journal reports are believed; empty: those of all."""
    envelope_fields: Annotated[tuple[str, ...], NoDecode] = ()
    """Header fields that these servers set, and remove from what they are sent."""
    bare_newlines: Literal["keep", "refuse"] = "keep"
    """CR or LF alone inside a message: `keep` it as it is, or `refuse` the message for good."""
    lmtp_port: int | None = Field(default=None, ge=0, le=65535)
    """Port that speaks LMTP, by the same rules; empty: none."""
    message_mib: int = Field(default=150, ge=1, le=2048)
    """Largest message that is taken, in MiB."""
    connections: int = Field(default=200, ge=1, le=10000)
    """Clients at a time; each is an open file."""
    connections_per_peer: int = Field(default=50, ge=1, le=10000)
    """Clients at a time of one address; those above it are told 421."""
    idle_s: float = Field(default=300.0, gt=0, le=86400)
    """Longest silence between two commands, in seconds."""
    data_s: float = Field(default=600.0, gt=0, le=86400)
    """Longest time for the content of one message, in seconds."""
    session_s: float = Field(default=21600.0, gt=0, le=604800)
    """Longest session, in seconds."""
    silent_s: float = Field(default=259200.0, ge=0)
    """Without mail for so long, in seconds, `doctor` warns; 0: never."""
    errors: int = Field(default=50, ge=1)
    """Commands refused for good in one session; then it is ended."""
    login_failures: int = Field(default=10, ge=1)
    """Wrong logins of one address; then none of it is looked at for 10 minutes."""
    backlog: int = Field(default=200_000, ge=1)
    """Items that may wait to be filed; beyond them senders are told to come again later."""

    _one_password = one_of("password")

    _split = field_validator(
        "addresses",
        "drop_addresses",
        "copy_addresses",
        "networks",
        "client_names",
        "journal_networks",
        "envelope_fields",
        mode="before",
    )(split_words)

    @property
    def takes_mail(self) -> bool:
        """Whether there is an address that mail is taken for."""
        return bool(self.addresses or self.drop_addresses or self.copy_addresses)

    @field_validator("networks", "journal_networks")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            ip_network(one)  # says itself what is wrong with it
        return value


class Service(Section):
    """The HTTP service: where it listens, and how much one client may ask of it."""

    host: str = Field(default="127.0.0.1", min_length=1)
    """Address to listen on. Elsewhere than on loopback, put a proxy with TLS before it."""
    port: int = Field(default=8800, ge=0, le=65535)
    """Port to listen on; 0: any that is free."""
    metrics_port: int = Field(default=0, ge=0, le=65535)
    """Port of Prometheus metrics, on the same address; 0: none."""
    requests_per_minute: int = Field(default=600, ge=0, le=1_000_000)
    """Requests of one key or one signed-in user; 0: as many as they like."""
    body_kib: int = Field(default=1024, ge=16, le=1024 * 1024)
    """Largest request body, in KiB."""
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ()
    """Addresses of proxies whose X-Forwarded-For is believed."""
    is_behind_tls: bool = False
    """A proxy with TLS is before it: cookies are for TLS alone."""

    _split = field_validator("trusted_proxies", mode="before")(split_words)


class Outgoing(Section):
    """How others are told what happens here, and who may show what is kept here."""

    public_url: str = Field(default="", pattern=r"^(|https?://[^@\s?#]+)$")
    """How people reach the service, as in https://archive.example; empty: as oidc.public_url."""
    private_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    """Hosts that webhooks may reach on this machine or in its network, and without TLS."""
    ca_file: Path | None = None
    """Authorities that signed the certificates of receivers; empty: the system's."""
    timeout_s: float = Field(default=15.0, gt=0, le=30)
    """Seconds for one try, from the connection to the last byte."""
    embedders: Annotated[tuple[str, ...], NoDecode] = ()
    """Origins whose pages may show trails in a frame, as in https://crm.example."""

    _split = field_validator("private_hosts", "embedders", mode="before")(split_words)

    @field_validator("embedders")
    @classmethod
    def _are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            if not _ORIGIN.fullmatch(one):  # it becomes part of a policy
                raise ValueError(f"{one!r} is no origin as in https://crm.example")
        return value


class Anchors(Section):
    """Where checkpoints of the audit log are kept outside, so that nobody can rewrite the past."""

    tsa_url: str = Field(default="", pattern=r"^(|https?://[^@\s]+)$")
    """Address of a time-stamping authority (RFC 3161); empty: no tokens."""
    tsa_ca_file: Path | None = None
    """PEM file of its root, and of all certificates that its tokens are or were signed with."""
    tsa_tls_ca_file: Path | None = None
    """Certificates of the authority that signed that of its HTTPS server; empty: the system's."""
    tsa_private_allowed: bool = False
    """Its host may be this machine, or be in its network."""
    witness_file: Path | None = None
    """File on another disk that every checkpoint is added to; empty: none."""
    lock: bool = False
    """Keep every checkpoint in a bucket too, under Object Lock in compliance mode."""
    lock_url: str = Field(default="", pattern=r"^(|s3://[^/\s]+(/\S*)?)$")
    """`s3://bucket/prefix` for them; empty: the vault's."""
    lock_endpoint: str = Field(default="", pattern=r"^(|https?://\S+)$")
    """Address of the S3 server; empty: the vault's."""
    lock_region: str = ""
    """Region of the bucket; empty: the vault's."""
    lock_access_key: str = ""
    """Name of the S3 key; empty: the vault's key."""
    lock_secret_key: SecretStr = SecretStr("")
    """Secret of the S3 key."""
    lock_secret_key_file: Path | None = None
    """File that holds the secret."""
    lock_secret_key_command: str = ""
    """Command that prints the secret; run without a shell."""
    lock_days: int = Field(default=2555, ge=1, le=36500)
    """Days for which nobody can delete a checkpoint there."""
    every_minutes: int = Field(default=60, ge=1, le=10080)
    """Longest time between two anchors of a kind, in minutes."""

    _one_secret = one_of("lock_secret_key")

    @model_validator(mode="after")
    def _tokens_are_trusted(self) -> Self:
        if self.tsa_url and self.tsa_ca_file is None:
            raise ValueError("tsa_url needs tsa_ca_file: whose tokens are trusted")
        return self


class Governance(Section):
    """How holds end, how disposals are slowed down, and how long backups live."""

    release_delay_days: int = Field(default=30, ge=30, le=3650)
    """Days between the approval of a hold's release and its end; never fewer than 30."""
    cooling_off_hours: int = Field(default=24, ge=24, le=720)
    """Hours between the approval of a disposal and its execution, in which it can be withdrawn."""
    backup_days: int = Field(default=35, ge=0, le=36500)
    """Days after which the last backup is gone that was made before a disposal."""


class Limits(Section):
    """What one item may cost while it is parsed; beyond it, it is kept and filed with a defect."""

    parse_cpu_s: float = Field(default=10.0, gt=0, le=3600)
    """Processor time, in seconds."""
    parse_memory_mib: int = Field(default=512, ge=64, le=65536)
    """Memory, in MiB."""
    parse_wall_s: float = Field(default=20.0, gt=0, le=3600)
    """Time on the clock, in seconds."""


def is_zone(name: str) -> bool:
    """Tell whether the IANA database has a time zone of this name."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return True
