"""Hold the keys that wrap every original's key, outside the data folder; never shows or logs one.

The file is JSON, mode 0600, in a folder of mode 0700, always replaced whole. Old versions stay, so
that what they wrapped opens until it has been wrapped again. The audit log's signing key stands in
a file beside it.
"""

from __future__ import annotations

import base64
import hmac
import os
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from holdfast.core.errors import Conflict, Corrupt, Refused, Unavailable
from holdfast.storage.durable import Files, SystemFiles, make_folder, replace_file, unavailable

_FORMAT = 1
_KEY_BYTES = 32
_NONCE_BYTES = 12
_OTHERS = 0o077
_RESTORE = "Put the keyring back from its backup; without it nothing can be opened."


class _KeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The JSON on disk."""

    format: int
    current: int
    keys: dict[int, str]
    """Version → base64 of 32 bytes."""

    def __repr__(self) -> str:
        return f"_KeyFile(current={self.current})"


class Keyring:
    """Key-encryption keys by version; one process may share it between threads.

    A nonce is random for each wrapping, so one version may wrap 2^32 keys (NIST SP 800-38D, 8.3);
    rotate before that.
    """

    def __init__(self, path: Path, stored: _KeyFile, files: Files) -> None:
        """Use `open` or `create`."""
        self._path = path
        self._files = files
        self._stored = stored
        self._ciphers = {
            version: AESGCM(_decoded(text, path)) for version, text in stored.keys.items()
        }
        if stored.current not in self._ciphers:
            raise Corrupt("The keyring lacks its current key.", next_step=_RESTORE, path=str(path))

    def __repr__(self) -> str:
        return f"Keyring(path={str(self._path)!r}, current={self.current})"

    @classmethod
    def create(cls, path: Path, files: Files | None = None) -> Keyring:
        """Make a new keyring with its first key, and the signing key beside it, both durable.

        Raises:
            Conflict: A keyring or a signing key is there already; it is never overwritten.
            Refused: The folder exists and others may enter it.
            Unavailable: The disk refused.
        """
        files = files or SystemFiles()
        signing = signing_path(path)
        if path.exists() or signing.exists():
            raise Conflict(
                "A keyring, or the signing key of one, is there already.",
                next_step=f"Open it. After a creation that was interrupted remove {signing}.",
                path=str(path),
            )
        stored = _KeyFile(_FORMAT, 1, {1: _fresh_key()})
        seed = base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw())
        try:
            make_folder(files, path.parent)
            _check_private(path.parent)
            replace_file(files, signing, seed + b"\n")
            replace_file(files, path, msgspec.json.format(msgspec.json.encode(stored)))
        except OSError as error:
            raise unavailable(error, "creating the keyring") from error
        return cls(path, stored, files)

    @classmethod
    def open(cls, path: Path, files: Files | None = None) -> Keyring:
        """Read the keyring.

        Raises:
            Unavailable: The file is missing or cannot be read.
            Refused: Others than the owner may read it, or enter its folder.
            Corrupt: It is not a keyring.
        """
        raw = _read_private(path)
        try:
            stored = msgspec.json.decode(raw, type=_KeyFile)
        except msgspec.DecodeError:
            stored = None  # the error's own text may quote the content
        if stored is None or stored.format != _FORMAT:
            raise Corrupt("The file is not a keyring.", next_step=_RESTORE, path=str(path))
        return cls(path, stored, files or SystemFiles())

    @property
    def current(self) -> int:
        """Version that wraps new keys."""
        return self._stored.current

    @property
    def versions(self) -> tuple[int, ...]:
        """Every version that can unwrap, ascending."""
        return tuple(sorted(self._ciphers))

    def wrap(self, key: bytes, content_id: bytes = b"") -> tuple[bytes, int]:
        """Return the key encrypted under the current version, and that version.

        Args:
            key: The original's key.
            content_id: Binds the result to its original; the same must be given to `unwrap`.
        """
        nonce = os.urandom(_NONCE_BYTES)
        version = self._stored.current
        return nonce + self._ciphers[version].encrypt(nonce, key, content_id), version

    def unwrap(self, wrapped: bytes, version: int, content_id: bytes = b"") -> bytes:
        """Return the key that was wrapped.

        Raises:
            Corrupt: The version is unknown here, or the wrapped key or its binding was altered.
        """
        cipher = self._ciphers.get(version)
        if cipher is None:
            raise Corrupt("The keyring lacks a key version.", next_step=_RESTORE, version=version)
        try:
            return cipher.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], content_id)
        except (InvalidTag, ValueError) as error:
            raise Corrupt("A wrapped key does not open.", version=version) from error

    def derived(self, purpose: bytes, version: int) -> bytes:
        """Return a key for something else than wrapping; it tells nothing of the one it is from.

        Args:
            purpose: Names what it is for; another purpose has another key.
            version: Of the key that it is from.

        Raises:
            Corrupt: The keyring lacks that version.
        """
        text = self._stored.keys.get(version)
        if text is None:
            raise Corrupt("The keyring lacks a key version.", next_step=_RESTORE, version=version)
        # HKDF-Expand for one block (RFC 5869, 2.3): the key is uniform, so there is no Extract.
        info = b"holdfast key " + purpose + b"\x01"
        return hmac.digest(_decoded(text, self._path), info, "sha256")

    def rotate(self) -> int:
        """Add a new key, make it current and durable, and return its version; old ones stay.

        Raises:
            Unavailable: The disk refused; the keyring is as before.
        """
        version = max(self._ciphers) + 1
        text = _fresh_key()
        self._store(_KeyFile(_FORMAT, version, {**self._stored.keys, version: text}))
        self._ciphers[version] = AESGCM(_decoded(text, self._path))
        return version

    def retire(self, version: int) -> None:
        """Destroy an old key for good; whatever it alone wrapped can never be opened again.

        Raises:
            Conflict: It is the current one.
            Refused: There is no such version.
            Unavailable: The disk refused; the keyring is as before.
        """
        if version == self._stored.current:
            raise Conflict("The current key cannot be retired.", next_step="Rotate first.")
        if version not in self._ciphers:
            raise Refused("There is no such key version.", version=version)
        keys = {kept: text for kept, text in self._stored.keys.items() if kept != version}
        self._store(_KeyFile(_FORMAT, self._stored.current, keys))
        del self._ciphers[version]

    def signing_key(self) -> Ed25519PrivateKey:
        """Read the key that signs the audit log's checkpoints; errors as `open`."""
        path = signing_path(self._path)
        return Ed25519PrivateKey.from_private_bytes(_decoded(_read_private(path), path))

    def _store(self, stored: _KeyFile) -> None:
        try:
            replace_file(self._files, self._path, msgspec.json.format(msgspec.json.encode(stored)))
        except OSError as error:
            raise unavailable(error, "replacing the keyring") from error
        self._stored = stored


def signing_path(path: Path) -> Path:
    """Return where the signing key stands that belongs to the keyring at `path`."""
    return path.with_name(f"{path.stem}.signing")


def _fresh_key() -> str:
    return base64.b64encode(os.urandom(_KEY_BYTES)).decode()


def _decoded(text: str | bytes, path: Path) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise Corrupt("A key has the wrong length.", next_step=_RESTORE, path=str(path))
    return key


def _read_private(path: Path) -> bytes:
    try:
        _check_private(path.parent)
        _check_private(path)
        return path.read_bytes()
    except FileNotFoundError as error:
        raise Unavailable("The keyring is missing.", next_step=_RESTORE, path=str(path)) from error
    except OSError as error:
        raise unavailable(error, "reading the keyring") from error


def _check_private(path: Path) -> None:
    mode = path.stat().st_mode & 0o777
    if mode & _OTHERS:
        wanted = "700" if path.is_dir() else "600"
        raise Refused(
            f"{path} may be read by others (mode {mode:o}).",
            next_step=f"Run: chmod {wanted} {path}",
            path=str(path),
        )
