"""Alerts and the board ask for metrics that workers serve; every alert says what to do."""

from __future__ import annotations

import importlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from archive_kit import ACTOR, bring_in, message, settings_in, write_mbox
from deploy_files import DEPLOY, checker, load_yaml, ran
from holdfast.ingest.smtp.pressure import Pressure
from holdfast.ingest.smtp.tally import Tally
from holdfast.storage.catalogue.accounts import find_account
from holdfast.storage.catalogue.source_runs import EndedRun, begin_run, end_run
from holdfast.wiring.archive import Services, open_archive
from imap_kit import SOURCE, added, plain_account

RULES = [
    rule
    for group in load_yaml(DEPLOY / "prometheus/rules.yaml")["groups"]
    for rule in group["rules"]
]
BOARD: dict[str, Any] = json.loads((DEPLOY / "grafana/holdfast.json").read_text(encoding="utf-8"))
RUNBOOK = (DEPLOY / "RUNBOOK.md").read_text(encoding="utf-8")


def asked() -> Iterator[str]:
    yield from (rule["expr"] for rule in RULES)
    yield from (target["expr"] for panel in BOARD["panels"] for target in panel["targets"])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """What a worker of an archive with one message and a mailbox serves: metric → labels."""
    metrics = pytest.importorskip(
        "holdfast.ingest.metrics", reason="not run (no prometheus-client)"
    )
    folder = tmp_path_factory.mktemp("alerts")
    settings = settings_in(folder)
    bring_in(settings, write_mbox(folder / "box.mbox", [message(1)]))
    added(settings, plain_account(143), "secret")
    with open_archive(settings, ACTOR) as services:
        end_run(services.store, begin_run(services.store, _pulled(services), "mail", ""), _ENDED)
        families = list(metrics.ArchiveCollector(services.store).collect())
    families += list(metrics.TakenCollector(()).collect())
    listener = importlib.import_module("holdfast.ingest.smtp.metrics")
    tally = Tally(refused=Counter({"peer": 1}))
    families += list(listener.ListenerCollector(tally, Pressure()).collect())
    found: dict[str, set[str]] = {"up": set()}
    for family in families:
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def _pulled(services: Services) -> int:
    return find_account(services.store, SOURCE).source_id


_ENDED = EndedRun("failed", trouble="throttled")


def test_every_metric_that_is_asked_for_is_served(served: dict[str, set[str]]) -> None:
    wanted = {name for text in asked() for name in re.findall(r"\bholdfast_\w+", text)}
    assert len(wanted) > 10
    # Sources show their last success only once a batch of theirs was queued.
    assert wanted - set(served) <= {"holdfast_source_last_success_timestamp"}


def test_every_label_that_is_asked_for_is_served(served: dict[str, set[str]]) -> None:
    known = set().union(*served.values()) | {"job", "instance"}  # Prometheus' own
    grouped = {
        label.strip()
        for text in asked()
        for labels in re.findall(r"\bby \(([^)]*)\)", text)
        for label in labels.split(",")
    }
    matched = {label for text in asked() for label in re.findall(r"[{,] ?(\w+)(?:=|!=|=~)\"", text)}
    assert grouped | matched <= known


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_alert_says_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert set(rule["annotations"]) == {"summary", "description"}
    assert f"### {rule['alert']}\n" in RUNBOOK


def test_panels_do_not_lie_on_each_other() -> None:
    cells = [
        (x, y)
        for panel in BOARD["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert all(panel["title"] and panel["description"] for panel in BOARD["panels"])


def test_prometheus_accepts_the_rules_and_they_fire_when_they_should(
    tmp_path: Path, need: Callable[[object, str], None]
) -> None:
    promtool = checker("promtool")
    need(promtool, "no promtool: deploy/dev/checkers.sh install")
    folder = DEPLOY / "prometheus"
    status, text = ran(promtool, "check", "rules", folder / "rules.yaml")
    assert status == 0, text
    status, text = ran(promtool, "test", "rules", folder / "rules.test.yaml")
    assert status == 0, text


def test_prometheus_can_read_every_question_of_the_board(
    tmp_path: Path, need: Callable[[object, str], None]
) -> None:
    promtool = checker("promtool")
    need(promtool, "no promtool: deploy/dev/checkers.sh install")
    questions = [text.replace("$__rate_interval", "5m") for text in asked()]
    rules = [{"record": f"asked:{number}", "expr": text} for number, text in enumerate(questions)]
    path = tmp_path / "asked.yaml"
    path.write_text(json.dumps({"groups": [{"name": "asked", "rules": rules}]}), encoding="utf-8")
    status, text = ran(promtool, "check", "rules", path)
    assert status == 0, text
    path.write_text(path.read_text(encoding="utf-8").replace("max by", "most by"), encoding="utf-8")
    assert ran(promtool, "check", "rules", path)[0] != 0
