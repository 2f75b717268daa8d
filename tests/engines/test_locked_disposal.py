"""F54: a disposal of what the store itself has locked destroys the keys, and claims no more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from archive_kit import bring_in, message, settings_in, write_mbox
from disposal_kit import Hands, Office, in_hands, verified
from holdfast.core.errors import Corrupt, NotFound, Unavailable
from holdfast.core.ports import LockMode
from holdfast.retention.certificates import read_certificate
from holdfast.retention.disposal import Asked
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.reading import original_bytes
from holdfast.storage.catalogue.schema import originals
from holdfast.storage.governance.disposals import disposal_of, states_of
from holdfast.storage.governance.remains import Remains, remains_of
from holdfast.storage.s3_vault import S3Vault
from holdfast.wiring import disposing
from holdfast.wiring.archive import Services
from holdfast.wiring.disposing import execute
from holdfast.wiring.engines import log_origin
from s3_proxy import PASS, Fate, proxied
from server_s3 import vault_in

MAILS = 3
ACT = Callable[[Services, Office, int], None]


def settings_of(bucket: Any, folder: Path, **changes: Any) -> Settings:
    return settings_in(folder, vault=vault_in(bucket) | changes)


@contextmanager
def approved(settings: Settings, folder: Path) -> Iterator[tuple[Services, Office, int]]:
    """Give an archive whose mail is all due, and approved to go; its objects count as settled."""
    raw = [message(number) for number in range(MAILS)]
    bring_in(settings, write_mbox(folder / "box.mbox", raw))
    hands = Hands(datetime.now(UTC) + timedelta(days=3))
    with in_hands(settings, hands) as services:
        assert isinstance(services.vault, S3Vault)
        vault = settled(services.vault)
        store = replace(services.store, vault=vault)
        desk = replace(services.desk, store=store, feed=replace(services.desk.feed, store=store))
        office = Office.of(store, hands)
        office.rule("ceiling", 1)
        planned = office.approved()
        assert planned.items == MAILS
        yield replace(services, vault=vault, store=office.store, desk=desk), office, planned.id


def settled(vault: S3Vault) -> S3Vault:
    """Return the vault without the hour for which it leaves young objects alone."""
    return S3Vault(replace(vault._config, settle_s=0), vault._clock)


def said_of(services: Services, office: Office, disposal: int) -> Any:
    """Carry the disposal out and return its certificate."""
    done = execute(services, disposal, Asked(office.ann), lambda _state: None)
    assert done.state == "executed"
    assert done.certificate is not None
    public = services.store.keyring.signing_key().public_key()
    return read_certificate(done.certificate, public, log_origin(services.store.engine))


def nothing_opens(services: Services) -> None:
    with reading(services.store.engine) as connection:
        ids = connection.execute(originals.select()).all()
    assert len(ids) == MAILS
    for one in ids:
        assert (one.wrapped_key, one.salt) == (None, None)
        with pytest.raises((NotFound, Corrupt)):
            list(original_bytes(services.store, one.id))


@pytest.mark.parametrize("mode", ["governance", "compliance"])
def test_f54_disposal_of_locked_objects_says_what_stays_and_until_when(
    s3_server: Any, tmp_path: Path, mode: str
) -> None:
    bucket = s3_server.new_bucket(is_locking=True)
    settings = settings_of(bucket, tmp_path, worm=mode, retain_days=5)
    with approved(settings, tmp_path) as (services, office, disposal):
        assert remains_of(services.store, disposal) == Remains()  # nothing is destroyed yet
        said = said_of(services, office, disposal)
        names = services.vault.segment_names()
        assert isinstance(services.vault, S3Vault)
        state = services.vault.locks.state(names[0])
        assert state.mode is LockMode(mode)
        assert state.until is not None
        left = said["space"]["vault"]["remains"]
        assert (left["originals"], left["segments"]) == (MAILS, len(names))
        assert left["locked_segments"] == len(names)
        assert datetime.fromisoformat(left["locked_until"]) >= state.until
        assert said["items"]["destroyed"]["items"] == MAILS  # without keys, and said to be left
        nothing_opens(services)
        assert verified(services.store, tmp_path) == []


def test_f54_what_a_legal_hold_of_the_store_keeps_is_said_without_a_date(
    s3_server: Any, tmp_path: Path
) -> None:
    settings = settings_of(s3_server.new_bucket(is_locking=True), tmp_path)
    with approved(settings, tmp_path) as (services, office, disposal):
        assert isinstance(services.vault, S3Vault)
        for name in services.vault.segment_names():
            services.vault.locks.set_hold(name, is_on=True)
        left = said_of(services, office, disposal)["space"]["vault"]["remains"]
        assert (left["is_on_hold"], left["locked_until"]) == (True, None)
        assert left["originals"] == MAILS
        nothing_opens(services)
        for name in services.vault.segment_names():
            services.vault.locks.set_hold(name, is_on=False)


def test_f54_disposal_of_what_nothing_locks_leaves_nothing(s3_server: Any, tmp_path: Path) -> None:
    settings = settings_of(s3_server.new_bucket(), tmp_path)
    with approved(settings, tmp_path) as (services, office, disposal):
        vault = said_of(services, office, disposal)["space"]["vault"]
        assert vault["freed_bytes"] > 0
        assert vault["remains"]["segments"] == 0
        assert services.vault.segment_names() == []


def test_f54_refusal_that_no_lock_explains_leaves_the_disposal_without_a_certificate(
    s3_server: Any, tmp_path: Path
) -> None:
    with proxied(s3_server.endpoint) as proxy:
        bucket = s3_server.new_bucket(endpoint=proxy.endpoint)
        with approved(settings_of(bucket, tmp_path), tmp_path) as (services, office, disposal):
            proxy.rule = lambda request: (
                Fate(status=403, code="AccessDenied", is_forwarded=False)
                if request.method == "DELETE"
                else PASS
            )
            with pytest.raises(Unavailable):
                said_of(services, office, disposal)
            kept = disposal_of(services.store, disposal)
            assert (kept.state, kept.certificate) == ("executing", None)
            assert states_of(services.store, disposal).keys() == {"destroyed"}
            assert remains_of(services.store, disposal).segments > 0
            proxy.rule = lambda _request: PASS
            left = said_of(services, office, disposal)["space"]["vault"]["remains"]
            assert left["segments"] == 0


def test_f54_certificate_that_is_silent_on_locks_is_found_out(
    s3_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disposing, "remains_of", lambda _store, _disposal: Remains())
    with pytest.raises(AssertionError):
        test_f54_disposal_of_locked_objects_says_what_stays_and_until_when(
            s3_server, tmp_path, "governance"
        )
