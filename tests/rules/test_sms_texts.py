from __future__ import annotations

import pytest

from domain.rules.messages import Language
from domain.rules.sms_texts import text
from models.enums import SmsTemplate

PARAMETERS = {
    "code": "123456",
    "purpose": "登录",
    "until": "14:35",
    "phone": "138****1234",
    "number": "222026000001",
    "first_day": "2026-11-23",
    "last_day": "2026-11-27",
    "pool": "前郭尔罗斯蒙古族自治县",
    "day": "2027-02-21",
}


def test_a_code_is_told_with_its_purpose_and_its_end() -> None:
    assert text(SmsTemplate.PHONE_CODE, "zh", PARAMETERS) == (
        "【评审专家库】验证码 123456，用于登录，14:35前有效。工作人员不会索要验证码，请勿转告他人。"
    )


def test_who_is_admitted_learns_the_expert_number() -> None:
    assert text(SmsTemplate.ADMITTED, "en", PARAMETERS) == (
        "[Expert registry] You are now a formal expert, number 222026000001. Sign in to keep your schedule."
    )


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("template", SmsTemplate)
def test_every_template_is_worded_in_both_languages_and_fits_one_part(template: SmsTemplate, language: Language) -> None:
    words = text(template, language, PARAMETERS)

    assert words.startswith("【评审专家库】" if language == "zh" else "[Expert registry] ")
    assert "{" not in words
    assert len(words) <= (70 if language == "zh" else 160)


def test_a_missing_parameter_is_a_fault() -> None:
    with pytest.raises(KeyError):
        text(SmsTemplate.ADMITTED, "zh", {})
