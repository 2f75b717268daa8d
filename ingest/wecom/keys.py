"""The step of decryption that is public: RSA with the private key of a version, kept by us.

What comes out of it opens one message, by the vendor's own cipher. Old keys stay for ever: a
message names the version that it needs.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from holdfast.core.errors import Refused
from holdfast.ingest.wecom.place import refuse_open


class Closed(Exception):
    """A message cannot be opened; the word says why, for the ledger."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class Keys:
    """The private keys of a corporation, read when they are needed."""

    folder: Path
    _known: dict[int, RSAPrivateKey] = field(default_factory=dict, repr=False)

    def random_key(self, encrypted: str, version: int) -> bytes:
        """Return what `encrypt_random_key` holds (RSA, PKCS#1 v1.5).

        Raises:
            Closed: The key of this version is missing, or is another one.
            Refused: The key may be read by others of this machine, or is no key.
        """
        try:
            sealed = base64.b64decode(encrypted, validate=True)
        except (binascii.Error, ValueError) as error:
            raise Closed("random_key_damaged") from error
        try:
            return self._key(version).decrypt(sealed, PKCS1v15())
        except ValueError as error:
            raise Closed(f"key_wrong:{version}") from error

    def versions(self) -> list[int]:
        """Return the versions that there are keys of."""
        found = (path.stem for path in self.folder.glob("*.pem"))
        return sorted(int(one) for one in found if one.isascii() and one.isdecimal())

    def _key(self, version: int) -> RSAPrivateKey:
        if version not in self._known:
            path = self.folder / f"{version}.pem"
            if not path.is_file():
                raise Closed(f"key_missing:{version}")
            refuse_open(path)
            try:
                key = load_pem_private_key(path.read_bytes(), None)
            except (ValueError, TypeError, UnsupportedAlgorithm) as error:
                raise _no_key(path) from error
            if not isinstance(key, RSAPrivateKey):
                raise _no_key(path)
            self._known[version] = key
        return self._known[version]


def _no_key(path: Path) -> Refused:
    step = "Put the private key that was made for WeCom there, as PEM without a password."
    return Refused(f"{path} is no RSA private key.", next_step=step)
