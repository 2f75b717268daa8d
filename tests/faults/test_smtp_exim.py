"""A real Exim copies to the service by the settings of its page, and knows whom it hides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from archive_kit import findings, kept, opened, settings_in, total
from fault_command import Running, start
from fault_smtp import listening_port, smtpd_words
from holdfast.settings import Settings
from holdfast.storage.catalogue.ledger import sums
from holdfast.wiring.founding import create_archive
from http_listening import free_port
from mail_sink import Sink, sinking
from server_exim import COPIES, LOGIN, EximServer, running
from server_scripts import Missing
from smtp_kit import Client
from smtp_trust import REPORT

pytestmark = pytest.mark.unmeasured

LONG = b"long " * 1000
EVERYBODY = [f"n{number}@y.example" for number in range(300)]


@dataclass(frozen=True, slots=True)
class Stage:
    """An archive, an Exim in front of it, and where mail goes otherwise."""

    settings: Settings
    exim: EximServer
    sink: Sink
    words: list[str]
    folder: Path

    @contextmanager
    def serving(self, name: str) -> Iterator[Running]:
        """Serve; everything is filed at the end."""
        service = start(self.words, self.folder / name)
        listening_port(service)
        yield service
        self.exim.flush()
        assert not service.is_over_before(self.is_settled)
        service.process.terminate()
        assert service.finish().status == 0

    def is_settled(self) -> bool:
        """Tell whether nothing waits: neither in the queue, nor to be filed, nor to be found."""
        if self.exim.waiting():
            return False
        with opened(self.settings) as services:
            ends = sums(services.store).get("journal", {})
            return not ends.get("sealed") and not services.desk.feed.waiting()

    def found(self, *queries: str) -> list[int]:
        """Return how many interactions each query finds."""
        with opened(self.settings) as services:
            return [total(services, one) for one in queries]


@contextmanager
def staged(
    folder: Path, reachable: Path, need: Callable[[object, str], None], protocol: str = "smtp"
) -> Iterator[Stage]:
    settings = settings_in(folder)
    create_archive(settings)
    port = free_port()
    target, is_lmtp = f"127.0.0.1:{port}", protocol == "lmtp"
    words = [*smtpd_words(settings.data, 0 if is_lmtp else port)]
    words += ["--set", f"smtp.copy_addresses={COPIES}"]
    words += ["--set", "smtp.envelope_fields=X-Envelope-To,X-Envelope-From"]
    if is_lmtp:
        words += ["--set", f"smtp.lmtp_port={port}"]
        target = f"lmtp:{target}"
    with ExitStack() as stack:
        sink = stack.enter_context(sinking())
        try:
            exim = stack.enter_context(running(reachable, target, f"127.0.0.1:{sink.port}"))
        except Missing as error:
            need(False, str(error))
            return
        yield Stage(settings, exim, sink, words, folder)


def mail(name: str, *fields: str, body: bytes = b"body") -> bytes:
    head = "".join(f"{field}\r\n" for field in fields)
    return (
        f"From: a@x.example\r\nSubject: {name}\r\nMessage-ID: <{name}@x.example>\r\n"
        f"Date: Mon, 2 Mar 2026 10:00:00 +0000\r\n{head}\r\n"
    ).encode() + body


def submit(
    port: int, raw: bytes, to: Iterable[str], *, is_user: bool = True, by: str = "DATA"
) -> None:
    with Client(port) as client:
        client.greet()
        if is_user:
            assert client.say(LOGIN).startswith("235 ")
        assert client.say("MAIL FROM:<a@x.example>").startswith("250 ")
        for one in to:
            assert client.say(f"RCPT TO:<{one}>").startswith("250 ")
        if by == "DATA":
            assert client.say("DATA").startswith("354 ")
            client.send(raw + b"\r\n.\r\n")
        else:
            client.send(b"BDAT %d LAST\r\n" % (len(raw) + 2) + raw + b"\r\n")
        assert client.reply().startswith("250")


OPEN = ('To: Open <open@x.example>, "B, C" <Second@x.example>', "Cc: copy@x.example")
NAMED = ("open@x.example", "second@x.example", "copy@x.example")


@pytest.mark.parametrize("protocol", ["smtp", "lmtp"])
def test_blind_copies_that_exim_knows_of_are_found_and_told_to_nobody_else(
    tmp_path: Path, reachable: Path, need: Callable[[object, str], None], protocol: str
) -> None:
    with staged(tmp_path, reachable, need, protocol) as stage:
        port = stage.exim.port
        with stage.serving("run"):
            for by in ("DATA", "BDAT"):
                raw = mail(f"user-{by}", *OPEN, body=LONG)
                submit(port, raw, (*NAMED, f"{by}-blind@y.example"), by=by)
            stage.exim.hand_in(mail("program", "To: open@x.example", "Bcc: p@y.example"), "-t")
        texts = b"".join(content for _, _, content in stage.sink.mail).lower()
        assert stage.found("bcc:data-blind", "bcc:bdat-blind", "bcc:p@y.example") == [1, 1, 1]
        assert stage.found("bcc:open", "bcc:second", "bcc:copy", "envelope:copies") == [0] * 4
        assert stage.found("envelope:data-blind", "envelope:open") == [1, 3]
        assert sum(LONG in raw for raw in kept(stage.settings)) == 2
        assert len(stage.sink.recipients()) == 2 * 4 + 2
        assert not any(one in texts for one in (b"x-envelope", b"bcc", b"blind", COPIES.encode()))
        assert findings(stage.settings) == []


def test_of_mail_from_outside_and_of_lists_nobody_is_called_blind_copied(
    tmp_path: Path, reachable: Path, need: Callable[[object, str], None]
) -> None:
    with staged(tmp_path, reachable, need) as stage:
        port = stage.exim.port
        with stage.serving("run"):
            forged = ("X-Envelope-To: evil@y.example", "X-Envelope-From: evil@y.example")
            submit(port, mail("in", *OPEN, *forged), (*NAMED, "member@y.example"), is_user=False)
            submit(port, mail("list", *OPEN, "List-Id: <l.x.example>"), ("reader@y.example",))
            submit(port, mail("nobody", "To: undisclosed-recipients:;"), ("one@y.example",))
            submit(port, mail("many"), EVERYBODY, is_user=False)
            submit(port, REPORT, ("victim@y.example",), is_user=False)
        assert stage.found("envelope:member", "envelope:reader", "envelope:one") == [1, 1, 1]
        assert stage.found("bcc:member", "bcc:reader", "bcc:one") == [0, 0, 1]
        assert set(stage.found(*(f"envelope:{one}" for one in EVERYBODY))) == {1}
        assert stage.found("with:evil", "from:a@x.example") == [0, 5]
        queries = ("bcc:ceo", "envelope:victim", "defect:journal_not_trusted")
        assert stage.found(*queries) == [0, 1, 1]
        assert findings(stage.settings) == []


def has_fewer(exim: EximServer, than: int) -> bool:
    return exim.waiting() < max(than, 1)


def test_queue_of_exim_empties_through_restarts_without_loss_or_double(
    tmp_path: Path, reachable: Path, need: Callable[[object, str], None]
) -> None:
    def send(number: int) -> None:
        to = (*NAMED, f"blind{number}@y.example")
        submit(stage.exim.port, mail(f"number-{number}", *OPEN), to)

    with staged(tmp_path, reachable, need) as stage:
        for number in range(20):
            send(number)  # nobody listens yet
        for run in range(2):
            service = start(stage.words, tmp_path / f"run-{run}")
            listening_port(service)
            for number in range(20 * run + 20, 20 * run + 40):
                send(number)
            stage.exim.flush()
            assert not service.is_over_before(partial(has_fewer, stage.exim, stage.exim.waiting()))
            service.kill()
        with stage.serving("last"):
            pass
        assert len(stage.sink.recipients()) == 60 * 4
        blind = [f"bcc:blind{number}@y.example" for number in range(60)]
        assert stage.found(*blind) == [1] * 60
        with opened(stage.settings) as services:
            ends = sums(services.store)["journal"]
        assert ends.pop("filed") == 60
        assert ends.keys() <= {"duplicate"}  # a kill was faster than the 250
        assert findings(stage.settings) == []


def test_copy_that_is_refused_for_good_is_told_to_the_postmaster_once(
    tmp_path: Path, reachable: Path, need: Callable[[object, str], None]
) -> None:
    with staged(tmp_path, reachable, need) as stage:
        words = [*stage.words, "--set", "smtp.copy_addresses=other@archive.example"]
        service = start(words, tmp_path / "run")
        listening_port(service)
        submit(stage.exim.port, mail("refused", *OPEN), NAMED)

        def is_over() -> bool:
            told, log = stage.sink.recipients().count("postmaster@example.com"), stage.exim.log()
            return told > 1 or ("Frozen" in log and "Completed" in log)

        assert not service.is_over_before(is_over)
        stage.exim.flush()
        assert stage.sink.recipients() == sorted((*NAMED, "postmaster@example.com"))
        assert stage.exim.waiting() == 1  # the copy of what the postmaster was told
        service.process.terminate()
        assert service.finish().status == 0
