from __future__ import annotations

import pytest

from domain.rules.erasure import identifying, scrubbed


def test_names_are_looked_for_the_longest_first_and_phones_as_people_write_them() -> None:
    assert identifying(["张三", "+8613812345678", None, " ", "王", "张三丰", "张三"]) == ("+8613812345678", "13812345678", "张三丰", "张三")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("张三的职称证书不清晰", "［已删除］的职称证书不清晰"),
        ("致电13812345678或+8613812345678，未接", "致电［已删除］或［已删除］，未接"),
        ("ZHANG@Example.cn 退信；zhang@example.cn", "［已删除］ 退信；［已删除］"),
        ("材料齐全，同意", "材料齐全，同意"),
        ("", ""),
    ],
)
def test_every_occurrence_goes_and_the_rest_stays(text: str, left: str) -> None:
    assert scrubbed(text, identifying(["张三", "+8613812345678", "zhang@example.cn"])) == left


@pytest.mark.parametrize(
    "text",
    [
        "138-1234-5678",
        "138 1234 5678",
        "138.1234.5678",
        "138－1234－5678",
        "138 - 1234 - 5678",
        "１３８１２３４５６７８",
        "+86 138 1234 5678",
        "+86-13812345678",
        "0431-88888888",
        "0431 8888 8888",
        "431-88888888",
        "220102 19850101 123x",
        "zc2010001",
        "ZC-2010-001",
        "ＺＣ２０１０００１",
        "吉职字［2010］第0123号",
        "吉职字〔2010〕第 0123 号",
    ],
)
def test_numbers_are_found_however_they_are_divided(text: str) -> None:
    known = identifying(["+8613812345678", "+8643188888888", "22010219850101123X"], ["ZC2010001", "吉职字（2010）第0123号"])

    assert scrubbed(f"编号{text}，请核实", known) == "编号［已删除］，请核实"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("见附件，2005年取得，编号12", "见附件，2005年取得，编号12"),
        ("证书98123与图片不符", "证书［已删除］与图片不符"),
        ("金额1981230元", "金额1981230元"),
        ("转账13812345678900元", "转账［已删除］900元"),
    ],
)
def test_what_would_be_found_in_any_text_stays_and_a_short_number_stands_alone(text: str, left: str) -> None:
    known = identifying(["+8613812345678"], ["见附件", "2005", "12", None, "98123"])

    assert scrubbed(text, known) == left


def test_a_long_text_of_almost_numbers_takes_a_time_that_grows_with_its_length() -> None:
    known = identifying(["+8613812345678"], ["11111111111111111112"])

    assert scrubbed("1" * 20_000 + "1 - " * 20_000 + "   ---" * 20_000, known).count("［已删除］") == 0


def test_signs_with_a_meaning_in_patterns_are_taken_as_they_are() -> None:
    assert scrubbed("人民大街1号(甲)*", identifying(["人民大街1号(甲)*", "[大"])) == "［已删除］"
