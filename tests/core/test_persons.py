from __future__ import annotations

import pytest

from holdfast.core.persons import Address, each_once, id_of, mail_of, phone_of


@pytest.mark.parametrize(
    ("text", "country", "keys"),
    [
        ("+49 (0)151 1234567", "", ("+491511234567",)),
        ("0049 151 1234567", "", ("+491511234567",)),
        ("138 0013 8000", "", ("+8613800138000", "13800138000")),
        ("+86 138 0013 8000", "", ("+8613800138000", "13800138000")),
        ("0151 1234567", "49", ("+491511234567", "01511234567")),
        ("4915112345678", "49", ("+4915112345678",)),
        ("010 8888 6666", "", ("01088886666",)),
        ("4915112345678", "", ("4915112345678", "+4915112345678")),
        ("861234567", "86", ("+86861234567", "861234567")),
    ],
)
def test_number_is_international_where_that_can_be_said(
    text: str, country: str, keys: tuple[str, ...]
) -> None:
    found = phone_of(text, country)
    assert found is not None
    assert found.keys == tuple(f"phone:{key}" for key in keys)
    assert found.is_shared


@pytest.mark.parametrize("text", ["", "none", "+49", "12", "+" + "1" * 20])
def test_what_is_no_number(text: str) -> None:
    assert phone_of(text) is None


def test_mail_addresses() -> None:
    assert mail_of(" <Ann@X.org> ") == Address(("ann@x.org",))
    for text in (
        "ann",
        "@",
        "@x.org",
        "ann@",
        "a b@x.org",
        "@@x.org",
        "a@b@x.org",
        "tel:a@x.org",
    ):
        assert mail_of(text) is None
    assert mail_of("a" * 400 + "@x.org") is None


def test_ids_of_systems() -> None:
    assert id_of("crm", " 7 ", is_shared=True) == Address(("crm:7",), is_shared=True)
    assert id_of("crm", " ") is None
    assert id_of("crm", "x" * 400) is None


def test_each_address_is_there_once_whatever_its_form() -> None:
    first, same = Address(("phone:+861", "phone:1")), Address(("phone:1",))
    assert each_once([first, same, Address(("a@x.org",))]) == (first, Address(("a@x.org",)))
