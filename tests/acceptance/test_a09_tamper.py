"""A9: what people add is versioned, what was altered behind the archive's back is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from api_kit import Office
from archive_kit import ACTOR, findings
from engines_kit import Engines
from holdfast.core.identity import public_id, row_id
from holdfast.core.records import Record
from holdfast.indexer.documents import analyse_record
from holdfast.indexer.elastic.connection import ElasticConfig, connect
from holdfast.indexer.elastic.writing import numbers
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.reading import captures_of, records
from holdfast.storage.catalogue.schema import originals
from holdfast.wiring.runs import rebuild_index
from story_kit import Ground, archive_of, house_mail, staffed, write


@pytest.mark.unmeasured
def test_a9_three_versions_and_exactly_what_was_altered(tmp_path: Path, ground: Ground) -> None:
    mbox = write(tmp_path / "house.mbox", house_mail())
    with archive_of(tmp_path, ground, mbox) as settings:
        with staffed(settings) as office:
            changed_thrice(office, office.found("legal1", "8.5 折")[0])
            other = office.found("legal1", "lighthouse")[0]
            store = office.services.store
            office.services.desk.sequencer.run()
            office.services.desk.feed.drain()
            damaged = captures_of(store, row_id("msg", other))[0]
            with reading(store.engine) as connection:
                row = connection.execute(
                    originals.select().where(originals.c.id == damaged.original_id)
                ).one()
            forged = records(store, [row_id("msg", office.found("legal1", "quarterly")[0])])[0]
        assert findings(settings) == []
        flip(segment_file(ground, settings, row.segment), row.offset + row.length - 3)
        expected = {other, damaged.sha256}
        if isinstance(ground, Engines):
            forge(settings, forged)
            expected.add(public_id("msg", forged.id))
        named = findings(settings)
        assert named
        assert all(one.part in {"segment", "original"} or one.name in expected for one in named)
        indexed = {one.name for one in named if one.part == "index"}
        assert indexed == expected - {other, damaged.sha256}
        rebuild_index(settings, ACTOR, lambda _done, _total: None)
        assert {one.part for one in findings(settings)} <= {"segment", "original"}


def changed_thrice(office: Office, one: str) -> None:
    """Edit a summary three times: three versions, and the original as it was."""
    before = office.ask("legal1", "GET", f"/records/{one}/original").content
    for summary in ("first", "second", "third"):
        path = f"/records/{one}/metadata"
        tag = office.ask("legal1", "GET", path).headers["etag"]
        changed = office.ask(
            "legal1", "PATCH", path, json={"summary": summary}, headers={"If-Match": tag}
        )
        assert changed.status_code == 200, changed.text
    versions = office.get("legal1", f"/records/{one}/versions")
    pairs = [
        (change["before"], change["after"])
        for version in versions
        for change in version["changes"]
        if change["field"] == "summary"
    ]
    assert pairs == [("", "first"), ("first", "second"), ("second", "third")]
    assert {version["actor"] for version in versions} == {"legal1"}
    assert office.ask("legal1", "GET", f"/records/{one}/original").content == before


def segment_file(ground: Ground, settings: Settings, segment: str) -> Path:
    """Return the file in which an original lies, on this host or in the bucket's server."""
    if not isinstance(ground, Engines):
        return next(settings.data.rglob(f"*{segment}*"))
    folder = Path(ground.s3.folder) / "data"
    return next(one for one in folder.rglob(f"*{segment}*") if one.is_file())


def forge(settings: Settings, record: Record) -> None:
    """Put other words into the cluster for a record, under its own numbers."""
    given = settings.index
    client = connect(
        ElasticConfig(tuple(given.url.split()), given.user, given.password.get_secret_value())
    )
    document = numbers(analyse_record(record)) | {"version": 1 << 60, "body": "other words"}
    (index,) = client.indices.get(index=f"{given.prefix}-*").body
    client.index(index=index, id=str(record.id), document=document, refresh=True)


def flip(path: Path, offset: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1]))
