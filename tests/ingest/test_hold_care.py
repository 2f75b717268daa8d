from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, update

from archive_kit import bring_in, findings, message, opened, settings_in, write_mbox
from cli_archive import Desk
from hold_kit import membership, placed
from holdfast.core.holds import HoldTerms
from holdfast.core.query import EVERYTHING, Phrase, Scope
from holdfast.indexer import hits
from holdfast.indexer.hits import every_hit
from holdfast.ingest.hold_care import find_in, unswept
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import writing
from holdfast.storage.catalogue.governance_tables import held, hold_notices, holds
from holdfast.storage.catalogue.rights_tables import persons
from holdfast.storage.catalogue.schema import interactions
from holdfast.storage.governance.holds import Hold, change_hold
from holdfast.storage.governance.notices import give_notice
from holdfast.storage.governance.sweeping import is_unsettled, sweep_hold
from holdfast.wiring.archive import Services


@pytest.fixture
def filled(tmp_path: Path) -> Settings:
    settings = settings_in(tmp_path)
    bring_in(settings, write_mbox(tmp_path / "in.mbox", [message(n) for n in range(12)]))
    return settings


def held_by_all(services: Services) -> Hold:
    hold = placed(services.store, HoldTerms(query=Phrase("body")))
    sweep_hold(services.store, hold, find_in(services.home))
    return hold


def test_every_hit_walks_through_all_pages(
    filled: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hits, "PAGE", 5)
    with opened(filled) as services:
        found = list(every_hit(services.index, EVERYTHING, Scope.whole_archive("t")))
        assert [len(page) for page in found] == [5, 5, 2]
        assert len({one for page in found for one in page}) == 12
        assert list(every_hit(services.index, Phrase("nowhere"), Scope.whole_archive("t"))) == []


def test_what_a_sweep_did_not_come_to_is_counted(filled: Settings) -> None:
    with opened(filled) as services:
        hold = held_by_all(services)
        assert unswept(services.store, services.home) == []
        with writing(services.store.engine) as connection:
            some = select(interactions.c.id).limit(3)
            connection.execute(delete(held).where(held.c.interaction_id.in_(some)))
        (found,) = unswept(services.store, services.home)
        assert (found.hold.id, found.missing) == (hold.id, 3)


@pytest.mark.parametrize("command", ["worker", "beat"])
def test_a_job_forgets_what_ended_holds_held(filled: Settings, command: str) -> None:
    with opened(filled) as services:
        store = services.store
        hold = held_by_all(services)
        assert not is_unsettled(store)
        with writing(store.engine) as connection:
            connection.execute(insert(persons), {"id": 1, "name": "p", "created_ms": 1})
            ended = {"release_approved_by": 1, "release_approved_ms": 1, "ends_ms": 2}
            connection.execute(update(holds).values(**ended))
        assert membership(store) == {(hold.id, one) for _, one in membership(store)}
        assert len(membership(store)) == 12
        assert is_unsettled(store)
    desk, more = Desk(filled.data), filled.data.parent / "in.mbox"
    job = desk.run("import", more, "--queue", "--source", "more", "--json").json["job"]
    desk.run(command, "--once")
    is_asked_for = desk.run("jobs", "show", job, "--json").json["state"]
    assert is_asked_for == {"worker": "done", "beat": "ready"}[command]
    with opened(filled) as services:
        assert not is_unsettled(services.store)
        assert membership(services.store) == set()


def test_a_hold_put_back_to_what_it_was_is_named(filled: Settings) -> None:
    with opened(filled) as services:
        store = services.store
        hold = held_by_all(services)
        with store.engine.connect() as connection:
            before = connection.execute(select(holds)).one()._asdict()
        wider = HoldTerms(query=Phrase("body"), to_at=None)
        change_hold(store, hold.id, 1, reason="more", terms=wider)
        give_notice(store, hold.id, "Ann", "Keep it.")
    assert findings(filled) == []
    with opened(filled) as services, writing(services.store.engine) as connection:
        connection.execute(update(holds).values(**before))
    assert [one.part for one in findings(filled)] == ["hold"]


def test_what_nobody_held_and_what_was_taken_away_is_named(filled: Settings) -> None:
    with opened(filled) as services:
        hold = placed(services.store, HoldTerms(query=Phrase("word3")))
        sweep_hold(services.store, hold, find_in(services.home))
        ids = sorted({one for _, one in membership(services.store)})
        assert len(ids) == 1
        with writing(services.store.engine) as connection:
            other = connection.scalars(
                select(interactions.c.id).where(interactions.c.id.not_in(ids)).limit(1)
            ).one()
            row = {"hold_id": hold.id, "interaction_id": other, "since_ms": 5}
            connection.execute(insert(held), row)
            connection.execute(delete(held).where(held.c.interaction_id == ids[0]))
            connection.execute(delete(hold_notices))
    found = findings(filled)
    assert [one.part for one in found] == ["held", "held"]
    assert {one.cause.split(",")[0] for one in found} == {
        "It is said to be held",
        "The audit log knows a hold on it",
    }
