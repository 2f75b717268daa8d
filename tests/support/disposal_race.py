"""Two disposers settle the same items while a hold is placed: which of them is first, decides."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field, replace
from datetime import timedelta

from catalogue_kit import START, Filing, Home, Homes, Mail
from disposal_kit import Hands, Office
from hold_kit import placed
from holdfast.core.holds import HoldTerms
from holdfast.core.identity import IdFactory
from holdfast.core.query import Phrase
from holdfast.retention.disposal import Asked, Execution, Judge, judge_now
from holdfast.storage.catalogue.reading import records
from holdfast.storage.governance.disposals import items_of
from holdfast.storage.governance.tombstones import tombstone_of
from holdfast.storage.store import Store

ITEMS = 9
WORDS = ("harp", "lute", "oboe")


@dataclass(slots=True)
class Race:
    """One archive whose mail is due, approved, and held in part while it goes."""

    office: Office
    disposal: int
    words: dict[int, str]
    """Interaction → the word in it."""
    settled: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    answers: list[dict[int, str]] = field(default_factory=list)
    """Of each disposer: ordinal → what it was told."""
    free_before: dict[int, str] = field(default_factory=dict)
    """Interaction → its state as it was when the hold was in force."""
    troubles: list[BaseException] = field(default_factory=list)


def raced(homes: Homes, seed: int, judge: Judge = judge_now) -> tuple[dict[str, int], list[str]]:
    """Run one race; return how many items ended how, and all that is wrong."""
    rnd = random.Random(seed)
    with homes() as home:
        race = _prepared(home)
        word = rnd.choice(WORDS)
        threads = [
            threading.Thread(target=_guarded, args=(race, _dispose, _another(home, race, n), judge))
            for n in (2, 3)
        ]
        after = rnd.randrange(ITEMS)
        holder = (race, _hold, _another(home, race, 4), (word, after))
        threads.append(threading.Thread(target=_guarded, args=holder))
        rnd.shuffle(threads)
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        return _judged(race, word)


def _prepared(home: Home) -> Race:
    office = Office.of(home.store(), Hands(START + timedelta(seconds=10)))
    mails = [
        Mail(subject=f"mail {n}", body=f"{WORDS[n % 3]} {n}", at=START + timedelta(minutes=n))
        for n in range(ITEMS)
    ]
    filed = Filing(office.store, source="box", custodian="li")(*mails)
    office.rule("ceiling", 1)
    approved = office.approved()
    Execution(office.store, approved.id).begin(Asked(office.ann))
    words = {one.filed.interaction_id: WORDS[n % 3] for n, one in enumerate(filed)}
    return Race(office, approved.id, words)


def _another(home: Home, race: Race, writer: int) -> Store:
    """Return the archive as another process has it."""
    store = race.office.store
    ids = IdFactory(writer, store.now_ms)
    return replace(store, engine=home.engine(), ids=ids)


def _guarded(race: Race, act: object, store: Store, how: object) -> None:
    try:
        act(race, store, how)  # type: ignore[operator]
    except BaseException as error:  # noqa: BLE001 - a thread has nobody else to tell
        race.troubles.append(error)
        for _ in range(ITEMS):
            race.settled.release()


def _dispose(race: Race, store: Store, judge: Judge) -> None:
    execution, told = Execution(store, race.disposal, judge), dict[int, str]()
    race.answers.append(told)
    for item in items_of(store, race.disposal):
        told[item.ordinal] = execution.settle(item.ordinal)
        race.settled.release()


def _hold(race: Race, store: Store, how: tuple[str, int]) -> None:
    word, after = how
    for _ in range(after):
        race.settled.acquire()
    placed(store, HoldTerms(query=Phrase(word)))
    for item in items_of(store, race.disposal):
        race.free_before[item.interaction_id] = item.state


def _judged(race: Race, word: str) -> tuple[dict[str, int], list[str]]:
    store, wrong = race.office.store, [repr(one) for one in race.troubles]
    items = items_of(store, race.disposal)
    ends: dict[str, int] = {}
    for item in items:
        one, state = item.interaction_id, item.state
        ends[state] = ends.get(state, 0) + 1
        alive = bool(records(store, [one]))
        gone = tombstone_of(store, one) is not None
        if {told.get(item.ordinal) for told in race.answers} != {state}:
            wrong.append(f"{item.ordinal} ended {state}, and somebody was told otherwise")
        if (alive, gone) != (state != "destroyed", state == "destroyed"):
            wrong.append(f"{item.ordinal} is {state}, alive {alive}, gone {gone}")
        is_held = race.words[one] == word and race.free_before.get(one) == "pending"
        if is_held and state != "blocked":
            wrong.append(f"{item.ordinal} was {state} under a hold")
        if race.words[one] != word and state != "destroyed":
            wrong.append(f"{item.ordinal} is due and free, and was {state}")
    return ends, wrong
