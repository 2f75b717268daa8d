from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest
from sqlalchemy import func, select

from catalogue_kit import Filing, Home, Homes, Mail
from hold_kit import add_person, find_all, ids_of, membership, new_hold
from holdfast.core.holds import HoldTerms
from holdfast.core.query import Phrase
from holdfast.retention.release import approve, ask
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import audit_events
from holdfast.storage.governance.holds import list_holds, place_hold
from holdfast.storage.governance.matters import list_matters, open_matter
from holdfast.storage.governance.notices import give_notice, list_notices
from holdfast.storage.governance.releasing import change_release
from holdfast.storage.governance.sweeping import sweep_hold
from lossy_postgres import Loses, lossy

pytestmark = pytest.mark.unmeasured


def governed_through(home: Home, loses: Loses, at: int) -> tuple[int, list[str]]:
    """Do every act once while one commit is lost; return how many there were and what is wrong."""
    assert home.postgres is not None
    calm = home.store(writer=1)
    ann, bea = add_person(calm, "ann"), add_person(calm, "bea")
    (one,) = ids_of(Filing(calm), Mail(body="price"))
    with lossy(home.postgres, loses, at) as network:
        store = replace(home, postgres=network.config).store(writer=2)
        matter = open_matter(store, "Case")
        hold = place_hold(store, new_hold(matter.id, HoldTerms(query=Phrase("price"))))
        sweep_hold(store, hold, find_all(store, [one]))
        give_notice(store, hold.id, "Ann", "Keep it.")
        change_release(store, hold.id, "ask", ask(ann, "settled"))
        change_release(store, hold.id, "approve", approve(bea))
        store.engine.dispose()
    kinds = select(audit_events.c.kind, func.count()).group_by(audit_events.c.kind)
    with reading(calm.engine) as connection:
        events = {row[0]: row[1] for row in connection.execute(kinds)}
    happened = {
        "matters": len(list_matters(calm)) == 1,
        "holds": [hold.version for hold in list_holds(calm)] == [3],
        "held": membership(calm) == {(hold.id, one)},
        "notices": len(list_notices(calm)) == 1,
        "events": [events[kind] for kind in ("matter", "hold", "held", "hold_notice")]
        == [1, 3, 1, 1],
    }
    return network.commits, [name for name, is_right in happened.items() if not is_right]


@pytest.mark.parametrize("homes", ["postgres"], indirect=True)
@pytest.mark.parametrize("loses", Loses)
def test_connection_lost_in_any_commit_does_every_act_once(homes: Homes, loses: Loses) -> None:
    for at in count(1):
        with homes() as home:
            commits, wrong = governed_through(home, loses, at)
        assert wrong == [], at
        if commits < at:
            return
