"""F62: hidden digits are guessed one by one, at every place that answers to a text."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from api_kit import Office
from digit_guessing import NUMBER, SHOWN, no_digit_is_told, numbers_office, ways
from holdfast.api import hold_counts, people
from holdfast.api.routes import bulk_metadata, conversations, policies, search
from holdfast.core.number_guard import Guarded

pytestmark = pytest.mark.unmeasured
Plant = pytest.MonkeyPatch
SEARCHING = {"totals", "not", "url", "like", "senders", "facets", "orders", "highlights"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with numbers_office(tmp_path_factory.mktemp("numbers")) as opened:
        yield opened


def test_f62_no_hidden_digit_is_told_to_who_may_not_unmask(served: Office) -> None:
    no_digit_is_told(ways(served))


def test_f62_what_the_mask_shows_is_found(served: Office) -> None:
    for place in ("/contacts?q=", "/conversations?q="):
        for part in ("138", "8000"):
            (answer,) = served.get("curious", place + part).values()
            assert answer, (place, part)
            assert SHOWN in answer[0]["name"] + str(answer[0].get("identities"))
            assert NUMBER not in str(answer)


def test_f62_address_as_a_whole_is_found(served: Office) -> None:
    assert served.get("curious", f"/contacts?q={NUMBER}@qq.example")["contacts"]
    assert served.get("legal", f"/contacts?q={NUMBER[:5]}")["contacts"]


def unguarded(_principal: object, node: object) -> Guarded:
    """A seeded bug: asks what is hidden as if it were not."""
    return Guarded(node, ())  # type: ignore[arg-type]


def test_f62_search_that_answers_about_hidden_digits_is_found_out(
    served: Office, monkeypatch: Plant
) -> None:
    monkeypatch.setattr(search, "guarded", unguarded)
    asks = ways(served)
    for name in SEARCHING:
        with pytest.raises(AssertionError, match=rf"{name} told '0571' of"):
            no_digit_is_told({name: asks[name]})


@pytest.mark.parametrize(
    ("place", "name", "way"),
    [
        (bulk_metadata, "guarded", "many"),
        (hold_counts, "guarded", "holds"),
        (policies, "guarded", "rules"),
        (people, "is_masked", "contacts"),
        (conversations, "is_masked", "rooms"),
    ],
    ids=["many", "holds", "rules", "contacts", "rooms"],
)
def test_f62_other_places_that_answer_about_hidden_digits_are_found_out(
    served: Office, monkeypatch: Plant, place: object, name: str, way: str
) -> None:
    broken = unguarded if name == "guarded" else lambda _: False
    monkeypatch.setattr(place, name, broken)
    with pytest.raises(AssertionError, match=rf"{way} told '0571' of"):
        no_digit_is_told({way: ways(served)[way]})
