from __future__ import annotations

import errno
import json
import os
import pickle
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from faulty_files import Crash, FaultyFiles
from holdfast.core.errors import Conflict, Corrupt, HoldfastError, Refused, Unavailable
from holdfast.storage.keyring import Keyring

KEY, CONTENT_ID = os.urandom(32), os.urandom(32)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "keyring.json"


def test_wrapped_key_opens_after_the_keyring_was_read_again(path: Path) -> None:
    wrapped, version = Keyring.create(path).wrap(KEY, CONTENT_ID)
    assert version == 1
    assert KEY not in wrapped
    assert Keyring.open(path).unwrap(wrapped, version, CONTENT_ID) == KEY


def test_files_and_folder_are_private(path: Path) -> None:
    Keyring.create(path)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}


def test_rotation_wraps_with_the_new_key_and_opens_with_the_old(path: Path) -> None:
    ring = Keyring.create(path)
    old = ring.wrap(KEY)
    assert ring.rotate() == 2
    new = ring.wrap(KEY)
    assert (old[1], new[1]) == (1, 2)
    again = Keyring.open(path)
    assert again.unwrap(*old) == again.unwrap(*new) == ring.unwrap(*new) == KEY
    assert again.versions == (1, 2)
    assert again.current == 2


def test_retired_key_opens_nothing_any_more(path: Path) -> None:
    ring = Keyring.create(path)
    wrapped, version = ring.wrap(KEY)
    ring.rotate()
    ring.retire(version)
    for holder in (ring, Keyring.open(path)):
        with pytest.raises(Corrupt, match="lacks a key version"):
            holder.unwrap(wrapped, version)
    assert ring.rotate() == 3


def test_current_or_unknown_key_is_not_retired(path: Path) -> None:
    ring = Keyring.create(path)
    with pytest.raises(Conflict):
        ring.retire(1)
    with pytest.raises(Refused):
        ring.retire(7)


def test_every_altered_bit_and_every_other_binding_is_refused(path: Path) -> None:
    ring = Keyring.create(path)
    wrapped, version = ring.wrap(KEY, CONTENT_ID)
    for bit in range(len(wrapped) * 8):
        altered = bytearray(wrapped)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Corrupt):
            ring.unwrap(bytes(altered), version, CONTENT_ID)
    for length in range(len(wrapped)):
        with pytest.raises(Corrupt):
            ring.unwrap(wrapped[:length], version, CONTENT_ID)
    with pytest.raises(Corrupt):
        ring.unwrap(wrapped, version, os.urandom(32))
    with pytest.raises(Corrupt):
        ring.unwrap(wrapped, version)


def test_no_secret_is_shown(path: Path) -> None:
    ring = Keyring.create(path)
    secrets = [*json.loads(path.read_text())["keys"].values()]
    secrets.append(path.with_name("keyring.signing").read_text().strip())
    shown = f"{ring!r} {ring} {ring._stored!r}"
    path.write_text(path.read_text().replace("}", "]"))
    with pytest.raises(Corrupt) as caught:
        Keyring.open(path)
    shown += f"{caught.value!r} {caught.value} {caught.value.facts} {caught.value.__cause__!r}"
    assert not any(secret in shown for secret in secrets)


def test_keyring_is_not_pickled(path: Path) -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Keyring.create(path))


def test_existing_keyring_is_never_overwritten(path: Path) -> None:
    Keyring.create(path)
    before = path.read_bytes()
    with pytest.raises(Conflict):
        Keyring.create(path)
    path.unlink()
    with pytest.raises(Conflict):
        Keyring.create(path)
    assert before


@pytest.mark.parametrize("name", ["keyring.json", "keyring.signing", "."])
def test_loose_permissions_are_refused_with_the_command_that_helps(path: Path, name: str) -> None:
    ring = Keyring.create(path)
    loose = path.parent / name
    loose.chmod(0o755 if loose.is_dir() else 0o640)
    with pytest.raises(Refused, match="chmod") as caught:
        Keyring.open(path) if name != "keyring.signing" else ring.signing_key()
    assert str(loose) in caught.value.next_step


def test_keyring_is_not_made_where_others_may_look(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    with pytest.raises(Refused):
        Keyring.create(tmp_path / "open" / "keyring.json")


def test_unreadable_keyring_is_unavailable(path: Path) -> None:
    Keyring.create(path)
    path.unlink()
    path.mkdir(mode=0o700)
    with pytest.raises(Unavailable):
        Keyring.open(path)


def test_missing_keyring_is_unavailable(path: Path) -> None:
    with pytest.raises(Unavailable, match="backup"):
        Keyring.open(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"format":2,"current":1,"keys":{"1":"AAAA"}}',
        b'{"format":1,"current":1,"keys":{"1":"AAAA"}}',
        b'{"format":1,"current":1,"keys":{"1":"@"}}',
        b'{"format":1,"current":2,"keys":{"1":"' + b"A" * 43 + b'="}}',
        b'{"format":1,"current":1,"keys":{"1":"' + b"A" * 43 + b'="},"more":1}',
    ],
)
def test_file_that_is_no_keyring_is_corrupt(path: Path, content: bytes) -> None:
    Keyring.create(path)
    path.write_bytes(content)
    with pytest.raises(Corrupt):
        Keyring.open(path)


@settings(deadline=None)
@given(content=st.binary(max_size=200))
def test_any_bytes_open_or_are_refused_by_our_own_errors(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("ring") / "keyring.json"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(HoldfastError):
        Keyring.open(path)


@pytest.mark.parametrize("operation", ["create", "write", "fsync", "replace"])
def test_failed_rotation_leaves_the_keyring_as_it_was(path: Path, operation: str) -> None:
    Keyring.create(path)
    files = FaultyFiles()
    ring = Keyring.open(path, files)
    files.fail(operation, 1, errno.ENOSPC)
    with pytest.raises(Unavailable):
        ring.rotate()
    assert ring.current == Keyring.open(path).current == 1
    assert ring.rotate() == 2


def test_death_at_any_step_of_a_rotation_leaves_a_usable_keyring(path: Path) -> None:
    wrapped, version = Keyring.create(path).wrap(KEY)
    for step in range(1, 6):
        files = FaultyFiles()
        ring = Keyring.open(path, files)
        files.crash_at(step)
        with pytest.raises(Crash):
            ring.rotate()
        assert Keyring.open(path).unwrap(wrapped, version) == KEY


def test_failed_creation_is_unavailable(path: Path) -> None:
    files = FaultyFiles()
    files.fail("write", 1, errno.EROFS)
    with pytest.raises(Unavailable, match="read-only"):
        Keyring.create(path, files)


def test_signing_key_stays_the_same(path: Path) -> None:
    def public(ring: Keyring) -> bytes:
        return ring.signing_key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    assert public(Keyring.create(path)) == public(Keyring.open(path))


def test_missing_signing_key_is_unavailable_and_not_made_anew(path: Path) -> None:
    ring = Keyring.create(path)
    path.with_name("keyring.signing").unlink()
    with pytest.raises(Unavailable):
        ring.signing_key()
