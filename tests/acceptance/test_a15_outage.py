"""A15: what comes by IMAP, SMTP and webhook while engines and programs fail is there, once each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

import server_dovecot
from archive_kit import findings, found
from engines_chaos import Servers, own_servers
from holdfast.settings import Settings
from outage_kit import Site, grown, kept, prepared, sending, site_of, words_of
from server_scripts import Missing
from story_kit import Embedded

pytestmark = pytest.mark.unmeasured
EACH = 167 if os.environ.get("HOLDFAST_PROOF") else 20
WAYS = ("imap", "smtp", "hook")


@contextmanager
def mailbox(folder: Path, need: Callable[[object, str], None]) -> Iterator[server_dovecot.User]:
    try:
        folder.chmod(0o755)  # the server has a user of its own
        with server_dovecot.running(folder) as dovecot:
            yield dovecot.user("ann")
    except Missing as error:
        need(False, str(error))


def embedded_misfortunes(site: Site, user: server_dovecot.User) -> list[Callable[[], None]]:
    return [
        lambda: site.kill("worker"),
        lambda: numbered_anew(site, user),
        lambda: site.kill("listener"),
        lambda: site.kill("service"),
        lambda: site.kill("worker"),
    ]


def engine_misfortunes(
    site: Site, user: server_dovecot.User, servers: Servers
) -> list[Callable[[], None]]:
    search = servers.engines.elasticsearch

    def lose_search() -> None:
        for node in (1, 2):
            search.kill(node)

    def search_again() -> None:
        for node in (1, 2):
            search.revive(node)

    return [
        lose_search,
        servers.redis.kill,
        lambda: site.kill("worker"),
        lambda: (servers.redis.start(), None)[1],
        search_again,
        lambda: numbered_anew(site, user),
        lambda: site.kill("service"),
    ]


def numbered_anew(site: Site, user: server_dovecot.User) -> None:
    """Let the mailbox get another UIDVALIDITY, as after a server was set up anew."""
    with site.mailbox:
        user.server.stop()
        user.number_anew()
        user.server.start()


def play(
    settings: Settings,
    folder: Path,
    user: server_dovecot.User,
    misfortunes: Callable[[Site], list[Callable[[], None]]],
) -> None:
    """Let things come three ways, bring every misfortune in turn, and judge what is there."""
    prepared(settings, user)
    with site_of(settings, folder) as site:
        with sending(site, user, EACH) as heard:
            for act in misfortunes(site):
                before = sum(kept(settings).values())
                act()
                # Each misfortune meets things on their way, as long as there are any.
                site.running["worker"].is_over_before(
                    partial(is_further, settings, before, heard.hook)
                )
        site.wait(lambda: is_settled(settings))
    ends = kept(settings)
    assert not {answer for answer in heard.smtp if answer == "5"}, heard.smtp
    assert all(status == 0 or status >= 500 or status < 300 for status in heard.hook), heard.hook
    assert ends["filed"] == len(WAYS) * EACH, ends
    assert not ends["failed"] + ends["quarantined"], ends
    for way in WAYS:
        missing = [n for n in range(EACH) if found(settings, words_of(way, n)) != 1]
        assert not missing, (way, missing)
    assert findings(settings) == []


def is_further(settings: Settings, before: int, hook: dict[int, int]) -> bool:
    return grown(settings, before) or all_sent(hook, EACH)


def all_sent(hook: dict[int, int], each: int) -> bool:
    return sum(times for status, times in hook.items() if 200 <= status < 300) >= each


def is_settled(settings: Settings) -> bool:
    ends = kept(settings)
    return ends["filed"] >= len(WAYS) * EACH and not ends["sealed"] + ends["not indexed"]


def test_a15_on_one_machine(
    tmp_path: Path, reachable: Path, need: Callable[[object, str], None]
) -> None:
    with (
        mailbox(reachable, need) as user,
        Embedded().settings(tmp_path / "archive") as settings,
    ):
        play(settings, tmp_path, user, lambda site: embedded_misfortunes(site, user))


@pytest.mark.skipif(not os.environ.get("HOLDFAST_PROOF"), reason="part of the full round")
def test_a15_on_the_engines(
    tmp_path: Path, reachable: Path, need: Callable[[object, str], None]
) -> None:
    with own_servers(need) as servers, mailbox(reachable, need) as user:
        broker = {"broker": servers.redis.url, "password": servers.redis.password}
        with servers.engines.settings(
            tmp_path / "archive", work=broker, index={"replicas": 1}
        ) as settings:
            play(settings, tmp_path, user, lambda site: engine_misfortunes(site, user, servers))
