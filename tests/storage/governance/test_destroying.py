from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from archive_kit import bring_in, found, message, opened, settings_in, write_mbox
from disposal_kit import Hands, Office
from holdfast.core.query import Phrase
from holdfast.ingest.verification import index_check
from holdfast.settings import Settings
from holdfast.storage.verify import Tally, Verification
from holdfast.wiring.archive import Services

NOW = datetime.now(UTC)


def findings(services: Services) -> list[object]:
    services.desk.feed.drain()
    services.desk.sequencer.run()
    also = (index_check(services.home),)
    return list(Verification(services.store, services.log, also=also).run(Tally()))


def imported(tmp_path: Path, count: int = 5) -> Settings:
    settings = settings_in(tmp_path)
    mails = [message(n, subject=f"subject{n} all", body=f"bodyword{n} all") for n in range(count)]
    bring_in(settings, write_mbox(tmp_path / "a.mbox", mails))
    return settings


def test_a_disposed_message_is_gone_and_the_archive_verifies(tmp_path: Path) -> None:
    settings = imported(tmp_path)
    with opened(settings) as services:
        office = Office.of(services.store, Hands(NOW + timedelta(days=1)))
        office.rule("ceiling", 1, Phrase("subject3"))
        assert office.dispose() == ["destroyed"]
        assert findings(services) == []
    assert found(settings, "bodyword3") == 0
    assert found(settings, "bodyword2") == 1
