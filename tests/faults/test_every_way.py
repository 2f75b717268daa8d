"""F10, F11, F55: one mail, another of its name, and forged dates, by every way in at once."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from archive_kit import bring_in, found, settings_in
from fault_command import PROGRAM, import_words, start
from holdfast.settings import Settings
from imap_kit import added, letter, plain_account
from imap_script import Script, scripted
from smtp_kit import Client, listening
from way_checks import forged, has_times_of_servers, is_one_of_each

pytestmark = pytest.mark.unmeasured

SECRET = "open-sesame-84"
SAME = [forged(0), forged(1), *(letter(number) for number in range(2, 60))]
OWN = [[letter(1, body=f"Sent by {way}, {n}.") for n in range(2)] for way in range(3)]
"""Other words under one Message-ID, different by each way."""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """An archive that was handed mail by SMTP, IMAP and import at the same time."""
    folder = tmp_path_factory.mktemp("ways")
    made = settings_in(folder)
    by_smtp, by_imap, by_import = ([*SAME, *own] for own in OWN)
    (folder / "offer").mkdir()
    for number, raw in enumerate(by_import):
        (folder / "offer" / f"{number}.eml").write_bytes(raw)
    script = Script(dict(enumerate(by_imap, 1)))
    with scripted(script), listening(made) as running, ThreadPoolExecutor() as threads:
        added(made, plain_account(script.port), SECRET)
        sync = [*PROGRAM, "--data", made.data, "source", "sync", "-j", 1, "--json"]
        offer = import_words(made.data, folder / "offer")
        commands = [start(sync, folder / "sync"), start(offer, folder / "import")]
        half = len(by_smtp) // 2
        answers = threads.map(_deliver, [running.port] * 2, [by_smtp[:half], by_smtp[half:]])
        assert {code for codes in answers for code in codes} == {"250"}
        ended = [one.finish() for one in commands]
    assert [one.status for one in ended] == [0, 0], [one.err for one in ended]
    bring_in(made, folder / "offer" / "2.eml")  # files what was sealed last, and indexes it
    return made


def _deliver(port: int, mail: Sequence[bytes]) -> list[str]:
    with Client(port) as client:
        client.greet()
        return [client.deliver(raw.removesuffix(b"\r\n"))[:3] for raw in mail]


def test_f10_same_bytes_are_one_original_and_one_interaction_with_each_capture(
    settings: Settings,
) -> None:
    is_one_of_each(settings, SAME, [raw for own in OWN for raw in own], again=1)


def test_f11_other_words_of_one_message_id_are_all_there_and_marked(settings: Settings) -> None:
    assert found(settings, "is:conflict") == 7


def test_f55_forged_dates_move_no_time_that_retention_counts_from(settings: Settings) -> None:
    has_times_of_servers(settings, {"smtp": 2, "imap": 2, "import": 2})
