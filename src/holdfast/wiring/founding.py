"""Makes a new archive, and refuses to make one over what is left of another.

Every step may be repeated: what a killed run left undone is done.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from sqlalchemy import Engine, func, select

from holdfast.core.errors import Corrupt, Unavailable
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.facts import ARCHIVE_ID, settle_fact
from holdfast.storage.catalogue.migrations import upgrade
from holdfast.storage.catalogue.schema import originals
from holdfast.storage.catalogue.turns import awaited_turn
from holdfast.storage.durable import SystemFiles, make_folder, unavailable
from holdfast.storage.keyring import Keyring, signing_path
from holdfast.storage.moving.marks import refuse_marked
from holdfast.storage.tile_files import CHECKPOINT as PUBLISHED
from holdfast.storage.tlog_tiles import TileLog
from holdfast.wiring.engines import is_there, log_origin, log_place, make_vault, open_catalogue
from holdfast.wiring.places import CHECKPOINT, FOUNDING_LOCK, KEYRING, SPOOL


def create_archive(settings: Settings) -> None:
    """Make the folders, the catalogue, the keyring and the log of a new archive.

    Repeating it is harmless, at the same time too; what a killed run left undone is done.

    Raises:
        Conflict: An archive has moved away from there, or has not arrived whole.
        Unavailable: The catalogue was written by a newer program, or a part cannot be made.
    """
    data = settings.data
    try:
        for folder in (data, data / SPOOL, settings.keys_folder):
            make_folder(SystemFiles(), folder)
    except OSError as error:
        raise unavailable(error, "making the archive's folders") from error
    engine = open_catalogue(settings)
    try:
        # Two commands may find no archive at the same moment; each part is made by one of them.
        with awaited_turn(engine, data / FOUNDING_LOCK):
            if is_there(settings, engine):
                refuse_marked(engine)
            upgrade(engine)
            _name_archive(engine)
            _create_parts(settings, engine)
    finally:
        engine.dispose()


def _create_parts(settings: Settings, engine: Engine) -> None:
    keyring = settings.keys_folder / KEYRING
    if not keyring.exists():
        _refuse_lost_keys(engine, keyring)
        _remove_half_made_keys(settings)
        Keyring.create(keyring)
    make_vault(settings, engine)
    log = log_place(settings)
    if log.read(PUBLISHED) is None:
        _refuse_lost_log(settings, log.place)
        TileLog.create(log, Keyring.open(keyring).signing_key(), log_origin(engine))


def _refuse_lost_log(settings: Settings, place: str) -> None:
    """Never begin a new log where an earlier one was lost."""
    if (settings.keys_folder / CHECKPOINT).exists():
        raise Corrupt(
            f"The audit log in {place} is missing.",
            next_step="Restore it from a backup. To begin another archive, move "
            f"{settings.keys_folder} away as well.",
        )


def _name_archive(engine: Engine) -> None:
    with writing(engine) as connection:
        settle_fact(connection, ARCHIVE_ID, secrets.token_hex(16))


def _originals(engine: Engine) -> int:
    with reading(engine) as connection:
        return connection.scalar(select(func.count()).select_from(originals)) or 0


def _refuse_lost_keys(engine: Engine, keyring: Path) -> None:
    """Never make a new keyring beside originals that the old one locks."""
    if _originals(engine):
        raise Unavailable(
            f"The keyring {keyring} is missing, and the archive holds originals under it.",
            next_step="Restore the keyring from its backup.",
        )


def _remove_half_made_keys(settings: Settings) -> None:
    """Remove a signing key that signed nothing: making the keyring beside it was killed."""
    was_kept = (settings.keys_folder / CHECKPOINT).exists()
    is_used = was_kept or log_place(settings).read(PUBLISHED) is not None
    if not is_used:
        signing_path(settings.keys_folder / KEYRING).unlink(missing_ok=True)
