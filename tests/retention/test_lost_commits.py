"""An act whose commit was kept, though nobody heard of it, is done once."""

from __future__ import annotations

from sqlalchemy import func, select

from disposal_kit import Office, searching, unheard
from holdfast.core.query import EVERYTHING
from holdfast.retention.certificates import Surroundings, conclude
from holdfast.retention.changes import Draft, propose, retire, withdraw
from holdfast.retention.changes import approve as approve_policy
from holdfast.retention.disposal import (
    Asked,
    Execution,
    approve,
    due,
    except_item,
    freeze,
    review,
)
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import audit_events
from holdfast.storage.governance.policies import Wording, all_versions

AROUND = Surroundings("archive.example/log", "checkpoint", 35, {})


def told(office: Office, kind: str) -> int:
    with reading(office.store.engine) as connection:
        query = select(func.count()).where(audit_events.c.kind == kind)
        return connection.scalar(query) or 0


def test_policies_change_once(office: Office) -> None:
    draft = Draft("mail", "ceiling", 30, EVERYTHING, Wording("", ""))
    with unheard(office.store):
        kept = propose(office.store, draft, office.ann)
    assert [kept] == all_versions(office.store)
    with unheard(office.store):
        approve_policy(office.store, "mail", office.ben)
    with unheard(office.store):
        withdraw(office.store, "mail")
    office.rule("floor", 3, name="other")
    with unheard(office.store):
        retire(office.store, "other", office.ann)
    kinds = ("policy_proposed", "policy_approved", "policy_withdrawn")
    assert [told(office, kind) for kind in kinds] == [3, 1, 1]


def test_disposals_go_on_once(office: Office, ids: list[int]) -> None:
    office.rule("ceiling", 1)
    store = office.store
    items = list(due(store, searching(store), store.now_ms()))
    assert len(items) == len(ids)
    with unheard(store):
        planned = freeze(store, items, Asked(office.ann), store.now_ms())
    with unheard(store):
        except_item(store, planned.id, ids[0], "asked by court")
    with unheard(store):
        review(store, planned.id, Asked(office.ann))
    with unheard(store):
        approve(store, planned.id, Asked(office.ben), planned.manifest_digest.hex(), 24)
    office.pass_ms(24 * 3_600_000)
    execution = Execution(store, planned.id)
    with unheard(store):
        execution.begin(Asked(office.ann))
    with unheard(store):
        assert execution.settle(1) == "destroyed"
    execution.run()
    with unheard(store):
        conclude(store, planned.id, AROUND, store.keyring.signing_key())
    stages = ("planned", "reviewed", "approved", "executed", "item")
    assert [told(office, f"disposal_{stage}") for stage in stages] == [1, 1, 1, 1, 1]
    assert told(office, "destroy") == 2
