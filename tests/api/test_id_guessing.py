"""F61: ids of what somebody may not see are guessed at every route; no answer tells of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from holdfast.api import asking, people
from holdfast.api.routes import contact_changes, exports, records, threads
from holdfast.api.served import Served
from holdfast.core.errors import NotFound
from holdfast.core.rights import Forbidden, Principal, Role
from id_guessing import Guesses, guessing

pytestmark = pytest.mark.unmeasured
Plant = pytest.MonkeyPatch


@pytest.fixture(scope="module")
def guesses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guesses]:
    """Only strangers ask, and change nothing: one archive for all tests."""
    with guessing(tmp_path_factory.mktemp("guesses")) as opened:
        yield opened


def test_f61_what_is_hidden_is_as_absent_as_what_never_was(guesses: Guesses) -> None:
    guesses.all_alike()
    scoped = {one.name for one in guesses.operations() if one.is_scoped}
    assert len(scoped) > 25
    assert {guesses.asked[name] for name in scoped - {"revoke_key"}} == {len(Role)}
    assert guesses.asked["revoke_key"] == len(Role) - 1  # of who does not manage users


def guessed(guesses: Guesses, *names: str) -> None:
    """Guess at some routes alone."""
    found = [one for one in guesses.operations() if one.name in names]
    assert len(found) == len(names)
    for one in found:
        for role in Role:
            guesses.alike(one, role)


def shown_to_all(_principal: Principal, found: list[object]) -> list[object]:
    """A seeded bug: the scope is dropped."""
    return found


def test_f61_route_whose_scope_is_dropped_is_found_out(
    guesses: Guesses, monkeypatch: Plant
) -> None:
    monkeypatch.setattr(asking, "visible", shown_to_all)
    monkeypatch.setattr(threads, "visible", shown_to_all)
    for name in ("read_record", "read_headers", "read_thread"):
        with pytest.raises(AssertionError, match=r"tells what is there: \(200"):
            guessed(guesses, name)


def test_f61_contact_that_everybody_sees_is_found_out(guesses: Guesses, monkeypatch: Plant) -> None:
    monkeypatch.setattr(people, "contact_in_scope", lambda *_: True)
    with pytest.raises(AssertionError, match=r"tells what is there: \(200"):
        guessed(guesses, "list_contact_versions")


def test_f61_export_of_somebody_else_that_is_shown_is_found_out(
    guesses: Guesses, monkeypatch: Plant
) -> None:
    monkeypatch.setattr(exports, "_is_shown", lambda *_: True)
    with pytest.raises(AssertionError, match=r"tells what is there: \(200"):
        guessed(guesses, "read_export")


def test_f61_refusal_that_confirms_is_found_out(guesses: Guesses, monkeypatch: Plant) -> None:
    """Right to refuse, wrong to say so: 403 for what is there, 404 for what is not."""
    right = asking.record_in_scope

    def confirming(served: Served, principal: Principal, text: str) -> object:
        try:
            return right(served, principal, text)
        except NotFound:
            if text == guesses.real["record_id"]:
                raise Forbidden("It is not in your scope.", action="read") from None
            raise

    monkeypatch.setattr(records, "record_in_scope", confirming)
    with pytest.raises(AssertionError, match=r"tells what is there: \(403"):
        guessed(guesses, "read_record")


def test_f61_other_words_for_what_is_hidden_are_found_out(
    guesses: Guesses, monkeypatch: Plant
) -> None:
    def telling(*_: object) -> None:
        raise NotFound("There is no such merge.", next_step="Read the contact.")

    monkeypatch.setattr(contact_changes, "_require_seen", telling)
    with pytest.raises(AssertionError, match=r"merges.* tells what is there: \(404"):
        guessed(guesses, "undo_merge")


def test_f61_route_of_which_nobody_said_what_it_names_is_found_out(
    guesses: Guesses, monkeypatch: Plant
) -> None:
    monkeypatch.setattr("id_guessing.SCOPED", {"record_id"})
    with pytest.raises(AssertionError, match="nobody guessed these"):
        guesses.operations()
