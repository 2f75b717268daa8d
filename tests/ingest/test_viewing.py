from __future__ import annotations

import os
import threading
import time

import pytest

from holdfast.core.errors import Unavailable
from holdfast.core.records import NO_TRUST, Trust
from holdfast.ingest.jail import Errands, Failed, Killed, Limits, Ok, Reason
from holdfast.ingest.viewing import NotShown, Travel, Viewer, view_html
from holdfast.parsers.html_safe import SafeHtml

SHORT = Limits(cpu_s=1.0, wall_s=5.0)
HEAD = b"Subject: x\r\nMIME-Version: 1.0\r\n"


def act(payload: bytes) -> bytes:
    """What the children of these tests do, by order."""
    if payload == b"spin":
        while True:
            pass
    if payload == b"sleep":
        time.sleep(60)
    if payload == b"die":
        os._exit(9)
    if payload == b"raise":
        raise ValueError("no")
    if payload == b"grow":
        return b"x" * (1 << 20)
    return payload[::-1]


@pytest.mark.parametrize(
    ("payload", "outcome"),
    [
        (b"abc", Ok(b"cba")),
        (b"raise", Failed("ValueError: no")),
        (b"spin", Killed(Reason.CPU, "SIGPROF")),
        (b"die", Killed(Reason.CRASH, "exit 9")),
        (b"grow", Killed(Reason.OUTPUT)),
    ],
)
def test_an_errand_ends_as_its_child_did(payload: bytes, outcome: object) -> None:
    errands = Errands(act, Limits(cpu_s=1.0, wall_s=20.0, max_result_bytes=1 << 16))
    assert errands.run(payload) == outcome
    assert errands.run(b"ok") == Ok(b"ko")
    errands.close()
    errands.close()


def test_an_errand_that_sleeps_is_ended_by_the_clock() -> None:
    errands = Errands(act, Limits(cpu_s=1.0, wall_s=0.5))
    assert errands.run(b"sleep") == Killed(Reason.WALL)
    errands.close()


def test_errands_of_many_threads_do_not_mix() -> None:
    errands = Errands(act, SHORT, at_once=3)
    found: dict[int, object] = {}

    def run(number: int) -> None:
        found[number] = errands.run(str(number).encode() * 1000)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    errands.close()
    assert found == {n: Ok((str(n).encode() * 1000)[::-1]) for n in range(12)}


def test_a_child_that_dies_before_it_has_its_task_is_no_error() -> None:
    errands = Errands(act, Limits(cpu_s=0.2, wall_s=5.0))
    big = b"die" + b"\0" * (8 << 20)
    assert isinstance(errands.run(big), Ok)
    errands.close()


def test_after_the_end_nothing_can_be_run() -> None:
    errands = Errands(act, SHORT)
    errands.close()
    with pytest.raises((Unavailable, OSError)):
        errands.run(b"x")


def test_html_comes_back_harmless_with_the_pictures_of_the_message() -> None:
    raw = HEAD + (
        b"Content-Type: multipart/related; boundary=r\r\n\r\n--r\r\nContent-Type: text/html\r\n\r\n"
        b'<img src="cid:a"><img src="cid:b"><script>x</script><img src="https://far.example/x">\r\n'
        b"--r\r\nContent-Type: image/gif\r\nContent-ID: <a>\r\n\r\nGIF89a\r\n"
        b"--r\r\nContent-Type: image/gif\r\nContent-ID: <b>\r\n\r\n<svg/>\r\n"
        b"--r\r\nContent-Type: image/gif\r\nContent-ID: <unused>\r\n\r\nGIF89a\r\n--r--\r\n"
    )
    with Viewer() as viewer:
        shown = viewer.html(raw)
    assert shown == view_html(raw, NO_TRUST)
    assert isinstance(shown, SafeHtml)
    assert shown.html.count("data:image/gif;base64,") == 1
    assert (shown.blocked, shown.hosts) == (1, ("far.example",))


def test_the_html_of_a_journal_report_is_that_of_the_message_inside() -> None:
    raw = (
        b"X-MS-Journal-Report: \r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/mixed; boundary=j\r\n\r\n--j\r\nContent-Type: text/plain\r\n\r\n"
        b"Sender: a@x.example\r\nSubject: s\r\nMessage-Id: <1@x>\r\nTo: b@x.example\r\n\r\n--j\r\n"
        b"Content-Type: message/rfc822\r\n\r\n"
        + HEAD
        + b"Content-Type: text/html\r\n\r\n<b>in</b>\r\n--j--\r\n"
    )
    shown = view_html(raw, Trust(reports=True))
    assert shown is not None
    assert shown.html.strip() == "<b>in</b>"


def test_no_html_is_no_failure() -> None:
    with Viewer() as viewer:
        assert viewer.html(b"Subject: x\r\n\r\nplain") == NotShown("none")


def test_what_costs_too_much_is_not_shown() -> None:
    deep = HEAD + b"Content-Type: text/html\r\n\r\n" + b"<div>" * 40_000
    with Viewer(Limits(cpu_s=0.5, wall_s=20.0)) as viewer:
        assert viewer.html(deep) == NotShown("cpu")
        assert viewer.travel(b"Subject: x\r\n\r\n") == Travel()


def test_the_way_is_told_from_the_beginning_of_the_message() -> None:
    raw = (
        b"Received: from a.example by b.example with ESMTP; Tue, 5 Mar 2024 10:00:05 +0000\r\n"
        b"Subject: x\r\n\r\n"
    )
    with Viewer() as viewer:
        travel = viewer.travel(raw)
    assert [(hop.number, hop.receiver) for hop in travel.hops] == [(1, "b.example")]
    assert travel.failure == ""


def test_a_way_that_cannot_be_told_says_so() -> None:
    raw = b"Received: from a by b with SMTP; Tue, 5 Mar 2024 10:00:05 +0000\r\n" * 3000
    with Viewer(Limits(cpu_s=0.01, wall_s=20.0)) as viewer:
        assert viewer.travel(raw).failure == "cpu"
