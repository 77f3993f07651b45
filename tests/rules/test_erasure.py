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


def test_signs_with_a_meaning_in_patterns_are_taken_as_they_are() -> None:
    assert scrubbed("人民大街1号(甲)*", identifying(["人民大街1号(甲)*", "[大"])) == "［已删除］"
