"""`backup` and `restore`: keep a second copy of an archive, and bring it back."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.screen import GOOD, amount, size
from holdfast.cli.stages import Stages
from holdfast.core.errors import Refused

if TYPE_CHECKING:
    from holdfast.cli.screen import Screen
    from holdfast.cli.session import Session
    from holdfast.storage.backup.manifest import Backup


_TRAVELLING = ("archive.", "limits.")
"""Settings that do not depend on the host."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    add(app, "backup", backup, BackupOptions, (0, 1, 2, 4, 5, 6, 7))
    add(app, "restore", restore, RestoreOptions, (0, 1, 2, 4, 5, 6, 7))


PassphraseFile = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file", metavar="FILE", show_default=False,
        help="File that holds the passphrase of the sealed keys; else it is asked for.",
    ),
]  # fmt: skip
PassphraseCommand = Annotated[
    str,
    typer.Option(
        "--passphrase-command", metavar="COMMAND", show_default=False,
        help="Command that prints the passphrase; run without a shell.",
    ),
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class BackupOptions:
    """Options of `backup`."""

    folder: Annotated[
        Path, typer.Argument(metavar="DEST", help="Folder that holds the backups of this archive.")
    ]
    keys_to: Annotated[
        Path | None,
        typer.Option(
            "--keys-to", metavar="DIR", show_default=False,
            help="Seal the keys under a passphrase as a file in this folder, apart from DEST.",
        ),
    ] = None  # fmt: skip
    beside: Annotated[
        bool,
        flag("--keys-beside-data", text="Allow --keys-to in DEST or in the data folder."),
    ] = False
    passphrase_file: PassphraseFile = None
    passphrase_command: PassphraseCommand = ""
    is_check: Annotated[
        bool, flag("--verify", text="Make no backup: read all backups in DEST and hash them.")
    ] = False
    manifest: Annotated[
        str,
        typer.Option(
            "--manifest", metavar="NAME", show_default=False,
            help="With --verify: only this backup.",
        ),
    ] = ""  # fmt: skip
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def backup(session: Session, options: BackupOptions) -> int | None:
    """Add a backup of the archive to a folder; imports and searches may go on meanwhile.

    It holds the catalogue, every original, the audit log and the settings without secrets. What
    earlier backups in the folder hold is not copied again, and they stay as they are. The keys are
    not among it: --keys-to seals them under a passphrase, in a place of its own.
    """
    if options.is_check:
        return _verify(session, options)
    from holdfast.wiring.backups import KeyPlace, back_up_archive

    keys = None
    if options.keys_to is not None:
        _refuse_beside(session, options)
        ask = _passphrase(options.passphrase_file, options.passphrase_command, is_new=True)
        keys = KeyPlace(options.keys_to, ask)
    with Stages(session.screen) as stages:
        done = back_up_archive(session.settings, session.actor, options.folder, keys, stages.show)
    made = done.made.backup
    facts = {**_facts(made), "new_bytes": done.made.new_bytes}
    facts["keys"] = str(done.keys) if done.keys else ""
    if options.as_json:
        session.screen.json({"schema": "holdfast.backed-up/1", **facts})
        return None
    session.screen.result("Backed up: {path}.", style=GOOD, path=made.path)
    _print(session.screen, made, [("New in this backup", size(done.made.new_bytes))])
    if done.keys:
        session.screen.note("The keys are sealed in {path}.", path=done.keys)
        session.screen.note("Keep the passphrase where neither of the two is.")
    else:
        session.screen.warn(
            "The keys are not in it, and without them it cannot be opened: --keys-to seals them."
        )
    return None


def _refuse_beside(session: Session, options: BackupOptions) -> None:
    if options.beside or options.keys_to is None:
        return
    place = options.keys_to.resolve()
    for other in (options.folder.resolve(), session.settings.data.resolve()):
        if place == other or other in place.parents:
            raise Refused(
                f"{options.keys_to} is beside the data that the keys open.",
                next_step="Name a folder elsewhere, or add --keys-beside-data.",
            )


def _verify(session: Session, options: BackupOptions) -> int:
    from holdfast.core.errors import HoldfastError, NotFound
    from holdfast.storage.backup.manifest import backups, find, read_manifest
    from holdfast.storage.backup.stored import check

    chosen = [find(options.folder, options.manifest).path] if options.manifest else []
    paths = chosen or backups(options.folder)
    if not paths:
        raise NotFound(f"There is no backup in {options.folder}.")
    status = 0
    for path in paths:
        try:
            found = read_manifest(path)
            with Stages(session.screen) as stages:
                read = check(
                    found,
                    is_read=True,
                    on_progress=lambda done, total, read: stages.show(
                        "checking", done, total, read
                    ),
                )
        except HoldfastError as error:
            status = max(status, error.exit_status)
            _print_broken(session, path, error, as_json=options.as_json)
            continue
        if options.as_json:
            facts = {**_facts(found), "is_whole": True, "parts": read.parts, "bytes": read.bytes}
            session.screen.json({"schema": "holdfast.backup-check/1", **facts})
        else:
            session.screen.result("{path}: whole.", style=GOOD, path=path)
            _print(session.screen, found, [("Read", size(read.bytes))])
    return status


def _print_broken(session: Session, path: Path, error: Exception, *, as_json: bool) -> None:
    from holdfast.cli.screen import BAD
    from holdfast.core.errors import HoldfastError

    cause = error.cause if isinstance(error, HoldfastError) else str(error)
    if as_json:
        facts = {"manifest": str(path), "is_whole": False, "cause": cause}
        session.screen.json({"schema": "holdfast.backup-check/1", **facts})
    else:
        session.screen.result(
            "{path}: not whole. {cause}", style=BAD, path=path, cause=session.screen.told(cause)
        )


@dataclass(frozen=True, slots=True)
class RestoreOptions:
    """Options of `restore`."""

    folder: Annotated[Path, typer.Argument(metavar="SRC", help="Folder that holds the backups.")]
    keys_from: Annotated[
        Path,
        typer.Option(
            "--keys-from", metavar="PLACE",
            help="The sealed keys, or their folder, or a folder that holds the keyring itself.",
        ),
    ]  # fmt: skip
    manifest: Annotated[
        str,
        typer.Option(
            "--manifest", metavar="NAME", show_default=False,
            help="Which backup; else the newest.",
        ),
    ] = ""  # fmt: skip
    passphrase_file: PassphraseFile = None
    passphrase_command: PassphraseCommand = ""
    no_index: Annotated[
        bool, flag("--no-index", text="Leave the search index to the next import or reindex.")
    ] = False
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def restore(session: Session, options: RestoreOptions) -> None:
    """Bring a backup back, on a host where nothing of the archive is.

    It is brought to where --data and the settings say, from any engines to any. Nothing is written
    before the whole backup has been read and the keys open it. The same command goes on where an
    interrupted one ended.
    """
    from holdfast.storage.backup.manifest import find
    from holdfast.wiring.arrivals import index_arrived
    from holdfast.wiring.backups import KeyPlace, restore_archive

    found = find(options.folder, options.manifest)
    ask = _passphrase(options.passphrase_file, options.passphrase_command, is_new=False)
    with Stages(session.screen) as stages:
        done = restore_archive(
            session.settings,
            found,
            KeyPlace(options.keys_from, ask),
            session.actor,
            stages.show,
        )
        indexed = 0
        if not options.no_index:
            indexed = index_arrived(
                session.settings,
                session.actor,
                lambda step, total: stages.show("indexing", step, total, 0),
            )
    _keep_settings(session, found)
    if options.as_json:
        facts = {"indexed": indexed, "entries_after": done.entries_after}
        session.screen.json({"schema": "holdfast.restored/1", **_facts(found), **facts})
        return
    session.screen.result(
        "Restored the archive of {time}.", style=GOOD, time=found.manifest.made_at
    )
    _print(session.screen, found, [("Indexed", amount(indexed))])
    if done.entries_after:
        session.screen.warn(
            "The audit log had gained {count} entries after this backup: what they tell of is not "
            "in it. The later checkpoint is kept beside the keys.",
            count=amount(done.entries_after),
        )
    session.screen.hint("Next: holdfast verify")


def _keep_settings(session: Session, found: Backup) -> None:
    """Write what the archive is called and how it parses, where no settings file says it."""
    from holdfast.cli.settings_file import render
    from holdfast.settings import FILE_NAME
    from holdfast.storage.durable import SystemFiles, replace_file

    file = session.settings.data / FILE_NAME
    if not file.exists() and not session.loaded.file.exists():
        chosen = {
            name: value
            for name, value in found.manifest.settings.items()
            if name.startswith(_TRAVELLING)
        }
        replace_file(SystemFiles(), file, render(chosen).encode())


def _facts(found: Backup) -> dict[str, object]:
    manifest = found.manifest
    return {
        "manifest": str(found.path),
        "made_at": manifest.made_at,
        "archive_id": manifest.archive_id,
        "originals": manifest.tables["originals"].rows.rows,
        "interactions": manifest.tables["interactions"].rows.rows,
        "segment_bytes": manifest.segment_bytes,
        "log_size": manifest.log.size,
        "log_root": manifest.log.root,
    }


def _print(screen: Screen, found: Backup, more: list[tuple[str, str]]) -> None:
    tables = found.manifest.tables
    screen.facts(
        [
            ("Taken at", found.manifest.made_at),
            (
                "Originals",
                f"{amount(tables['originals'].rows.rows)} ({size(found.manifest.segment_bytes)})",
            ),
            ("Interactions", amount(tables["interactions"].rows.rows)),
            ("Log entries", amount(found.manifest.log.size)),
            ("Log root", found.manifest.log.root),
            *more,
        ]
    )


def _passphrase(file: Path | None, command: str, *, is_new: bool) -> Callable[[], str]:
    """Return how the passphrase is had: from its file, its command, or the person."""

    def ask() -> str:
        from holdfast.settings.secrets import secret_of

        if file is not None or command:
            return secret_of("passphrase", file, command)
        if not sys.stdin.isatty():
            raise Refused(
                "The keys are sealed under a passphrase, and nobody can be asked for it here.",
                next_step="Give --passphrase-file or --passphrase-command.",
            )
        text: str = typer.prompt(
            "Passphrase of the keys", hide_input=True, confirmation_prompt=is_new, err=True
        )
        return text

    return ask
