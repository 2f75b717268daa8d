"""Whom a listener believes what mail says of itself, and from when on."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network

import msgspec
from sqlalchemy import select

from archive_kit import ACTOR, findings, found, opened
from holdfast.core.records import NO_TRUST, CaptureFacts
from holdfast.ingest.recovery import file_sealed
from holdfast.ingest.smtp.config import SmtpConfig
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.ledger import sums
from holdfast.storage.catalogue.schema import captures
from holdfast.wiring.archive import open_archive
from holdfast.wiring.runs import parser_pool
from journal_checks import CORPUS
from smtp_checks import MAIL
from smtp_kit import CONFIG, JOURNAL, Client, listening

REPORT = (CORPUS / "exchange_bcc_and_list.eml").read_bytes()
NOBODY = replace(CONFIG, journal_networks=(ip_network("192.0.2.0/24"),))
"""Everybody may deliver, and nobody here is believed."""
DROP = "drop@archive.example"
COPIES = "copies@archive.example"


def send(settings: Settings, config: SmtpConfig, content: bytes) -> None:
    """Deliver one message; nothing is filed."""
    with listening(settings, config) as running, Client(running.port) as client:
        client.greet()
        assert client.deliver(content).startswith("250 ")


def file_all(settings: Settings) -> dict[str, int]:
    """File what is sealed; return the ledger's sums."""
    with parser_pool(settings) as pool, open_archive(settings, ACTOR) as services:
        file_sealed(services.desk, pool)
        services.desk.feed.drain()
        services.desk.sequencer.run()
        return sums(services.store)["journal"]


def facts_of_all(settings: Settings) -> list[CaptureFacts]:
    """What is noted of every capture, in order."""
    with opened(settings) as services, reading(services.store.engine) as connection:
        texts = connection.scalars(select(captures.c.facts).order_by(captures.c.id)).all()
    return [msgspec.json.decode(text, type=CaptureFacts) for text in texts]


def believes_only_those_who_may_journal(settings: Settings) -> None:
    """Whoever may deliver is not believed therefore: reports count from servers that journal."""
    config = replace(CONFIG, envelope_fields=("x-envelope-to",))
    others = replace(config, journal_networks=NOBODY.journal_networks)
    send(settings, config, MAIL)
    send(settings, others, MAIL + b" again")
    trusts = [one.trust for one in facts_of_all(settings)]
    assert [one.reports for one in trusts] == [True, False], "anybody is believed"
    assert trusts[0].fields == ("x-envelope-to",)
    assert trusts[0].own == (JOURNAL,)


def believes_no_mail_of_people(settings: Settings) -> None:
    """What people send to the drop address is theirs, also through a server that may journal."""
    config = replace(CONFIG, drop_addresses=frozenset({DROP}))
    with listening(settings, config) as listener, Client(listener.port) as client:
        client.greet()
        client.say("MAIL FROM:<li.wei@x.example>")
        assert client.say(f"RCPT TO:<{JOURNAL}>").startswith("250 ")
        assert client.say(f"RCPT TO:<{DROP.capitalize()}>").startswith("250 ")
        client.say("DATA")
        client.send(REPORT + b"\r\n.\r\n")
        assert client.reply().startswith("250 ")
    (facts,) = facts_of_all(settings)
    assert facts.smtp is not None
    assert (facts.smtp.sender, facts.folder) == ("li.wei@x.example", "drop")
    assert facts.trust == NO_TRUST, "people are believed"


def believes_no_report_that_is_copied(settings: Settings) -> None:
    """Anybody can mail what looks like a report; the server that copies it has not looked."""
    config = replace(CONFIG, copy_addresses=frozenset({COPIES}), envelope_fields=("x-envelope-to",))
    with listening(settings, config) as listener, Client(listener.port) as client:
        client.greet()
        client.envelope(recipient=COPIES.capitalize())
        client.send(b"X-Envelope-To: hidden@x.example, copies@archive.example\r\n")
        client.send(REPORT + b"\r\n.\r\n")
        assert client.reply().startswith("250 ")
    (facts,) = facts_of_all(settings)
    assert not facts.trust.reports, "a copied report is believed"
    assert facts.trust.fields == ("x-envelope-to",)
    file_all(settings)
    queries = ("bcc:ceo", "defect:journal_not_trusted", "envelope:hidden", "envelope:copies")
    assert [found(settings, one) for one in queries] == [0, 1, 1, 0]


def counts_from_the_first_time_it_is_believed(settings: Settings, *, at_once: bool) -> None:
    """A report that was plain mail first counts when it comes from who is believed."""
    send(settings, NOBODY, REPORT)
    if not at_once:
        assert file_all(settings) == {"filed": 1}
    send(settings, CONFIG, REPORT)
    assert file_all(settings) == {"filed": 2}, "it is passed over"
    send(settings, CONFIG, REPORT)
    send(settings, NOBODY, REPORT)
    assert file_all(settings) == {"filed": 2, "duplicate": 2}
    assert [found(settings, query) for query in ("bcc:ceo", "expanded:dl")] == [1, 1]
    assert findings(settings) == []
