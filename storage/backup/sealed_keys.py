"""Keep the keys of an archive in one file under a passphrase; never in the clear, never logged.

The passphrase goes through scrypt (RFC 7914) to a key for AES-256-GCM, with everything readable in
the file as associated data.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from holdfast.core.errors import Corrupt, NotFound, Refused
from holdfast.storage.durable import SystemFiles, make_folder, unavailable, write_new

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCHEMA = "holdfast.keys/1"
LEAST_PASSPHRASE = 12
"""Characters; a short one can be guessed from the file alone."""
_SUFFIX = ".sealed"
_PREFIX = "keys-"
_LOG2_COST = 17  # 128 MiB of memory and about half a second for each guess
_BLOCK = 8
_NEXT = "Give the passphrase that this file was sealed with."


class _Header(msgspec.Struct, frozen=True):
    schema: str
    archive_id: str
    made_at: str
    salt: str
    log2_cost: int
    nonce: str


class _Sealed(msgspec.Struct, frozen=True):
    header: _Header
    keys: str


def seal_keys(
    folder: Path, contents: Mapping[str, bytes], passphrase: str, *, archive_id: str, made_at: str
) -> Path:
    """Write the files under the passphrase as a new file in the folder, durably; return its path.

    Raises:
        Refused: The passphrase is too short.
        Unavailable: The disk refused.
    """
    if len(passphrase) < LEAST_PASSPHRASE:
        raise Refused(
            f"The passphrase has fewer than {LEAST_PASSPHRASE} characters.",
            next_step="Use several random words, and keep them where the backup is not.",
        )
    salt, nonce = os.urandom(16), os.urandom(12)
    header = _Header(SCHEMA, archive_id, made_at, salt.hex(), _LOG2_COST, nonce.hex())
    plain = msgspec.msgpack.encode(dict(contents))
    cipher = AESGCM(_derived(passphrase, header))
    sealed = cipher.encrypt(nonce, plain, msgspec.json.encode(header))
    text = msgspec.json.encode(_Sealed(header, sealed.hex())) + b"\n"
    stamp = "".join(sign for sign in made_at if sign not in "-:")
    path = folder / f"{_PREFIX}{stamp}{_SUFFIX}"
    files = SystemFiles()
    try:
        make_folder(files, folder)
        write_new(files, path, text)
        files.fsync_folder(folder)
    except OSError as error:
        raise unavailable(error, "writing the sealed keys") from error
    return path


def find_sealed(place: Path) -> Path:
    """Return the file itself, or the newest of sealed keys in a folder.

    Raises:
        NotFound: There is none.
    """
    if place.is_file():
        return place
    found = sorted(place.glob(f"{_PREFIX}*{_SUFFIX}"))
    if not found:
        raise NotFound(
            f"There are no sealed keys in {place}.",
            next_step="Name the file or the folder that 'holdfast backup --keys-to' wrote.",
        )
    return found[-1]


def open_keys(path: Path, passphrase: str, archive_id: str) -> dict[str, bytes]:
    """Return the files that were sealed.

    Raises:
        Refused: The passphrase is wrong, or the keys are of another archive.
        Corrupt: It is not a file of sealed keys.
        Unavailable: The disk refused.
    """
    try:
        sealed = msgspec.json.decode(path.read_bytes(), type=_Sealed)
        key = _derived(passphrase, sealed.header)
    except OSError as error:
        raise unavailable(error, "reading the sealed keys") from error
    except (msgspec.DecodeError, ValueError, MemoryError) as error:
        raise _broken(path) from error
    header = sealed.header
    if header.schema != SCHEMA:
        raise _broken(path)
    if header.archive_id != archive_id:
        raise Refused(
            f"{path} holds the keys of another archive.", next_step="Name those of this archive."
        )
    try:
        nonce, text = bytes.fromhex(header.nonce), bytes.fromhex(sealed.keys)
        plain = AESGCM(key).decrypt(nonce, text, msgspec.json.encode(header))
    except InvalidTag:
        raise Refused(
            "The passphrase is wrong, or the file of sealed keys was altered.", next_step=_NEXT
        ) from None
    except ValueError as error:
        raise _broken(path) from error
    return msgspec.msgpack.decode(plain, type=dict[str, bytes])


def _derived(passphrase: str, header: _Header) -> bytes:
    cost = 1 << min(header.log2_cost, 20)  # a hostile file must not take all memory
    kdf = Scrypt(salt=bytes.fromhex(header.salt), length=32, n=cost, r=_BLOCK, p=1)
    return kdf.derive(passphrase.encode())


def _broken(path: Path) -> Corrupt:
    return Corrupt(
        f"{path} is not a file of sealed keys, or it was altered.",
        next_step="Use another copy of it.",
        file=str(path),
    )
