"""Which numbers are hidden, and what of them stays; nothing else of a text changes."""

from __future__ import annotations

import random
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.kinds import Role
from holdfast.core.masking import (
    mask,
    mask_address,
    mask_facets,
    mask_marks,
    mask_record,
    number_spans,
)
from holdfast.core.number_forms import NumberKind
from holdfast.core.records import RecordAttachment, RecordParticipant
from number_kit import card, iban, identity, make_number, spelled
from query_kit import sample_record


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("手机：13800138000，谢谢", "手机：138****8000，谢谢"),
        ("+86 138-0013-8000", "+86 138-****-8000"),
        ("86 138 0013 8000", "86 138 **** 8000"),
        ("0086 13800138000", "0086 138****8000"),
        ("138.0013.8000", "138.****.8000"),
        ("１３８００１３８０００", "１３８****８０００"),
        ("1 3 8 0 0 1 3 8 0 0 0", "1 3 8 * * * * 8 0 0 0"),
        ("138\u200b0013\u200b8000", "138\u200b****\u200b8000"),
        ("tel13800138000", "tel138****8000"),
        ("13800138000 13900139000", "138****8000 139****9000"),
        ("x13800138000 13900139000", "x13800138000 139****9000"),
        ("13800138000/13900139000", "138****8000/139****9000"),
        ("(021) 5555-0199", "(021) ****-0199"),
        ("0755-86013388", "0755-****3388"),
        ("010-87654321-801", "010-****4321-801"),
        ("(212) 555-0100", "(21*) ***-0100"),
        ("1-212-555-0100", "1-21*-***-0100"),
        ("+44 20 7946 0958", "+44 20 **** 0958"),
        ("+(852) 2123 4567", "+(852) **** 4567"),
        ("01 23 45 67 89", "01 ** ** 67 89"),
        ("tel. 8765 4321", "tel. 87** **21"),
        ("电话号码：87654321", "电话号码：87****21"),
        ("Phone no.: 555 0199", "Phone no.: 5** **99"),
        ("6222021001123459", "6222********3459"),
        ("6222 0210 0112 3459", "6222 **** **** 3459"),
        ("6222-0210-0112-3459", "6222-****-****-3459"),
        ("6 2 2 2 0 2 1 0 0 1 1 2 3 4 5 9", "6 2 2 2 * * * * * * * * 3 4 5 9"),
        ("3782 822463 10005", "3782 ****** *0005"),
        ("110101199003078515", "110***********8515"),
        ("44030619851224001X", "440***********001X"),
        ("440306 19851224 001x", "440*** ******** 001x"),
        ("4 4 0 3 0 6 1 9 8 5 1 2 2 4 0 0 1 X", "4 4 0 * * * * * * * * * * * 0 0 1 X"),
        ("110101900307851", "110********7851"),
        ("DE89 3704 0044 0532 0130 00 at the bank", "DE89 **** **** **** **30 00 at the bank"),
        ("GB29NWBK60161331926819", "GB29NWBK**********6819"),
        ("de89 3704 0044 0532 0130 00 13800138000", "de89 **** **** **** **30 00 138****8000"),
    ],
)
def test_telling_digits_are_hidden(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "2024-03-15 10:22", "20240315", "phone 2024-03-15", "15-03-2024 10 22", "INV-2024-0017",
        "192.168.100.200", "1,234,567.89", "1234567.89", "1710469353123", "hotel 87654321",
        "price 1 500 000, total 2 300 400", "x13800138000", "13800138000x", "1380013800",
        "6222021001123458", "110101199003078514", "110101199013078515", "44030619851224001Xy",
        "990101900307851", "110101901307851", "2019 2020 2021 2022", "1" * 40,
        "DE88 3704 0044 0532 0130 00", "DE89 3704 0044 0532 0130 001", "ZZ89 3704004405",
        "DE89 3704004405, ", "12 345 678 901 234", "138****8000", "8765 4321", "",
    ],
)  # fmt: skip
def test_other_figures_stay(text: str) -> None:
    assert mask(text) == text
    assert number_spans(text) == ()


def test_letters_of_an_iban_stay() -> None:
    number = iban("MU", "1234567ABC7654321DEFGHIJKL")
    assert mask(f"to {number}.") == f"to {number[:4]}*******ABC*******DEFGHIJKL."


def test_kinds_and_places_are_told() -> None:
    text = "tel 138-0013-8000\nID 110101199003078515, card 6222021001123459, GB29NWBK60161331926819"
    spans = number_spans(text)
    assert [span.kind for span in spans] == [
        NumberKind.PHONE, NumberKind.ID, NumberKind.CARD, NumberKind.IBAN
    ]  # fmt: skip
    assert [text[span.start : span.end] for span in spans] == [
        "138-0013-8000", "110101199003078515", "6222021001123459", "GB29NWBK60161331926819"
    ]  # fmt: skip


@given(st.randoms(use_true_random=False))
def test_number_in_any_form_is_hidden(rnd: random.Random) -> None:
    number = spelled(rnd, make_number(rnd))
    masked = mask(f"见 {number}，谢谢")
    assert masked.count("*") >= 4
    assert len(masked) == len(number) + 5


@given(st.text(alphabet="0123456789０１ -.()+ax合电话\n", max_size=120))
def test_masking_keeps_length_and_all_but_digits(text: str) -> None:
    masked = mask(text)
    assert len(masked) == len(text)
    for before, after in zip(text, masked, strict=True):
        assert before == after or (after == "*" and before.isdigit())


@given(st.text(alphabet="0123456789 -.()+ax合", max_size=120))
def test_what_is_masked_is_within_a_span(text: str) -> None:
    spans = number_spans(text)
    inside = {at for span in spans for at in range(span.start, span.end)}
    masked = mask(text)
    assert {at for at, letter in enumerate(masked) if letter != text[at]} <= inside
    assert all(masked[span.start : span.end].count("*") >= 4 for span in spans)
    assert all(one.end <= other.start for one, other in pairwise(spans))


PIECES = ["+", "86 ", "138", "0013", "8000", "\n", " ", "-", "tel", "no", "gb82", "west", "1234",
          "5698", "7654", "32", "x", "11010519491231002", "(", ")", ".", "4111", "1111", "de89",
          "3704", "0044", "0532", "013000", "a", "IBAN "]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_no_number_reaches_over_the_end_of_its_line(text: str) -> None:
    assert mask(text) == "\n".join(map(mask, text.split("\n")))
    assert mask(f"{text}、") == mask(text) + "、"  # beside a character that is not in ASCII


@given(st.text(max_size=200))
def test_any_text_can_be_masked(text: str) -> None:
    assert len(mask(text)) == len(text)


def test_marks_that_touch_a_number_are_dropped() -> None:
    text = "call 13800138000 now, or 13900139000"
    marks = [(0, 4), (5, 16), (8, 9), (14, 20), (17, 20), (30, 32)]
    assert mask_marks(text, marks) == ((0, 4), (17, 20))
    assert mask_marks("no number", [(0, 2)]) == ((0, 2),)


def test_record_is_masked_everywhere() -> None:
    number = "13800138000"
    record = sample_record(
        subject=f"call {number}",
        body=f"{number}\nand {number}",
        participants=(RecordParticipant(Role.FROM, f"Li {number}", f"{number}@139.com", 7),),
        attachments=(RecordAttachment(f"{number}.txt", "text/plain", f"is {number}"),),
        headers=(("Subject", f"call {number}"),),
    )
    masked = mask_record(record)
    assert number not in repr(masked)
    assert masked.participants[0].address == "138****8000@139.com"
    assert masked.participants[0].contact_id == 7
    assert masked.attachments[0].filename == "138****8000.txt"
    assert mask_record(masked) == masked


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("13800138000@qq.com", "138****8000@qq.com"),
        ("li.13800138000@qq.com", "li.138****8000@qq.com"),
        ("anna@13800138000.com", "anna@13800138000.com"),
        ("anna＠13800138000.com", "anna＠13800138000.com"),
        ("13800138000", "138****8000"),
        ("anna@example.com", "anna@example.com"),
    ],
)
def test_local_part_of_an_address_is_masked(address: str, masked: str) -> None:
    assert mask_address(address) == masked


def test_facets_are_masked_and_added_up() -> None:
    facets = {
        "sender": (("13800138000@qq.com", 3), ("ann@x.org", 3), ("13812348000@qq.com", 1)),
        "domain": (("qq.com", 4), ("13800138000＠x.org", 1), ("13800138000.com", 1)),
        "month": (("2024-03", 5),),
    }
    assert mask_facets(facets) == {
        "sender": (("138****8000@qq.com", 4), ("ann@x.org", 3)),
        "domain": (("qq.com", 4), ("138****8000＠x.org", 1), ("13800138000.com", 1)),
        "month": (("2024-03", 5),),
    }


HOSTILE = (
    "1 ", "1.", "4 - ", "1234567 ", "6222021001123459 ", "de89 3704 ", "de89", "13800138000",
    "6 2 2 2 ", "1-", "(1) ", "１", "１ ", "tel ", "+1", "1x ", "110101",
)  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_text_takes_linear_time(piece: str) -> None:
    def taken_s(chars: int) -> float:
        text = (piece * (chars // len(piece) + 1))[:chars]
        started = time.process_time()
        mask(text)
        return time.process_time() - started

    taken_s(1000)
    short = min(taken_s(4_000) for _ in range(3))
    assert taken_s(40_000) < 60 * short + 0.5


def test_kit_makes_what_the_standards_say() -> None:
    assert card("411111111111111") == "4111111111111111"
    assert identity("44030619851224001") == "44030619851224001X"
    assert iban("DE", "370400440532013000") == "DE89370400440532013000"
