"""An archive of WeCom behind the bridge of `wecom_bridge`, and a source that pulls it."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from sqlalchemy import select

from archive_kit import ACTOR, opened
from holdfast.ingest.jail import Pool
from holdfast.ingest.progress import Progress
from holdfast.ingest.sources.bench import Ask, Bench
from holdfast.ingest.wecom.cursor import cursor_of
from holdfast.ingest.wecom.place import KIND, WecomPlace, written
from holdfast.ingest.wecom.pulling import Pulled
from holdfast.ingest.wecom.source import WecomSource
from holdfast.settings import Settings
from holdfast.storage.catalogue.accounts import NewAccount, add_account, find_account
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import source_items
from holdfast.wiring.archive import open_archive
from holdfast.wiring.founding import create_archive

SAMPLE = Path(__file__).resolve().parents[1] / "corpus/chat/wecom-archive"
LINES = (SAMPLE / "decrypted.jsonl").read_bytes().splitlines()
PAGE = json.loads((SAMPLE / "GetChatData.json").read_bytes())["chatdata"]
BRIDGE = Path(__file__).with_name("wecom_bridge.py")
SOURCE = "chats"
CORP = "ww1"
VERSION = 3


@cache
def _public_key() -> RSAPublicKey:
    private = load_pem_private_key((SAMPLE / "rsa_private_v3.pem").read_bytes(), None)
    public = private.public_key()
    assert isinstance(public, RSAPublicKey)
    return public


def wrapped(seq: int, message: bytes) -> bytes:
    """A line of a bridge that decrypts by itself."""
    return b'{"seq": %d, "message": ' % seq + message + b"}"


def closed(seq: int, message: bytes, key: bytes = b"of one message") -> bytes:
    """A line of a bridge that leaves the step of RSA to us."""
    public = _public_key()
    text = b"opened by " + key + b"\n" + message
    return json.dumps(
        {
            "seq": seq, "msgid": json.loads(message)["msgid"], "publickey_ver": VERSION,
            "encrypt_random_key": base64.b64encode(public.encrypt(key, PKCS1v15())).decode(),
            "encrypt_chat_msg": base64.b64encode(text).decode(),
        }
    ).encode()  # fmt: skip


def sample(line: Callable[[int, bytes], bytes] = wrapped) -> list[bytes]:
    """The lines of the sample, with the numbers of its page."""
    return [line(one["seq"], raw) for one, raw in zip(PAGE, LINES, strict=True)]


@dataclass(slots=True)
class Corp:
    """One corporation, and the archive that pulls it."""

    settings: Settings
    folder: Path
    pool: Pool
    waits: list[float] = field(default_factory=list)

    def serve(self, lines: list[bytes], media: Mapping[str, bytes] | None = None) -> None:
        """Have these messages and files, beside the files that are there."""
        (self.folder / "messages.jsonl").write_bytes(b"\n".join(lines))
        (self.folder / "media").mkdir(exist_ok=True)
        for key, raw in (media or {}).items():
            name = hashlib.sha256(key.encode()).hexdigest()
            (self.folder / "media" / name).write_bytes(raw)

    def go_wrong(self, **what: Any) -> None:
        """Let these troubles happen; none ends them."""
        (self.folder / "trouble.json").write_text(json.dumps(what), encoding="utf-8")

    def asked(self, what: str) -> list[str]:
        """Questions of a kind that the bridge was asked."""
        log = self.folder / "asked.log"
        lines = log.read_text("utf-8").splitlines() if log.exists() else []
        return [one.partition(" ")[2] for one in lines if one.partition(" ")[0] == what]

    def pull(
        self,
        ask: Ask | None = None,
        on_progress: Callable[[Progress], None] = lambda progress: None,
        is_over: Callable[[], bool] = lambda: False,
    ) -> Pulled:
        """Pull as a worker does; nobody sleeps."""
        with open_archive(self.settings, ACTOR) as services:
            bench = Bench(
                services.desk, self.pool, services.spool, self.waits.append, on_progress, is_over
            )
            return WecomSource().sync(find_account(services.store, SOURCE), bench, ask or Ask())

    def ends(self) -> dict[str, str]:
        """Item of the ledger → its end."""
        with opened(self.settings) as services, reading(services.store.engine) as connection:
            rows = connection.execute(select(source_items.c.item_key, source_items.c.state))
            return {row.item_key: row.state for row in rows}

    def cursor(self) -> int:
        """Up to where everything is kept."""
        with opened(self.settings) as services:
            return cursor_of(services.store, find_account(services.store, SOURCE).source_id)


def corporation(settings: Settings, folder: Path, pool: Pool, **place: Any) -> Corp:
    """Make an archive, and a source for a bridge that serves a folder."""
    folder.mkdir(parents=True)
    secrets = folder / "secrets.json"
    secrets.write_text('{"corp_secret": "hush"}', encoding="utf-8")
    keys = folder / "keys"
    keys.mkdir()
    shutil.copy(SAMPLE / "rsa_private_v3.pem", keys / f"{VERSION}.pem")
    for one in (secrets, keys / f"{VERSION}.pem"):
        one.chmod(0o600)
    command = (sys.executable, str(BRIDGE), str(folder))
    told = WecomPlace(CORP, command, str(secrets), str(keys))
    there = replace(told, **place)
    create_archive(settings)
    with opened(settings) as services:
        new = NewAccount(SOURCE, KIND, there.identity, written(there), custodian="Ann")
        add_account(services.store, new, b"")
    return Corp(settings, folder, pool)
