"""What a verification says when anchors themselves are altered, lost, or cannot be looked at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update

from anchor_kit import anchored, happens, new_archive, said, tried, without_anchors
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import open_sqlite, writing
from holdfast.storage.catalogue.governance_tables import anchors
from holdfast.wiring.places import CATALOGUE
from server_tsa import Service, new_tsa, serving


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(new_tsa(tmp_path_factory.mktemp("tsa") / "one")) as found:
        yield found


@pytest.fixture
def both(tmp_path: Path, service: Service) -> Settings:
    """An archive with a token and a witness, which remembers the token too."""
    (tmp_path / "elsewhere").mkdir()
    settings = new_archive(
        tmp_path,
        tsa_url=service.url,
        tsa_ca_file=service.tsa.trust_file,
        tsa_private_allowed=True,
        witness_file=tmp_path / "elsewhere" / "witness",
    )
    assert [one.kind for one in anchored(settings)] == ["token", "witness"]
    return settings


def witness_of(settings: Settings) -> Path:
    path = settings.anchors.witness_file
    assert path is not None
    return path


def changed(settings: Settings, **anchors: Any) -> Settings:
    """The same archive with other settings of anchors."""
    return settings.model_copy(update={"anchors": settings.anchors.model_copy(update=anchors)})


def alter(settings: Settings, statement: Any) -> None:
    engine = open_sqlite(settings.data / CATALOGUE)
    with writing(engine) as connection:
        connection.execute(statement)
    engine.dispose()


def causes(settings: Settings) -> str:
    return " ".join(f"{one.name} {one.cause}" for one in said(settings))


def test_kept_anchors_are_no_finding_and_the_log_may_go_on(both: Settings) -> None:
    assert said(both) == []
    happens(both, "read", "read")
    assert said(both) == []
    anchored(both)
    assert said(both) == []


ALTERED: tuple[dict[str, Any], ...] = (
    {"kind": "lock"},
    {"place": "nowhere"},
    {"size": 2},
    {"root": bytes(32)},
    {"note": b"other"},
    {"token": b"other"},
    {"stamped_ms": 1},
    {"made_ms": 1},
)


@pytest.mark.parametrize("values", ALTERED)
def test_every_altered_value_of_a_row_is_named_without_looking_outside(
    both: Settings, values: dict[str, Any]
) -> None:
    alter(both, update(anchors).where(anchors.c.kind == "token").values(values))
    found = said(without_anchors(both))
    assert any("not those that the audit log committed to" in one.cause for one in found)


def test_deleted_row_is_named(both: Settings) -> None:
    alter(both, delete(anchors).where(anchors.c.kind == "witness"))
    (found,) = said(without_anchors(both))[:1]
    assert (found.part, found.cause) == (
        "anchor", "The audit log knows it, and its rows are gone.",
    )  # fmt: skip


def test_row_without_its_event_is_named(both: Settings) -> None:
    (row, *_) = anchored(both)
    engine = open_sqlite(both.data / CATALOGUE)
    with writing(engine) as connection:
        found = connection.execute(anchors.select().where(anchors.c.id == row.id)).mappings().one()
        connection.execute(anchors.insert().values({**found, "id": row.id + 1}))
    engine.dispose()
    assert "The audit log does not know it." in causes(without_anchors(both))


def test_tokens_that_nobody_can_check_are_a_finding(both: Settings) -> None:
    plain = changed(both, tsa_url="", tsa_ca_file=None)
    assert "anchors.tsa_ca_file is not set" in causes(plain)


def test_tokens_of_an_authority_that_is_not_trusted_any_more_are_named(
    both: Settings, tmp_path: Path
) -> None:
    other = new_tsa(tmp_path / "other", name="Other")
    assert "is not in the file" in causes(changed(both, tsa_ca_file=other.trust_file))


def test_file_of_trust_that_is_gone_is_a_finding(both: Settings, tmp_path: Path) -> None:
    assert "cannot be read" in causes(changed(both, tsa_ca_file=tmp_path / "gone.pem"))


def test_witness_file_that_is_gone_is_a_finding_and_is_not_begun_anew(both: Settings) -> None:
    witness_of(both).unlink()
    assert "is not there" in causes(both)
    outcomes = {one.kind.value: one for one in tried(both)}
    assert outcomes["token"].error is None
    assert "is not there" in str(outcomes["witness"].error)
    assert not witness_of(both).exists()


def test_witness_file_whose_tail_was_cut_is_named(both: Settings) -> None:
    anchored(both)
    path = witness_of(both)
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    assert "The witness file lacks it." in causes(both)


def test_witness_line_that_nobody_signed_is_named(both: Settings) -> None:
    path = witness_of(both)
    path.write_text(path.read_text().replace("\\n5\\n", "\\n4\\n"))
    found = causes(both)
    assert "witness, line 1 The checkpoint's signature is false." in found


def test_token_in_the_witness_file_is_checked_too(both: Settings) -> None:
    path = witness_of(both)
    first, second = path.read_text().split('"token":"', 1)
    path.write_text(f'{first}"token":"{second[:400]}AAAA{second[404:]}')
    assert "witness, line 1 It is no good token" in causes(both)


def test_damaged_witness_file_is_a_finding(both: Settings) -> None:
    path = witness_of(both)
    path.write_bytes(b"{}\n" + path.read_bytes())
    assert "Line 1 of the witness file" in causes(both)


def test_new_witness_file_is_begun_where_the_settings_say(both: Settings, tmp_path: Path) -> None:
    moved = changed(both, witness_file=tmp_path / "elsewhere" / "second")
    assert said(moved) == []
    anchored(moved)
    assert said(moved) == []
    assert len(witness_of(moved).read_bytes().splitlines()) == 1
