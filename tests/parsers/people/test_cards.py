"""vCards as programs write them, and as nobody should."""

from __future__ import annotations

import base64
import time
import tracemalloc
from collections.abc import Sequence
from contextlib import suppress
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.chats import address_key
from holdfast.core.persons import MAX_ADDRESSES, Person
from holdfast.parsers.people import card_lines
from holdfast.parsers.people.building import Gathering
from holdfast.parsers.people.card_lines import Cut, cards, properties
from holdfast.parsers.people.vcards import read_card
from holdfast.storage.catalogue.contact_fields import checked_fields
from holdfast.storage.catalogue.sightings import is_named_in_chat

SLOWEST_S = 10.0
"""Thread time for a card of a megabyte; it takes about one."""


def card(*lines: str | bytes, version: str = "3.0") -> bytes:
    inner = [line.encode() if isinstance(line, str) else line for line in lines]
    return b"\r\n".join([b"BEGIN:VCARD", f"VERSION:{version}".encode(), *inner, b"END:VCARD", b""])


def keys(person: Person) -> list[str]:
    return [one.key for one in person.addresses]


def cuts(raw: bytes) -> Sequence[Cut]:
    return list(cards(raw.splitlines(keepends=True)))


def test_card_of_version_2_1_in_gbk_and_quoted_printable() -> None:
    name = "".join(f"={byte:02X}" for byte in "王敏".encode("gbk"))
    person = read_card(
        card(
            f"N;CHARSET=GBK;ENCODING=QUOTED-PRINTABLE:{name[:6]};{name[6:]}",
            f"FN;CHARSET=GBK;QUOTED-PRINTABLE:{name[:6]}=",
            name[6:],
            "TEL;CELL;VOICE:13800138000",
            "EMAIL;INTERNET:Wang.Min@Jia.example",
            "X-WECHAT:wx_min",
            "NOTE;ENCODING=QUOTED-PRINTABLE:one=0D=0Atwo",
            version="2.1",
        )
    )
    assert keys(person) == ["phone:+8613800138000", "wang.min@jia.example", "wechat:wx_min"]
    assert person.said == {"name": "王敏", "note": "one two"}


def test_card_of_version_3_with_folded_lines_groups_and_escapes() -> None:
    person = read_card(
        card(
            "N:Smith;Ann;Mary;Dr.;", "item1.EMAIL;type=INTERNET;type=pref:ann@ac", " me.com",
            "item1.X-ABLabel:work", "ORG:Acme\\; Sons;Sales", "TITLE:Buyer", "ROLE:not this",
            "CATEGORIES:VIP,Harbour\\, north", "NICKNAME:Annie,An", "UID:urn:uuid:4f",
            'TEL;TYPE="voice,work";X="a:b;c":+49 30 1234567 ext. 12',
        )
    )  # fmt: skip
    assert keys(person) == ["ann@acme.com", "vcard:urn:uuid:4f", "phone:+49301234567"]
    assert person.said == {"name": "Ann Mary Smith", "company": "Acme; Sons", "title": "Buyer"}
    assert person.groups == ("VIP", "Harbour, north")
    assert [one.partition(":")[0] for one in person.remarks] == ["phone"]


def test_card_of_version_4() -> None:
    person = read_card(
        card(
            "KIND:individual", "FN;ALTID=1:Ann", "FN;ALTID=1;LANGUAGE=fr:Anne", "FN:",
            "TEL;VALUE=uri:tel:+1-418-656-9254;ext=102", "EMAIL:mailto:ann@x.org",
            "IMPP;PREF=1:xmpp:ann@jabber.example", "IMPP:sip:ann", "IMPP:tel:+4915112345678",
            "IMPP:mailto:ann@y.org",
            version="4.0",
        )
    )  # fmt: skip
    assert keys(person) == [
        "phone:+14186569254", "ann@x.org", "xmpp:ann%40jabber.example", "sip:ann",
        "phone:+4915112345678", "ann@y.org",
    ]  # fmt: skip
    assert person.said["name"] == "Ann"


def test_users_of_messengers() -> None:
    person = read_card(
        card(
            "IMPP;X-SERVICE-TYPE=WeChat;type=HOME:x-apple:wxid_9", "X-QQ:10001",
            "X-SOCIALPROFILE;TYPE=weixin:http://weixin/u_7", "IMPP:lost", "X-SKYPE:", "X-SKYPE:\\n",
            f"X-LINE:{'x' * 400}",
        )
    )  # fmt: skip
    assert keys(person) == ["wechat:wxid_9", "qq:10001", "wechat:weixin/u_7"]
    assert [one.partition(":")[0] for one in person.remarks] == ["IMPP", "line"]


def test_name_is_put_together_as_it_is_written() -> None:
    for line, name in (
        ("N:王;小敏", "王小敏"), ("N:Smith;Ann", "Ann Smith"), ("NICKNAME:Annie", "Annie"),
        ("N:;;;;", ""),
    ):  # fmt: skip
        assert read_card(card(line, "EMAIL:a@x.org")).said.get("name", "") == name


@pytest.mark.parametrize("version", ["2.1", "3.0"])
def test_pictures_are_passed_over(version: str) -> None:
    lines = base64.encodebytes(bytes(range(256)) * 40).splitlines()
    folded = [b" " + line for line in lines]
    for body in (lines, folded):
        raw = card("PHOTO;ENCODING=BASE64;JPEG:", *body, "", "EMAIL:a@x.org", version=version)
        assert read_card(raw).remarks == ()
    assert keys(read_card(card("PHOTO;ENCODING=b:AAAA", "EMAIL:a@x.org"))) == ["a@x.org"]


def test_fold_of_version_2_1_keeps_its_space() -> None:
    raw = card("FN:Ann", " Smith", "EMAIL:a@x.org", version="2.1")
    assert read_card(raw).said["name"] == "Ann Smith"


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("FN;CHARSET=UTF-8:王敏敏敏".encode("gbk"), "王敏敏敏"),
        ("FN:公司采购部经理王敏".encode("gbk"), "公司采购部经理王敏"),
        ("FN;CHARSET=GBK:王敏".encode("gbk"), "王敏"),
        ("FN;CHARSET=x-none:王敏".encode(), "王敏"),
    ],
)
def test_wrong_and_missing_charsets_are_found_out(line: bytes, name: str) -> None:
    assert read_card(card(line, "EMAIL:a@x.org")).said["name"] == name


def test_characters_that_are_lost_are_told() -> None:
    name = b"FN;CHARSET=GBK:" + "王敏王敏王敏".encode("gbk") + b"\xff Smith"
    person = read_card(card(name, "EMAIL:a@x.org"))
    assert person.remarks == ("FN: characters are lost",)


def test_line_that_is_no_property_costs_that_line() -> None:
    person = read_card(
        card("this is none", "?:none", 'FN;X="open:Ann', "EMAIL:a@x.org", "EMAIL:no address")
    )
    assert keys(person) == ["a@x.org"]
    assert person.remarks == (*["a line that is no property"] * 3, "no mail address: no address")


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["FN:Ann"], "no address"),
        (["FN:Ann", "TEL:none"], r"no address that can be used \(no telephone number: none\)"),
        (["KIND:group", "EMAIL:a@x.org"], "card of a group"),
        ([f"EMAIL:a{n}@x.org" for n in range(101)], "more than 100 addresses"),
    ],
)
def test_card_that_is_nobody_is_an_error(lines: list[str], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_card(card(*lines))


def test_values_that_are_too_long_or_many_are_told() -> None:
    person = read_card(
        card(f"FN:{'x' * 201}", f"NOTE:{'y' * 2001}", "NOTE:a", "NOTE:b", "NOTE:a",
             f"CATEGORIES:{'g' * 201},", "EMAIL:a@x.org")
    )  # fmt: skip
    assert person.said == {"note": "a"}
    assert [one.partition(":")[0] for one in person.remarks] == ["note", "note", "groups", "name"]


def test_agent_within_a_card_is_not_its_own() -> None:
    raw = card("FN:Ann", "AGENT:", *card("FN:Bob", "EMAIL:b@x.org").splitlines(), "EMAIL:a@x.org")
    (one,) = cuts(raw)
    person = read_card(one.raw)
    assert (person.said["name"], keys(person)) == ("Ann", ["a@x.org"])


def test_missing_end_costs_that_card() -> None:
    whole = card("EMAIL:a@x.org")
    lost = whole.replace(b"END:VCARD\r\n", b"")
    found = [(one.number, one.reason) for one in cuts(whole + lost + whole + lost)]
    assert found == [(1, ""), (2, "no END:VCARD"), (3, ""), (4, "no END:VCARD")]


def test_text_outside_of_cards_is_told_once() -> None:
    found = cuts(b"\r\nhello\r\nworld\r\n" + card("EMAIL:a@x.org") + b"\r\nEND:VCARD\r\n")
    assert [one.reason for one in found] == ["text outside of a card", "", "text outside of a card"]


def test_card_of_a_hundred_thousand_lines_is_read() -> None:
    (one,) = cuts(card("FN:Ann", *["X-NONE:abc"] * 100_000, "EMAIL:a@x.org"))
    assert keys(read_card(one.raw)) == ["a@x.org"]
    folded = card("NOTE:a", *[" b"] * 100_000, "EMAIL:a@x.org")
    assert read_card(folded).remarks == ("note: more than 2000 characters",)


def test_card_that_is_too_large_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card_lines, "MOST_CARD_BYTES", 1 << 20)
    raw = card("EMAIL:a@x.org", *["NOTE:" + "x" * 1000] * 2000) + card("EMAIL:b@x.org")
    first, second = cuts(raw)
    assert (first.reason, len(first.raw) <= 1 << 20) == ("larger than 1 MiB", True)
    assert keys(read_card(second.raw)) == ["b@x.org"]


@pytest.mark.parametrize(
    ("value", "extensions", "key"),
    [
        (f"+49 30{' ' * 1_000_000}1234567", 0, "phone:+49301234567"),
        (f"+49 30 1234567{' ' * 1_000_000}ext.{' ' * 1_000_000}12", 1, "phone:+49301234567"),
        (f"1{' ' * 1_000_000}1", 0, ""),
        ("1 " * 500_000, 0, ""),
        ("x" * 1_000_000, 0, ""),
        ("ext=1" * 200_000, 1, ""),
    ],
)
def test_number_of_a_megabyte_costs_what_its_length_is(
    value: str, extensions: int, key: str
) -> None:
    # A pattern that is tried anew within each run of spaces takes hours for one of these.
    began = time.thread_time()
    person = read_card(card(f"TEL:{value}", "EMAIL:a@x.org"))
    assert time.thread_time() - began < SLOWEST_S
    assert keys(person) == [*([key] if key else []), "a@x.org"]
    told = [one.partition(":")[0] for one in person.remarks]
    assert told.count("phone") == extensions
    assert told.count("no telephone number") == (not key)


def test_lines_of_a_number_are_several_numbers() -> None:
    person = read_card(card("TEL:+49 30  1234567\\n\\n +49 30 7654321 x 5"))
    assert keys(person) == ["phone:+49301234567", "phone:+49307654321"]


def test_addresses_beyond_those_of_somebody_are_not_held() -> None:
    who = Gathering()
    for number in range(10_000):
        who.mail(f"a{number % 100}@x.org")
    assert len(who.person().addresses) == MAX_ADDRESSES
    for number in range(10_000):
        who.mail(f"b{number}@x.org")
    assert len(who.addresses) <= 2 * MAX_ADDRESSES + 1
    with pytest.raises(ValueError, match="more than 100 addresses"):
        who.person()


def test_groups_beyond_those_of_somebody_are_not_held() -> None:
    groups = ",".join(f"g{number}" for number in range(10_000))
    person = read_card(card(f"CATEGORIES:{groups}", "CATEGORIES:g0", "EMAIL:a@x.org"))
    assert len(person.groups) == 200
    assert set(person.remarks) == {"groups: more than 200"}


def test_card_of_short_lines_takes_no_more_than_its_bytes() -> None:
    lines = 200_000
    tracemalloc.start()
    (one,) = cards(chain([b"BEGIN:VCARD\r\n"], (bytes((13, 10)) for _ in range(lines))))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(one.raw) > 2 * lines
    assert peak < 3 * len(one.raw)


def test_remarks_end() -> None:
    assert len(read_card(card(*["rubbish"] * 100, "EMAIL:a@x.org")).remarks) == 20


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["EMAIL", "TEL", "IMPP", "UID", "X-QQ", "FN", "CATEGORIES"]), st.text())
def test_whatever_is_taken_can_be_kept(name: str, value: str) -> None:
    person = read_card(card(f"{name}:{value}", "EMAIL:a@x.org"))
    kept = [key for one in person.addresses for key in one.keys]
    assert all(is_named_in_chat(key) and key == address_key(key) for key in kept)
    changes = {**person.said, "groups": person.groups}
    assert checked_fields(changes) == changes


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=60),
            st.sampled_from(
                [
                    b"BEGIN:VCARD",
                    b"END:VCARD",
                    b"FN:Ann",
                    b"EMAIL:a@x.org",
                    b"AGENT:",
                    b" folded",
                    b"=",
                    b"FN;ENCODING=QUOTED-PRINTABLE:=41=",
                    b"PHOTO;BASE64:AAAA",
                    b"VERSION:2.1",
                ]
            ),
        ),
        max_size=30,
    )
)
def test_anything_gives_cards_or_reasons(lines: list[bytes]) -> None:
    for one in cuts(b"\r\n".join(lines)):
        list(properties(one.raw))
        with suppress(ValueError):
            assert read_card(one.raw).addresses
