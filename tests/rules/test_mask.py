from __future__ import annotations

import pytest

from domain.rules import mask
from domain.rules.identity import check_digit


def test_an_id_number_keeps_its_province_and_the_last_place() -> None:
    assert mask.id_number("22010219800101123X") == "22***************X"


def test_who_knows_county_birth_date_and_sex_beside_the_mask_still_has_dozens_of_numbers_to_choose_from() -> None:
    shown = mask.id_number("22010219800101123X")

    possible = [f"22010219800101{order:03}" for order in range(1, 1_000, 2)]
    fitting = [body for body in possible if mask.id_number(body + check_digit(body)) == shown]

    assert len(fitting) > 40


@pytest.mark.parametrize(
    ("number", "masked"),
    [("+8613812341234", "138****1234"), ("+8643188904114", "0431****4114"), ("+861088904114", "010****4114")],
)
def test_a_phone_number_loses_its_middle(number: str, masked: str) -> None:
    assert mask.phone(number) == masked


@pytest.mark.parametrize(("address", "masked"), [("zhang.san@example.com", "z***@example.com"), ("a@example.com", "a***@example.com")])
def test_an_email_address_keeps_one_letter_and_its_domain(address: str, masked: str) -> None:
    assert mask.email(address) == masked


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("吉林省长春市朝阳区前进大街2699号", "吉林省长春市朝阳区****"),
        ("吉林省长春市朝阳区工农大路1035号中海社区5栋", "吉林省长春市朝阳区****"),
        ("吉林省吉林市昌邑区解放大路1号", "吉林省吉林市昌邑区****"),
        ("吉林省延边朝鲜族自治州延吉市局子街1号", "吉林省延边朝鲜族自治州延吉市****"),
        ("吉林省松原市前郭尔罗斯蒙古族自治县查干湖", "吉林省松原市前郭尔罗斯蒙古族自治县****"),
        ("青岛市市北区辽阳西路", "青岛市市北区****"),
        ("内蒙古自治区通辽市科尔沁区", "内蒙古自治区通辽市科尔沁区****"),
        ("长春市富锋小区3号楼", "长春市****"),
        ("前进大街2699号", "****"),
        ("", "****"),
    ],
)
def test_an_address_ends_at_the_county(address: str, masked: str) -> None:
    assert mask.address(address) == masked
