from __future__ import annotations

import pytest

from holdfast.core.address_forms import address_forms

E164 = "phone:+8613800138000"


@pytest.mark.parametrize(
    ("text", "country", "first"),
    [
        ("Ann@Acme.COM", "", "ann@acme.com"),
        ("mailto:ann@acme.com", "", "ann@acme.com"),
        ("<ann@acme.com>", "", "ann@acme.com"),
        ("wecom:wmAbC", "", "wecom:wmAbC"),
        ("salesforce:0035g00000XyZ", "", "salesforce:0035g00000XyZ"),
        ("+86 138-0013-8000", "", E164),
        ("0086 (138) 0013 8000", "", E164),
        ("13800138000", "", E164),
        ("8613800138000", "", E164),
        ("138 0013 8000", "86", E164),
        ("tel:+86-138-0013-8000", "", E164),
        ("phone:13800138000", "", E164),
        ("+49 (0)30 123456", "", "phone:+4930123456"),
        ("030 123456", "49", "phone:+4930123456"),
        ("13800138000", "49", "phone:+4913800138000"),
        ("+14155550100", "86", "phone:+14155550100"),
    ],
)
def test_likeliest_form_comes_first(text: str, country: str, first: str) -> None:
    assert address_forms(text, country)[0] == first


def test_number_without_a_country_may_be_known_as_it_is_written() -> None:
    assert address_forms("030 123456") == ("phone:+030123456", "phone:030123456")


@pytest.mark.parametrize(
    "text", ["", "?", "Ann", "12345", "+12", "1" * 20, "tel:ann", "+86-x1234567"]
)
def test_what_is_no_address_has_no_form(text: str) -> None:
    assert address_forms(text) == ()
