"""Rows of tables of people: headers in zh and en, formulas, lost digits."""

from __future__ import annotations

import time

import pytest

from holdfast.core.persons import Person
from holdfast.parsers.people.columns import columns_of, field_of, is_directory
from holdfast.parsers.people.rows import Reading, read_cells


def read(headers: str, *cells: str, country: str = "") -> Person:
    names = headers.split("|")
    return read_cells(cells, Reading(names, columns_of(names, {}), country, "crm"))


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("姓名", "name"), ("E-mail Address", "email"), ("Phone 1 - Value", "phone"),
        ("手机", "phone"),
        ("电话2", "phone"), ("公司", "company"), ("职务", "title"),
        ("负责人", "owner"),
        ("分组", "group"), ("客户等级", "grade"), ("客户编号", "external_id"),
        ("WeCom ID", "wecom"),
        ("微信号", "wechat"), ("First Name", "given"), ("Job Title", "title"),
        ("Fax", ""),
    ],
)  # fmt: skip
def test_headers_in_both_languages(header: str, name: str) -> None:
    assert field_of(header) == name


def test_several_columns_may_be_addresses_but_one_the_name() -> None:
    found = columns_of(["Name", "姓名", "Email", "Email 2", "X"], {"X": "phone", "Email 2": "-"})
    assert found == {"Name": "name", "Email": "email", "X": "phone"}


def test_what_is_a_table_of_people() -> None:
    assert is_directory(["姓名", "邮箱"], {})
    assert is_directory(["Email"], {})
    assert is_directory(["Wer", "Was"], {"Was": "email"})
    assert not is_directory(["Name", "Company"], {})
    assert not is_directory(["Email", "Wann"], {})
    assert not is_directory(["Email", "Wann"], {"Wo": "company"})


def test_row_in_chinese() -> None:
    person = read(
        "姓名|邮箱|手机|公司|职务|负责人|分组|等级|客户编号|企业微信|客户类型|备注",
        "王敏", "Wang@Jia.example；min@jia.example", "13800138000.0", "嘉公司", "经理", "li、zhang",
        "重点,北京", "A", "K-7", "wm_1", "供应商", "老客户",
    )  # fmt: skip
    assert [one.key for one in person.addresses] == [
        "wang@jia.example", "min@jia.example", "phone:+8613800138000", "crm:K-7", "wecom:wm_1",
    ]  # fmt: skip
    assert person.said == {
        "name": "王敏", "company": "嘉公司", "title": "经理", "owner": "li", "grade": "A",
        "party_type": "supplier", "note": "老客户",
    }  # fmt: skip
    assert person.groups == ("重点", "北京")
    assert person.remarks == ("owner: one is kept, and not: zhang",)


def test_name_in_two_columns() -> None:
    assert read("First name|Last name|Email", "Ann", "Smith", "a@x.org").said["name"] == "Ann Smith"
    assert read("姓|名|邮箱", "王", "敏", "a@x.org").said["name"] == "王敏"
    assert "name" not in read("姓|名|邮箱", "", "", "a@x.org").said


def test_formulas_are_no_values() -> None:
    person = read(
        "Name|Phone|Company|Title|Email", "=1+1", '="0151 ""1234567"', "#REF!", "=cmd|'/C calc'!A0",
        "a@x.org", country="49",
    )  # fmt: skip
    assert person.said == {}
    assert [one.partition(":")[0] for one in person.remarks] == [
        "Name", "no telephone number", "Company", "Title",
    ]  # fmt: skip
    assert read("Phone|Name", '="01511234567"', "A", country="49").addresses[0].key == (
        "phone:+491511234567"
    )


def test_lost_digits_and_unknown_kinds_are_told() -> None:
    person = read("Email|Phone|Customer type", "a@x.org", "1.38E+10", "friend")
    assert person.remarks == (
        "phone: digits are lost: 1.38E+10", "party_type: not one of those that there are: friend",
    )  # fmt: skip


def test_row_with_too_many_cells_is_an_error() -> None:
    assert read("Name|Email", "A", "a@x.org", "", " ").said == {"name": "A"}
    with pytest.raises(ValueError, match="3 cells in a table of 2 columns"):
        read("Name|Email", "A", "a@x.org", "more")


def test_number_that_is_too_long_is_none() -> None:
    person = read("Email|Phone", "a@x.org", f"0{'1' * 1_000_000}")
    assert [one.partition(":")[0] for one in person.remarks] == ["no telephone number"]


def test_columns_of_a_hundred_thousand_headers() -> None:
    headers = [f"email {n}" for n in range(50_000)] + [f"name {n}" for n in range(50_000)]
    began = time.thread_time()
    found = columns_of(headers, {})
    assert time.thread_time() - began < 10
    assert (len(found), found["name 0"]) == (50_001, "name")
