"""A WeCom archive through a bridge: everything once, whatever fails and whenever."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from sqlalchemy import select

from archive_kit import bring_in, findings, found, kept, opened, settings_in
from holdfast.core.errors import Refused
from holdfast.ingest.imap.scope import Range
from holdfast.ingest.jail import Pool
from holdfast.ingest.progress import Progress
from holdfast.ingest.sources.bench import Ask
from holdfast.ingest.sources.health import health
from holdfast.ingest.wecom.cursor import keep_cursor
from holdfast.ingest.wecom.keys import Closed, Keys
from holdfast.ingest.wecom.media import LARGE_BYTES
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import interactions
from holdfast.wiring.runs import parser_pool
from source_kit import at, kept_of, runs
from wecom_kit import (
    LINES,
    PAGE,
    SAMPLE,
    SOURCE,
    VERSION,
    Corp,
    closed,
    corporation,
    sample,
    wrapped,
)

COUNT = len(LINES)
LAST = PAGE[-1]["seq"]


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    """Workers for all tests here: they hold nothing of an archive."""
    with parser_pool(settings_in(tmp_path_factory.mktemp("pool"))) as pool:
        yield pool


@pytest.fixture
def corp(tmp_path: Path, pool: Pool) -> Corp:
    return corporation(settings_in(tmp_path), tmp_path / "corp", pool)


def media_of_sample() -> dict[str, bytes]:
    """Bytes for every file of the sample; none has the hash that its message states."""
    text = (SAMPLE / "decrypted.jsonl").read_text("utf-8").replace("\\", "")
    ids = [part.partition('"')[0] for part in text.split('"sdkfileid": "')[1:]]
    ids += [part.partition('"')[0] for part in text.split('"sdkfileid":"')[1:]]
    return {one: f"file {one}".encode() for one in ids}


def file_message(msgid: str, sdkfileid: str, raw: bytes, md5: str | None = None) -> bytes:
    stated = hashlib.md5(raw).hexdigest() if md5 is None else md5  # noqa: S324 - the vendor's
    body = {"sdkfileid": sdkfileid, "md5sum": stated, "filename": "a.bin", "filesize": len(raw)}
    said = {
        "msgid": msgid, "action": "send", "from": "ann", "tolist": ["bob"], "roomid": "",
        "msgtime": 1717380061000, "msgtype": "file", "file": body,
    }  # fmt: skip
    return json.dumps(said).encode()


def kinds(corp: Corp) -> list[tuple[str, str]]:
    with opened(corp.settings) as services, reading(services.store.engine) as connection:
        rows = connection.execute(select(interactions.c.kind, interactions.c.message_id))
        return sorted((row.kind, row.message_id) for row in rows)


def state(corp: Corp) -> str:
    with opened(corp.settings) as services:
        (one,) = health(services.store)
    return one.state


def test_everything_is_taken_once_with_its_files(corp: Corp) -> None:
    media = media_of_sample()
    corp.serve(sample(), media)
    done = corp.pull()
    assert (done.error, done.counts.new, done.cursor) == (None, COUNT + len(media), LAST)
    assert [one for one in kept(corp.settings) if not one.startswith(b"file ")] == LINES
    assert sorted(one for one in kept(corp.settings) if one.startswith(b"file ")) == sorted(
        media.values()
    )
    assert corp.cursor() == LAST
    again = corp.pull()
    assert (again.counts.offered, again.batch, again.is_whole) == (0, "", True)
    assert corp.asked("messages") == ["0", str(LAST)]
    assert findings(corp.settings) == []
    assert state(corp) == "ok"
    assert found(corp.settings, "报价单") == 3  # the message, the file's name, and who writes of it


def test_step_of_rsa_gives_what_the_arithmetic_gives(corp: Corp) -> None:
    private = load_pem_private_key((SAMPLE / "rsa_private_v3.pem").read_bytes(), None)
    assert isinstance(private, RSAPrivateKey)
    numbers = private.private_numbers()
    keys = Keys(corp.folder / "keys")
    assert keys.versions() == [VERSION]
    for one in PAGE[:5]:
        sealed = int.from_bytes(base64.b64decode(one["encrypt_random_key"]))
        block = pow(sealed, numbers.d, numbers.public_numbers.n).to_bytes(256)
        assert block[:2] == b"\0\2"
        expected = block[2:].partition(b"\0")[2]
        assert keys.random_key(one["encrypt_random_key"], one["publickey_ver"]) == expected


def test_messages_that_come_encrypted_are_opened(corp: Corp) -> None:
    corp.serve(sample(closed)[:3])
    done = corp.pull()
    assert (done.error, done.closed, done.cursor) == (None, {}, PAGE[2]["seq"])
    assert kept(corp.settings) == LINES[:3]
    assert len(corp.asked("decrypt")) == 3


def test_message_without_its_key_is_kept_encrypted_until_the_key_is_there(corp: Corp) -> None:
    key = corp.folder / "keys" / f"{VERSION}.pem"
    key.rename(corp.folder / "elsewhere.pem")
    lines = [closed(1, LINES[0]), wrapped(2, LINES[1])]
    corp.serve(lines)
    done = corp.pull()
    assert (done.closed, done.cursor, done.is_whole) == ({"key_missing": 1}, 2, False)
    assert kept(corp.settings) == [lines[0], LINES[1]]
    assert state(corp) == "settings"
    assert corp.pull(Ask(only_failed=True)).closed == {"key_missing": 1}
    (corp.folder / "elsewhere.pem").rename(key)
    later = corp.pull(Ask(only_failed=True))
    assert (later.counts.new, later.counts.failed, later.closed) == (1, 0, {})
    assert kept(corp.settings) == [lines[0], LINES[1], LINES[0]]
    assert set(corp.ends().values()) == {"filed"}
    assert corp.pull().is_whole
    assert state(corp) == "ok"


def test_same_message_by_export_and_by_bridge_is_one(corp: Corp, tmp_path: Path) -> None:
    corp.serve(sample())
    export = tmp_path / "export"
    export.mkdir()
    (export / "decrypted.jsonl").write_bytes(b"\n".join(LINES))
    corp.pull()
    before = kinds(corp)
    bring_in(corp.settings, export)
    assert kinds(corp) == before


def test_bridge_that_dies_in_a_page_is_asked_for_the_rest(corp: Corp) -> None:
    corp.serve(sample())
    corp.go_wrong(die_after_seq=PAGE[9]["seq"])
    assert corp.pull().error is not None
    assert (corp.cursor(), kept(corp.settings)) == (0, [])  # a page counts whole or not at all
    assert state(corp) == "unreachable"
    corp.go_wrong()
    assert corp.pull().counts.new == COUNT
    assert kept(corp.settings) == LINES


@pytest.mark.parametrize(
    ("trouble", "tries"),
    [
        ({"media_fails": 2}, 3),
        ({"media_dies": 2}, 3),
        ({"media_cut": 1}, 2),
        ({"media_damaged": 2}, 3),
    ],
)
def test_file_is_asked_for_again_until_it_is_whole(
    corp: Corp, trouble: dict[str, Any], tries: int
) -> None:
    raw = bytes(range(256)) * 3000
    corp.serve([wrapped(1, file_message("1_1", "f", raw))], {"f": raw})
    corp.go_wrong(**trouble)
    done = corp.pull()
    assert (done.counts.new, done.is_whole, done.cursor) == (2, True, 1)
    assert corp.asked("media") == ["f"] * tries
    assert corp.waits == [1.0, 2.0][: tries - 1]
    assert raw in kept(corp.settings)
    assert found(corp.settings, "defect:media_hash_differs") == 0


def test_file_that_cannot_be_had_is_flagged_and_had_later(corp: Corp) -> None:
    raw = b"late"
    now = file_message("1_1", "f", raw).replace(b"1717380061000", b"%d" % NOW_MS)
    corp.serve([wrapped(1, now), wrapped(2, LINES[0])])
    done = corp.pull()
    assert (done.counts.new, done.counts.failed, done.cursor) == (2, 1, 2)
    assert corp.ends()[f"media:{1:020d}/0"] == "failed"
    assert corp.asked("media") == ["f"]  # the bridge says that asking again is no use
    assert (done.is_whole, runs(corp.settings, SOURCE)[0].outcome) == (False, "partial")
    corp.serve([], {"f": raw})
    assert corp.pull(Ask(only_failed=True)).counts.new == 1
    assert corp.ends()[f"media:{1:020d}/0"] == "filed"


NOW_MS = 4_000_000_000_000
"""A message so young that its file is asked for again by any run."""


def test_file_with_another_hash_is_kept_and_says_so(corp: Corp) -> None:
    corp.serve(
        [
            wrapped(1, file_message("1_1", "f", b"", "0" * 32)),
            wrapped(2, file_message("2_2", "g", b"", "")),
        ],
        {"f": b"not what was sent", "g": b"without a hash"},
    )
    assert corp.pull().counts.new == 4
    assert found(corp.settings, "defect:media_hash_differs") == 1
    assert len(corp.asked("media")) == 4


def test_large_file_goes_through_the_spool(corp: Corp) -> None:
    raw = os.urandom(1000) * (LARGE_BYTES // 1000 + 600)
    corp.serve([wrapped(1, file_message("1_1", "f", raw))], {"f": raw})
    corp.go_wrong(media_damaged=1)
    assert corp.pull().counts.new == 2
    assert kept(corp.settings)[-1] == raw
    spool = list(corp.settings.data.rglob("media-*"))
    assert spool == []


class Killed(BaseException):
    """Ends a run where no code of the product expects it."""


def test_run_that_dies_after_a_commit_goes_on_without_loss_or_doubling(corp: Corp) -> None:
    corp.serve(sample(), media_of_sample())

    def die(progress: Progress) -> None:
        raise Killed

    with pytest.raises(Killed):
        corp.pull(on_progress=die)
    assert corp.cursor() == 0  # nothing is passed that was not taken to its end
    done = corp.pull()
    assert done.cursor == LAST
    assert [one for one in kept(corp.settings) if not one.startswith(b"file ")] == LINES
    assert len(kinds(corp)) == COUNT + len(media_of_sample())


def test_cursor_that_moves_before_its_page_is_sealed_would_be_caught(corp: Corp) -> None:
    corp.serve(sample())
    corp.go_wrong(die_after_seq=PAGE[9]["seq"])
    assert corp.pull().error is not None
    with opened(corp.settings) as services:
        keep_cursor(services.store, kept_of(corp.settings, SOURCE).source_id, LAST)
    corp.go_wrong()
    assert corp.pull().error is None
    assert kept(corp.settings) != LINES  # what the tests above would say of such a fault


def test_pages_follow_each_other_and_time_that_is_up_ends_between_two(
    tmp_path: Path, pool: Pool
) -> None:
    corp = corporation(settings_in(tmp_path), tmp_path / "corp", pool, page=10)
    corp.serve(sample())
    at(corp.settings, added_ms=0)
    done = corp.pull(is_over=lambda: True)
    assert (done.is_cut, done.cursor, corp.cursor()) == (True, PAGE[9]["seq"], PAGE[9]["seq"])
    assert state(corp) == "throttled"  # years behind: somebody has to look
    assert "behind" in kept_of(corp.settings, SOURCE).last_error
    assert corp.pull().counts.new == COUNT - 10
    assert kept(corp.settings) == LINES
    assert state(corp) == "ok"
    assert corp.asked("messages")[1:] == [str(one["seq"]) for one in (PAGE[9], PAGE[19], PAGE[29])]


def test_page_out_of_order_is_taken_whole(corp: Corp) -> None:
    corp.serve([wrapped(5, LINES[0]), wrapped(3, LINES[1])])
    assert (corp.pull().cursor, corp.cursor()) == (5, 5)
    assert kept(corp.settings) == [LINES[0], LINES[1]]


@pytest.mark.parametrize(
    ("lines", "cause"),
    [
        ([b'{"seq": 1, "message": {}}', b'{"seq": true, "message": {}}'], "without a seq"),
        ([b'{"seq": 1, "message": {}}', b'{"seq": 2}'], "neither a message nor a key"),
    ],
)
def test_line_that_is_no_message_stops_before_it(
    corp: Corp, lines: list[bytes], cause: str
) -> None:
    corp.serve(lines)
    done = corp.pull()
    assert done.error is not None
    assert cause in done.error.cause
    assert (done.counts.new, corp.cursor()) == (1, 1)


def test_bridge_that_speaks_something_else_or_nothing_is_given_up(
    tmp_path: Path, pool: Pool
) -> None:
    corp = corporation(settings_in(tmp_path), tmp_path / "corp", pool, answer_s=3.0)
    corp.serve(sample())
    for trouble, cause in (
        ({"hangs": 1}, "has said nothing"),
        ({"babbles": 1, "words": "Hello!"}, "no JSON"),
        ({"babbles": 1, "words": "[]"}, "no object"),
    ):
        corp.go_wrong(**trouble)
        done = corp.pull()
        assert done.error is not None
        assert cause in done.error.cause
    corp.go_wrong()
    assert kept(corp.settings) == []


def test_secrets_stand_in_no_argument_and_no_error(corp: Corp) -> None:
    (corp.folder / "secrets.json").write_text('{"other": "hush"}', encoding="utf-8")
    corp.serve(sample())
    done = corp.pull()
    assert done.error is not None
    assert done.error.cause == "The bridge cannot: no corp_secret in the file of secrets."
    assert done.error.next_step == "Add it."
    kept_row = kept_of(corp.settings, SOURCE)
    assert "hush" not in f"{kept_row}{runs(corp.settings, SOURCE)}"


def test_key_that_others_can_read_or_that_is_none_is_refused(corp: Corp, tmp_path: Path) -> None:
    path = corp.folder / "keys" / f"{VERSION}.pem"
    path.chmod(0o640)
    corp.serve([closed(1, LINES[0])])
    done = corp.pull()
    assert isinstance(done.error, Refused)
    assert (done.counts.new, corp.cursor(), state(corp)) == (0, 0, "settings")
    path.chmod(0o600)
    keys = Keys(corp.folder / "keys")
    for sealed in ("%%%", base64.b64encode(b"short").decode()):
        with pytest.raises(Closed):
            keys.random_key(sealed, VERSION)
    path.write_text("no key", encoding="utf-8")
    with pytest.raises(Refused, match="no RSA private key"):
        Keys(corp.folder / "keys").random_key(PAGE[0]["encrypt_random_key"], VERSION)


def test_what_it_has_not_is_refused(corp: Corp) -> None:
    for ask in (Ask(folders=("INBOX",)), Ask(backfill=Range("2026-01-01", ""))):
        with pytest.raises(Refused, match="neither days nor folders"):
            corp.pull(ask)
