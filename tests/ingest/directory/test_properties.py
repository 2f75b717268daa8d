"""Twice equals once, a trial counts as an import, undone equals before: for any cards."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from catalogue_kit import SAME_FIXTURE, Filing, Homes, Mail
from directory_kit import Someone, bring, everybody, write_cards
from holdfast.core.identity import row_id
from holdfast.storage.catalogue.contact_fields import change_fields
from holdfast.storage.catalogue.merging import merge
from holdfast.storage.directory.undoing import undo_directory
from holdfast.storage.store import Store
from people_kit import contact_at, findings_about_people

MAILS = ("a@x.org", "b@x.org", "c@y.org", "d@y.org")
OTHERS = ("+491511111111", "+491512222222", "uid-1", "uid-2")
PEOPLE = st.builds(
    Someone,
    st.sampled_from(("", "Ann", "Bob")),
    st.lists(st.sampled_from((*MAILS, *OTHERS)), min_size=1, max_size=4, unique=True).map(tuple),
    st.lists(st.sampled_from(("g", "h")), max_size=2, unique=True).map(tuple),
    st.sampled_from(("", "Buyer", "Head")),
)
FILES = st.lists(st.lists(PEOPLE, min_size=1, max_size=6), min_size=1, max_size=3)


def begin(store: Store, *, is_merged: bool) -> None:
    """Two are known by mail, of one a person said something."""
    Filing(store)(Mail(sender="A <a@x.org>", to=("b@x.org",)), Mail(sender="b@x.org"))
    ann = contact_at(store, "a@x.org")
    change_fields(store, ann, {"name": "Annabel", "groups": ("g", "own")})
    change_fields(store, ann, {"groups": ("own",)})
    if is_merged:
        merge(store, ann, contact_at(store, "b@x.org"))


@settings(max_examples=25, deadline=None, suppress_health_check=SAME_FIXTURE)
@given(files=FILES, is_merged=st.booleans(), overwrites=st.booleans(), order=st.randoms())
def test_any_directories(
    homes: Homes, tmp_path: Path, files: list[list[Someone]], *,
    is_merged: bool, overwrites: bool, order: object,
) -> None:  # fmt: skip
    with homes() as home:
        store = home.store()
        begin(store, is_merged=is_merged)
        before = everybody(store)
        batches = []
        for number, people in enumerate(files):
            file = write_cards(tmp_path / f"{number}.vcf", [one.text() for one in people])
            trial = bring(store, file, trial=True, overwrites=overwrites)
            report = bring(store, file, overwrites=overwrites)
            assert trial.counts == report.counts
            once = everybody(store)
            again = bring(store, file, overwrites=overwrites)
            assert (again.is_unchanged, again.batch, everybody(store)) == (True, "", once)
            batches += [report.batch] if report.batch else []
        assert findings_about_people(store) == []
        order.shuffle(batches)  # type: ignore[attr-defined]
        for batch in batches:
            undo_directory(store, row_id("bat", batch))
        assert everybody(store) == before
        assert findings_about_people(store) == []
