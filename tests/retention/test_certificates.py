from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from disposal_kit import Office
from holdfast.core.errors import Conflict, Corrupt
from holdfast.core.identity import public_id
from holdfast.retention.certificates import Surroundings, conclude, read_certificate, stamp
from holdfast.retention.disposal import Asked, Execution, except_item
from holdfast.storage.checkpoint import sign_note

KEY = Ed25519PrivateKey.generate()
ORIGIN = "archive.example/log"
AROUND = Surroundings(ORIGIN, "archive.example/log\n7\nroot\n", 35, {"vault": "cleared"})


def concluded(office: Office, ids: list[int]) -> tuple[int, bytes]:
    office.rule("ceiling", 1)
    approved = office.approved()
    except_item(office.store, approved.id, ids[0], "asked by court")
    office.execute(approved.id)
    kept = conclude(office.store, approved.id, AROUND, KEY)
    assert kept.state == "executed"
    assert kept.certificate is not None
    return approved.id, kept.certificate


def test_the_certificate_says_what_went_by_which_rules_and_whose_approval(
    office: Office, ids: list[int]
) -> None:
    disposal, note = concluded(office, ids)
    said = read_certificate(note, KEY.public_key(), ORIGIN)
    assert said["disposal"] == public_id("dsp", disposal)
    assert said["items"]["destroyed"]["items"] == 2
    assert said["items"]["excepted"]["items"] == 1
    assert said["spared"] == [
        {"id": public_id("msg", ids[0]), "state": "excepted", "reason": "asked by court"}
    ]
    assert [(one["name"], one["version"], one["citation"]) for one in said["rules"]] == [
        ("ceiling 1", 1, "§ 1")
    ]
    assert said["by"]["approved"] == public_id("per", office.ben)
    assert said["checkpoint"] == AROUND.checkpoint
    assert len(said["manifest_sha256"]) == 64
    executed, gone = said["at"]["executed"][:10], said["keys_leave_backups_on"]
    assert executed < gone
    assert said["space"] == {"vault": "cleared"}
    assert b"budget" not in note


def test_no_byte_of_it_can_be_changed(office: Office, ids: list[int]) -> None:
    _, note = concluded(office, ids)
    for at in range(0, len(note), 7):
        damaged = note[:at] + bytes([note[at] ^ 1]) + note[at + 1 :]
        with pytest.raises(Corrupt):
            read_certificate(damaged, KEY.public_key(), ORIGIN)
    with pytest.raises(Corrupt):
        read_certificate(note, Ed25519PrivateKey.generate().public_key(), ORIGIN)


@pytest.mark.parametrize("text", ["[]\n", "no json\n", '{"schema":"other"}\n'])
def test_another_note_by_the_same_key_is_no_certificate(text: str) -> None:
    with pytest.raises(Corrupt):
        read_certificate(sign_note(text, ORIGIN, KEY), KEY.public_key(), ORIGIN)


def test_there_is_none_before_all_items_are_settled(office: Office, ids: list[int]) -> None:
    office.rule("ceiling", 1)
    approved = office.approved()
    with pytest.raises(Conflict):
        conclude(office.store, approved.id, AROUND, KEY)
    execution = Execution(office.store, approved.id)
    execution.begin(Asked(office.ann))
    execution.settle(0)
    with pytest.raises(Conflict):
        conclude(office.store, approved.id, AROUND, KEY)
    execution.run()
    conclude(office.store, approved.id, AROUND, KEY)
    with pytest.raises(Conflict):
        conclude(office.store, approved.id, AROUND, KEY)
    assert ids


def test_instants_are_written_in_utc() -> None:
    told: list[Any] = [stamp(0), stamp(None)]
    assert told == ["1970-01-01T00:00:00.000Z", None]
