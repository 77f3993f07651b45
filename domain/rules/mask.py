"""What others see of personal data: enough to recognise one's own, too little to use (rules §9)."""

from __future__ import annotations

import re

from domain.rules.phone import national

# Province, prefecture and county, each where it is named. What follows, or a housing estate (小区, 社区), is a private matter.
_HAN = "[\u4e00-\u9fff]"
_TO_COUNTY = re.compile(
    f"(?:{_HAN}{{2,9}}?(?:省|自治区))?(?:{_HAN}{{2,9}}?(?:市|自治州|地区|盟))?(?:{_HAN}{{1,12}}?(?:(?<![社小园校])区|县|市|旗))?"
)


def id_number(number: str) -> str:
    """22***************X: the province's places and the last one; beside date of birth and sex, more would leave a handful of numbers."""
    return number[:2] + "*" * (len(number) - 3) + number[-1:]


def phone(number: str) -> str:
    """138****1234 for a mobile number in E.164, 0431****4114 for a fixed line."""
    dialled = national(number)
    return dialled[: 3 if dialled[0] == "1" else -8] + "****" + dialled[-4:]


def email(address: str) -> str:
    """z***@example.com."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}***@{domain}"


def address(text: str) -> str:
    """吉林省长春市朝阳区****: down to the county, or nothing but stars when no division stands at the beginning."""
    divisions = _TO_COUNTY.match(text)
    return (divisions.group() if divisions else "") + "****"
