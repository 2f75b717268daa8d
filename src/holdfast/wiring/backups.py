"""Makes backups of an archive and brings one back: opens what that takes and hands it over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast import __version__
from holdfast.core.errors import Corrupt, Refused
from holdfast.settings import Settings, leaves
from holdfast.storage.audit import Event, canonical_digest, record_events
from holdfast.storage.backup.making import Backing, Made, back_up
from holdfast.storage.backup.manifest import Backup, Manifest
from holdfast.storage.backup.sealed_keys import find_sealed, open_keys, seal_keys
from holdfast.storage.backup.stored import Stored, check, refuse_newer
from holdfast.storage.catalogue.engine import writing
from holdfast.storage.checkpoint import open_checkpoint, verifier_key
from holdfast.storage.durable import unavailable
from holdfast.storage.keyring import Keyring, signing_path
from holdfast.storage.moving.marks import Arrival
from holdfast.wiring.archive import Services, open_archive
from holdfast.wiring.arrivals import (
    Journey,
    Report,
    bring_to,
    finish,
    has_arrived,
    put_keys,
    refuse_occupied,
    segments_of,
)
from holdfast.wiring.engines import (
    archive_id,
    log_place,
)
from holdfast.wiring.places import CHECKPOINT, KEYRING

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """Where sealed keys go, or keys come from."""

    path: Path
    """A folder or file of sealed keys; to restore also a folder with the keyring itself."""
    passphrase: Callable[[], str]
    """Asks for it when it is needed."""


@dataclass(frozen=True, slots=True)
class BackedUp:
    """A backup that was made."""

    made: Made
    keys: Path | None
    """The sealed keys that were written beside it."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of a restore."""

    backup: Backup
    entries_after: int
    """Entries that the audit log had gained after the backup, as far as the keys' own checkpoint
    knows: what they tell of is not in the restored archive."""


def back_up_archive(
    settings: Settings,
    actor: str,
    folder: Path,
    keys: KeyPlace | None,
    on_progress: Report,
) -> BackedUp:
    """Add a backup of the archive to the folder, beside writers, and seal its keys apart from it.

    Raises:
        NotFound: There is no archive.
        Refused: The passphrase is too short, or the folder holds another archive's backups.
        Unavailable: A disk refused; earlier backups are whole.
    """
    passphrase = keys.passphrase() if keys else ""
    with open_archive(settings, actor) as services:
        services.desk.sequencer.run()
        services.log.refresh()
        backing = Backing(
            store=services.store,
            archive_id=archive_id(services.store.engine),
            open_segment=segments_of(settings, services.store.engine),
            log=services.log,
            log_files=log_place(settings),
            program=__version__,
            settings=_shown(settings),
            on_progress=on_progress,
        )
        made = back_up(backing, folder)
        manifest = made.backup.manifest
        sealed = None
        if keys:
            contents = _key_files(settings, manifest)
            about = {"archive_id": manifest.archive_id, "made_at": manifest.made_at}
            sealed = seal_keys(keys.path, contents, passphrase, **about)
        _note(services, "backup", manifest)
    return BackedUp(made, sealed)


def restore_archive(
    settings: Settings, backup: Backup, keys: KeyPlace, actor: str, on_progress: Report
) -> Restored:
    """Bring a backup back as the archive of these settings, whose places are empty.

    Nothing is written before the whole backup has been read and the keys open it. A restore that
    was interrupted is gone on with by the same call.

    Raises:
        Conflict: Something is there already.
        Refused: The keys are of another archive, or the passphrase is wrong.
        Corrupt: The backup is not whole.
        Unavailable: It was made by a newer program, or something refused.
    """
    refuse_newer(backup)
    wanted = Arrival(
        origin=f"backup {backup.manifest.archive_id} {backup.manifest.made_at}",
        command=f"holdfast restore {backup.folder} --manifest {backup.path.name}",
    )
    if has_arrived(settings, wanted):  # it was interrupted while the index was made
        return Restored(backup, 0)
    refuse_occupied(settings, wanted)
    keyring, after = _fetch_keys(settings, backup.manifest, keys)
    check(
        backup,
        is_read=True,
        on_progress=lambda done, total, size: on_progress("checking", done, total, size),
    )
    bring_to(Journey(settings, Stored(backup), keyring, wanted, on_progress=on_progress))
    finish(settings, backup.manifest.log.note.encode())
    with open_archive(settings, actor) as services:
        _note(services, "restore", backup.manifest)
    return Restored(backup, after)


def _shown(settings: Settings) -> dict[str, object]:
    """Return what was set, but neither secrets nor the commands that print them."""
    plain = settings.model_dump(mode="json", exclude_defaults=True)
    secret_names = {"password", "secret_key", "password_command", "secret_key_command"}
    return {
        name: value for name, value in leaves(plain) if name.rpartition(".")[2] not in secret_names
    }


def _key_files(settings: Settings, manifest: Manifest) -> dict[str, bytes]:
    keyring = settings.keys_folder / KEYRING
    try:
        return {
            KEYRING: keyring.read_bytes(),
            signing_path(keyring).name: signing_path(keyring).read_bytes(),
            CHECKPOINT: manifest.log.note.encode(),
        }
    except OSError as error:
        raise unavailable(error, "reading the keys") from error


def _note(services: Services, kind: str, manifest: Manifest) -> None:
    store = services.store
    context = canonical_digest([kind, manifest.made_at, manifest.log.size, manifest.log.root])
    event = Event(kind, "", None, store.now_ms(), store.actor, context)
    with writing(store.engine) as connection:
        record_events(connection, [event], store.ids)


def _fetch_keys(settings: Settings, manifest: Manifest, place: KeyPlace) -> tuple[Keyring, int]:
    """Put the keys where the archive looks for them, once it is known that they open the backup."""
    folder = settings.keys_folder
    if (folder / KEYRING).exists():
        return _opened(folder, manifest)
    contents = _key_contents(place, manifest.archive_id)
    put_keys(folder, contents, lambda fresh: _opened(fresh, manifest))
    return _opened(folder, manifest)


def _key_contents(place: KeyPlace, archive: str) -> dict[str, bytes]:
    keyring = place.path / KEYRING
    if not keyring.exists():
        return open_keys(find_sealed(place.path), place.passphrase(), archive)
    Keyring.open(keyring).signing_key()  # says what is wrong with it, if anything is
    names = (KEYRING, signing_path(keyring).name, CHECKPOINT)
    return {
        name: (place.path / name).read_bytes() for name in names if (place.path / name).exists()
    }


def _opened(folder: Path, manifest: Manifest) -> tuple[Keyring, int]:
    """Open the keyring, after proving on the backup's own samples that it is the right one."""
    keyring = Keyring.open(folder / KEYRING)
    public = keyring.signing_key().public_key()
    try:
        for proof in manifest.keys:
            keyring.unwrap(
                bytes.fromhex(proof.wrapped), proof.version, bytes.fromhex(proof.content_id)
            )
        is_right = verifier_key(manifest.log.origin, public) == manifest.log.verifier_key
    except Corrupt:
        is_right = False
    if not is_right:
        raise Refused(
            f"The keys in {folder} do not open this backup: they are another archive's, or older.",
            next_step="Name the keys that were sealed with this backup, or later ones.",
        )
    kept = folder / CHECKPOINT
    if not kept.exists():
        return keyring, 0
    later = open_checkpoint(kept.read_bytes(), public, manifest.log.origin)
    return keyring, max(later.size - manifest.log.size, 0)
