"""Random holds, mail, copies, releases and time, against a model that knows no index."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from catalogue_kit import SAME_FIXTURE, START, Filing, Homes, Mail
from hold_kit import add_person, find_all, names_on, new_hold
from holdfast.core.holds import HoldTerms
from holdfast.core.matching import matches
from holdfast.core.query import EVERYTHING, Node, Not, Part, Phrase
from holdfast.retention.release import approve, ask, withdraw
from holdfast.storage.catalogue.reading import records
from holdfast.storage.governance.holds import Hold, find_hold, list_holds, place_hold
from holdfast.storage.governance.matters import open_matter
from holdfast.storage.governance.releasing import change_release
from holdfast.storage.governance.sweeping import settle_ended, sweep_hold
from holdfast.storage.store import Store

WORDS = ("price", "tea", "lunch")
PEOPLE = ("Ann", "Bo", "")
STEPS = ("mail", "mail", "mail", "place", "place", "sweep", "ask", "approve", "withdraw", "wait")


@dataclass(slots=True)
class Model:
    """What must be held: an interaction under every hold in force that once matched it."""

    store: Store
    dice: random.Random
    persons: tuple[int, int]
    matter_id: int
    ids: list[int] = field(default_factory=list)
    holds: dict[int, Hold] = field(default_factory=dict)
    once: set[tuple[int, int]] = field(default_factory=set)

    def mail(self) -> None:
        """File a new message, or a copy of an old one at somebody else."""
        n = self.dice.randrange(8)
        mail = Mail(
            body=WORDS[n % 3], message_id=f"{n}@x", at=START + timedelta(days=n),
            attachments=(("a.txt", WORDS[n // 3]),),
        )  # fmt: skip
        who = self.dice.choice(PEOPLE)
        filing = Filing(self.store, source=f"s{self.dice.random()}", custodian=who)
        for one in filing(mail):
            if one.filed.interaction_id not in self.ids:
                self.ids.append(one.filed.interaction_id)

    def place(self) -> None:
        """Place a hold on anything."""
        words: list[Node] = [Phrase(word, Part.BODY) for word in WORDS]
        query = self.dice.choice([*words, Phrase("tea"), Not(Phrase("tea")), EVERYTHING])
        start = START + timedelta(days=self.dice.randrange(8))
        terms = HoldTerms(
            custodians=tuple(self.dice.sample(PEOPLE[:2], self.dice.randrange(3))),
            from_at=self.dice.choice((None, start)),
            to_at=self.dice.choice((None, start + timedelta(days=3))),
            query=query,
        )
        hold = place_hold(self.store, new_hold(self.matter_id, terms, name=f"h{len(self.holds)}"))
        self.holds[hold.id] = hold

    def sweep(self) -> None:
        """Fill the index of a hold, from a search index that shows some of what there is."""
        if self.holds:
            shown = self.dice.sample(self.ids, self.dice.randrange(len(self.ids) + 1))
            hold = self.dice.choice(list(self.holds.values()))
            sweep_hold(self.store, hold, find_all(self.store, shown))

    def release(self, step: str) -> None:
        """Take a step towards the end of a hold, if it is one that can be taken."""
        for hold in list_holds(self.store):
            ann, bea = self.persons
            if step == "ask" and hold.release.asked_by is None:
                change_release(self.store, hold.id, step, ask(ann, "settled"))
            elif step == "approve" and hold.release.asked_by and not hold.release.ends_ms:
                change_release(self.store, hold.id, step, approve(bea))
            elif step == "withdraw" and hold.release.asked_by and self.dice.random() < 0.5:
                change_release(self.store, hold.id, step, withdraw())

    def wait(self) -> None:
        """Let days pass, more than the delay sometimes, and forget what has ended."""
        self.store.clock.instant += timedelta(days=self.dice.choice((1, 29, 31)))  # type: ignore[attr-defined]
        settle_ended(self.store)

    def do(self, step: str) -> None:
        """Take one step."""
        if step in {"ask", "approve", "withdraw"}:
            self.release(step)
        else:
            {"mail": self.mail, "place": self.place, "sweep": self.sweep, "wait": self.wait}[step]()

    def expected(self) -> dict[int, set[str]]:
        """Judge every message by every hold in force, one by one."""
        in_force = {one.id: one for one in list_holds(self.store)}
        now = {
            (hold.id, record.id)
            for record in records(self.store, self.ids)
            for hold in in_force.values()
            if matches(hold.node, record)
        }
        self.once = {pair for pair in self.once | now if pair[0] in in_force}
        found: dict[int, set[str]] = {}
        for hold_id, one in self.once:
            found.setdefault(one, set()).add(in_force[hold_id].name)
        return found


@settings(max_examples=12, suppress_health_check=SAME_FIXTURE)
@given(
    seed=st.integers(0, 1 << 32),
    steps=st.lists(st.sampled_from(STEPS), min_size=4, max_size=24),
)
def test_exactly_what_the_holds_in_force_ever_matched_is_held(
    homes: Homes, seed: int, steps: list[str]
) -> None:
    with homes() as home:
        store = home.store()
        persons = add_person(store, "ann"), add_person(store, "bea")
        model = Model(store, random.Random(seed), persons, open_matter(store, "Case").id)
        for step in steps:
            model.do(step)
            held = {one: set(names) for one, names in names_on(store, model.ids).items()}
            assert held == model.expected(), step
        for hold in model.holds.values():
            assert find_hold(store, hold.public).terms == hold.terms
