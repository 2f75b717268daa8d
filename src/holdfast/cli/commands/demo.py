"""`demo`: make up the mail of two companies, archive it and look at it."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from holdfast.cli.command import NoOptions, add
from holdfast.cli.screen import ACCENT, GOOD
from holdfast.core.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from holdfast.cli.session import Session
    from holdfast.ingest.progress import Progress

DEFAULT_DATA = Path("holdfast-demo")
MAIL = "demo-mail"
DONE = "demo.json"
SEED = 1
MESSAGES = 2_000
DOMAINS = ("calderfell.example", "yunxi-trade.example")
_SEARCHES = (
    ('"launch never left"', "A witness, and the mail that forwards her."),
    ("阴阳合同", "Chinese, found by any part of it: double contracts."),
    ("Gallowspan has:attachment", "A bank that only the text of an attached PDF names."),
)
_CONTACT = "Leila Hartmann"


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "demo", demo, NoOptions, (0, 1, 2, 5, 6, 7))


def demo(session: Session, _options: NoOptions) -> int:
    """Make up the mail of two companies, archive it and look at it; offline, in under a minute.

    The archive is made in --data, else in ./holdfast-demo; a second run uses it again. To get rid
    of it, delete that folder and those beside it whose names begin like it: the keys, and a copy
    in which one bit was changed for 'holdfast verify' to find.
    """
    _choose_folder(session)
    data = session.settings.data
    if (data / DONE).exists():
        session.screen.note("The demonstration is in {data} already.", data=data)
    else:
        _build(session, data)
    return _show(session, data)


def _choose_folder(session: Session) -> None:
    if session.choices.data is None and not os.environ.get("HOLDFAST_DATA"):
        session.choose({"data": DEFAULT_DATA})
    if not session.settings.archive.internal_domains:
        session.choose({"archive.internal_domains": list(DOMAINS)})


def _build(session: Session, data: Path) -> None:
    from holdfast.ingest.demo.generating import generate
    from holdfast.ingest.demo.tampering import tampered_copy
    from holdfast.wiring.places import CATALOGUE

    screen = session.screen
    if (data / CATALOGUE).exists() and not (data / MAIL).exists():
        raise Conflict(
            f"{data} holds an archive that is not the demonstration.",
            next_step="Name another folder with --data.",
        )
    screen.note("Making up the mail of a harbour and a trading company …")
    shutil.rmtree(data / MAIL, ignore_errors=True)  # of a run that was interrupted
    story = generate(data / MAIL, seed=SEED, messages=MESSAGES)
    homes = sorted(path for path in (data / MAIL).glob("*/*") if path.is_dir())
    counts = _import(session, homes)
    tampered_copy(data, session.settings.keys_folder, _tampered(data))
    (data / DONE).write_text(json.dumps({"seed": SEED, "stored": story.stored}), encoding="utf-8")
    screen.result(
        "{stored} messages of {homes} people, {new} of them different, are in the archive.",
        style=GOOD,
        stored=f"{story.stored:,}",
        homes=len(homes),
        new=f"{counts.new:,}",
    )


def _tampered(data: Path) -> Path:
    """Folder of the copy that `verify` must catch."""
    return data.with_name(f"{data.name}-tampered")


def _import(session: Session, homes: Sequence[Path]) -> Progress:
    """Import each person's mailbox as theirs."""
    from holdfast.cli.progress import ImportDisplay, bytes_at
    from holdfast.ingest.imports import ImportOptions, run_import
    from holdfast.wiring.archive import open_archive
    from holdfast.wiring.founding import create_archive
    from holdfast.wiring.runs import parser_pool

    settings = session.settings
    with (
        parser_pool(settings) as pool,
        ImportDisplay(session.screen, sum(map(bytes_at, homes))) as display,
    ):
        create_archive(settings)
        with open_archive(settings, session.actor) as services:
            total = _Sum(display.show)
            for home in homes:
                name = home.name.replace(".", " ").title()
                order = ImportOptions((home,), source=f"demo/{home.name}", custodian=name)
                done = run_import(order, services.desk, pool, services.spool, total.show)
                total.add(done.counts)
    return total.counts


@dataclass(slots=True)
class _Sum:
    """Counts of several imports, shown as those of one."""

    on_progress: Callable[[Progress], None]
    counts: Progress = field(default_factory=lambda: _none())

    def show(self, current: Progress) -> None:
        self.on_progress(_added(self.counts, current))

    def add(self, done: Progress) -> None:
        self.counts = _added(self.counts, done)


def _none() -> Progress:
    from holdfast.ingest.progress import Progress

    return Progress()


def _added(one: Progress, other: Progress) -> Progress:
    from holdfast.ingest.progress import Progress

    names = [each.name for each in fields(Progress)]
    return Progress(**{name: getattr(one, name) + getattr(other, name) for name in names})


def _show(session: Session, data: Path) -> int:
    """Run what a reader would type, and show it as typed."""
    from holdfast.cli.app import application

    place = ["--data", os.fspath(data), "--as", session.actor]
    if session.choices.language:
        place += ["--lang", session.choices.language]
    tour = [(["search", query, "--limit", "3"], about) for query, about in _SEARCHES]
    tour.append((["contact", "timeline", _CONTACT, "--limit", "6"], "One person's whole trail."))
    tour.append((["verify"], "Every original and every row, read again and compared."))
    status = 0
    for words, about in tour:
        _announce(session, words, about)
        ended = application(words)([*words, *place], standalone_mode=False)
        status = status or ended or 0
    _next_steps(session, place)
    return status


def _announce(session: Session, words: Sequence[str], about: str) -> None:
    shown = " ".join(f"'{word}'" if " " in word or '"' in word else word for word in words)
    session.screen.result()
    session.screen.result("{about}", style="italic", about=session.screen.words(about))
    session.screen.result("$ holdfast {shown}", style=ACCENT, shown=shown)


def _next_steps(session: Session, place: Sequence[str]) -> None:
    screen = session.screen
    screen.result()
    screen.result("Now look yourself:", style=ACCENT)
    for words in (
        "export HOLDFAST_DATA={data}",
        "holdfast search Tidewrack --facets custodian,month",
        "holdfast search '发件人:yunxi 虚开发票' --explain",
        "holdfast show ID       (an id from a search; also --raw, --verify, --thread)",
        "holdfast ledger        holdfast audit log --limit 10",
        "holdfast --data {copy} verify   (one bit of a copy was changed: it is named)",
        "holdfast import PATH   (your own mail: an mbox file, a Maildir, a folder)",
    ):
        screen.result(
            "  {words}", words=screen.words(words, data=place[1], copy=_tampered(Path(place[1])))
        )
