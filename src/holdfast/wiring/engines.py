"""Picks the implementation of each port by the settings and makes it; it opens no archive.

An engine's modules are loaded only when it is configured: the embedded archive needs neither its
client nor the time to load it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING

from sqlalchemy import inspect, select

from holdfast.core.errors import Corrupt, NotFound, Unavailable
from holdfast.ingest.index_home import Home, IndexHome
from holdfast.settings import secret
from holdfast.storage.catalogue.engine import (
    PostgresConfig,
    open_postgres,
    open_sqlite,
    reading,
    writing,
)
from holdfast.storage.catalogue.facts import ARCHIVE_ID, change_fact, fact
from holdfast.storage.catalogue.schema import originals
from holdfast.storage.local_vault import LocalVault, LocalVaultConfig
from holdfast.storage.tile_files import FolderFiles, LogFiles
from holdfast.wiring.places import CATALOGUE, INDEX, LOG

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from holdfast.core.ports import Clock, LockMode
    from holdfast.settings import Settings
    from holdfast.storage.s3.config import BucketConfig
    from holdfast.storage.store import Store
    from holdfast.storage.upkeep import KeptVault

WORM_PROOF = "worm_proof"
"""Which store was last proved to enforce Object Lock, and when."""
PROOF_HOLDS_MS = 10 * 60 * 1000
_MIB = 1024 * 1024
_ARCHIVE_ID = re.compile("[0-9a-f]{32}")


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present instant, aware UTC."""
        return datetime.now(UTC)


def open_catalogue(settings: Settings) -> Engine:
    """Open the database of the catalogue, whether an archive is in it or not."""
    if not settings.catalogue.url:
        return open_sqlite(settings.data / CATALOGUE)
    return open_postgres(
        PostgresConfig(
            url=settings.catalogue.url,
            password=secret(settings.catalogue, "password"),
            pool_size=settings.catalogue.connections,
        )
    )


def is_there(settings: Settings, engine: Engine) -> bool:
    """Tell whether an archive was begun in this catalogue; makes nothing."""
    if not settings.catalogue.url and not (settings.data / CATALOGUE).exists():
        return False
    with reading(engine) as connection:
        return inspect(connection).has_table("archive_facts")


def archive_place(settings: Settings) -> str:
    """Say where the archive is, for people."""
    return settings.catalogue.url or str(settings.data)


def refuse_missing(settings: Settings, engine: Engine) -> None:
    """Raise NotFound where no archive is."""
    if not is_there(settings, engine):
        raise NotFound(
            f"There is no archive in {archive_place(settings)}.",
            next_step="Run 'holdfast init', or name the folder with --data.",
        )


def archive_id(engine: Engine) -> str:
    """Return the archive's id, 32 hex digits.

    Raises:
        Unavailable: The archive was not made to the end.
        Corrupt: It is no id of ours any more.
    """
    with reading(engine) as connection:
        found = fact(connection, ARCHIVE_ID)
    if found is None:
        raise Unavailable(
            "The archive was not made to the end.", next_step="Run 'holdfast init' again."
        )
    if not _ARCHIVE_ID.fullmatch(found):
        raise Corrupt(
            "The archive's id in the catalogue is damaged.",
            next_step="Restore the catalogue from a backup; originals are in the vault.",
        )
    return found


def log_origin(engine: Engine) -> str:
    """Name the log for good: what the archive is called in the settings may change."""
    return f"holdfast/{archive_id(engine)}"


def vault_config(settings: Settings, engine: Engine) -> LocalVaultConfig:
    """Return the place of the segment files."""
    name = bytes.fromhex(archive_id(engine))
    return LocalVaultConfig(settings.data, name, settings.vault.segment_mib * _MIB)


def make_vault(settings: Settings, engine: Engine) -> None:
    """Make what a new vault needs; repeating it is harmless.

    Raises:
        Refused: Object Lock is asked for and the server does not enforce it.
        Unavailable: The disk or the bucket cannot be used.
    """
    if settings.vault.url:
        open_vault(settings, engine, SystemClock())
    else:
        LocalVault.create(vault_config(settings, engine))


def open_vault(settings: Settings, engine: Engine, clock: Clock) -> KeptVault:
    """Open the vault; in WORM mode only when the server proves that it enforces Object Lock.

    Raises:
        Refused: A call that Object Lock forbids succeeded.
        Unavailable: The vault is missing, empty beside a catalogue that knows originals, or the
            server cannot be used.
    """
    if not settings.vault.url:
        _refuse_lost_originals(settings, engine)
        return LocalVault(vault_config(settings, engine), clock)
    need_client("obstore", "S3")
    from holdfast.core.ports import LockMode
    from holdfast.storage.s3_vault import S3Vault, S3VaultConfig, Worm

    where, worm = bucket_config(settings), None
    if settings.vault.worm != "off":
        worm = Worm(LockMode(settings.vault.worm), settings.vault.retain_days)
        _prove_now_and_then(engine, where, worm.mode, clock)
    vault = S3Vault(S3VaultConfig(where, bytes.fromhex(archive_id(engine)), worm), clock)
    vault.check()
    if _knows_originals(engine) and vault.is_empty():
        raise Unavailable(
            f"The vault in {settings.vault.url} is empty, and the catalogue knows originals.",
            next_step="Correct vault.url and vault.endpoint, or restore the bucket.",
        )
    return vault


def _prove_now_and_then(engine: Engine, where: BucketConfig, mode: LockMode, clock: Clock) -> None:
    """Prove Object Lock unless a process of this archive did so a short while ago.

    A proof costs a dozen requests and leaves a locked canary: too much for each of many commands.
    """
    from holdfast.storage.s3.canary import prove_worm

    now_ms = int(clock.now().timestamp() * 1000)
    proved = f"{mode.value} {where.endpoint} {where.bucket} "
    with reading(engine) as connection:
        found = fact(connection, WORM_PROOF) or ""
    if found.startswith(proved) and now_ms - int(found.removeprefix(proved)) < PROOF_HOLDS_MS:
        return
    prove_worm(where, mode, clock)
    with writing(engine) as connection:
        change_fact(connection, WORM_PROOF, f"{proved}{now_ms}")


def _refuse_lost_originals(settings: Settings, engine: Engine) -> None:
    """An empty vault beside a catalogue that is not empty is a disk that is not mounted."""
    segments = vault_config(settings, engine).segments
    if _knows_originals(engine) and not any(segments.glob("*")):
        raise Unavailable(
            f"The vault in {segments} is empty, and the catalogue knows originals.",
            next_step="Mount the disk that holds it, or restore it.",
        )


def _knows_originals(engine: Engine) -> bool:
    with reading(engine) as connection:
        return connection.scalar(select(originals.c.id).limit(1)) is not None


def bucket_config(settings: Settings, url: str = "") -> BucketConfig:
    """Return where the bucket is, by default the vault's, which the settings name then."""
    from holdfast.storage.s3.config import BucketConfig, bucket_of

    bucket, prefix = bucket_of(url or settings.vault.url)
    return BucketConfig(
        bucket=bucket,
        prefix=prefix,
        endpoint=settings.vault.endpoint,
        region=settings.vault.region,
        access_key=settings.vault.access_key,
        secret_key=secret(settings.vault, "secret_key"),
    )


def index_home(settings: Settings, store: Store) -> Home:
    """Return the home of the index; nothing is opened before it is used."""
    if not settings.index.url:
        from holdfast.indexer.tantivy_index import TantivyIndex

        heap_bytes = settings.index.heap_mib * _MIB
        return IndexHome(
            store, settings.data / INDEX, lambda folder: TantivyIndex(folder, heap_bytes)
        )
    need_client("elasticsearch", "Elasticsearch")
    from holdfast.indexer.elastic.connection import ElasticConfig
    from holdfast.ingest.elastic_home import ElasticHome

    return ElasticHome(
        store,
        ElasticConfig(
            urls=tuple(settings.index.url.split()),
            user=settings.index.user,
            password=secret(settings.index, "password"),
            ca_file=settings.index.ca_file,
            prefix=settings.index.prefix,
            shards=settings.index.shards,
            replicas=settings.index.replicas,
        ),
    )


def log_place(settings: Settings) -> LogFiles:
    """Return where the tiles of the audit log are: beside the segments, or in their bucket."""
    if not settings.vault.url:
        return FolderFiles(settings.data / LOG)
    need_client("obstore", "S3")
    from holdfast.storage.s3.bucket import Bucket
    from holdfast.storage.s3.log_files import BucketFiles

    return BucketFiles(Bucket(bucket_config(settings)), SystemClock())


def need_client(module: str, engine: str) -> None:
    """Raise Unavailable where the client of an engine is not installed."""
    if find_spec(module) is None:
        raise Unavailable(
            f"The client for {engine} is not installed.",
            next_step="Install holdfast with its extra: pip install 'holdfast[engines]'.",
        )
