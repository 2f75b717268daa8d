"""A whole corpus in, compared with readings that are not ours: counts, bytes, ledger, verify."""

from __future__ import annotations

import hashlib
import mailbox
import re
import resource
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from archive_kit import bring_in, kept, opened, settings_in
from holdfast.storage.catalogue.ledger import sums
from holdfast.storage.verify import Tally, Verification
from whole_corpus import mboxes

MAX_RESIDENT_KIB = 500 * 1024


def members(path: Path) -> Iterator[bytes]:
    """The members of an mboxrd as the standard library splits them, with the quoting undone."""
    with closing(mailbox.mbox(path, create=False)) as box:
        for key in box.iterkeys():
            yield re.sub(rb"(?m)^>(?=>*From )", b"", box.get_bytes(key))


def test_whole_corpus_is_kept_byte_for_byte_and_accounted_for(
    tmp_path: Path, proof_seed: int, report: Callable[..., None]
) -> None:
    paths = mboxes(tmp_path / "mail", proof_seed)
    expected = Counter(hashlib.sha256(raw).hexdigest() for path in paths for raw in members(path))
    settings = settings_in(tmp_path, work={"processes": 0})
    counts = bring_in(settings, *paths).counts
    with opened(settings) as services:
        ledger = {state: n for of in sums(services.store).values() for state, n in of.items()}
        tally = Tally()
        found = list(Verification(services.store, services.log).run(tally))
    again = bring_in(settings, *paths).counts
    originals = {hashlib.sha256(raw).hexdigest() for raw in kept(settings)}
    report(
        offered=counts.offered,
        ledger=ledger,
        expected_members=sum(expected.values()),
        originals=len(originals),
        missing=len(expected.keys() - originals),
        foreign=len(originals - expected.keys()),
        with_defects=counts.with_defects,
        second_import={"new": again.new, "unchanged": again.unchanged},
        verify={"findings": len(found), "originals": tally.originals, "leaves": tally.leaves},
        peak_resident_kib=peak_resident_kib(),
    )
    assert counts.offered == sum(expected.values()) == sum(ledger.values())
    assert originals == expected.keys()
    assert found == []
    assert (again.new, again.duplicates, again.unchanged) == (0, 0, counts.offered)
    assert peak_resident_kib() <= MAX_RESIDENT_KIB


def peak_resident_kib() -> int:
    """Of the largest child so far."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
