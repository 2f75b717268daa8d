"""The full round of tampering with packages: each is found and named, by two verifiers."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from archive_kit import bring_in, message, write_mbox
from export_kit import key_of, made, members_of, new_archive, verdict, write_package
from export_reader import is_good
from export_tamper import WAYS, Trial, tamper

TRIALS = 1200


def test_twelve_hundred_altered_packages_are_found_and_named(
    tmp_path: Path, proof_seed: int, report: Callable[..., None]
) -> None:
    settings = new_archive(tmp_path)
    older, newer = tmp_path / "older.zip", tmp_path / "newer.zip"
    made(settings, older, with_attachments=True)
    bring_in(settings, write_mbox(tmp_path / "b.mbox", [message(n) for n in (21, 22)]))
    made(settings, newer, with_attachments=True)
    key = key_of(settings)
    chance = random.Random(proof_seed)
    trial = Trial(members_of(newer), members_of(older), chance)
    figures: Counter[str] = Counter()
    for number in range(TRIALS):
        way = WAYS[number % len(WAYS)]
        altered = tamper(trial, way)
        path = write_package(tmp_path / "altered.zip", altered.files)
        said = verdict(path, key)
        figures["missed"] += said.status == 0
        figures["unnamed"] += not altered.names & set(said.bad)
        figures["missed_by_the_second"] += is_good(path, key)
        figures[way] += 1
        report(trials=number + 1, **figures)
    assert (figures["missed"], figures["unnamed"], figures["missed_by_the_second"]) == (0, 0, 0)
    assert verdict(newer, key).status == 0
    assert is_good(newer, key)
