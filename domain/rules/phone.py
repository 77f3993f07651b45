"""Telephone numbers of mainland China, kept as E.164 (+8613800138000)."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from domain.rules.errors import Invalid
from domain.rules.text import normal_form


class _Number(NamedTuple):
    e164: str
    line: Literal["mobile", "fixed", "service"]


def mobile(text: str) -> str:
    """A number that takes SMS, as people write it: spaces, hyphens, full-width digits, with or without +86.

    Raises Invalid: PHONE_FORMAT for what is no telephone number, PHONE_NOT_MAINLAND, PHONE_NOT_MOBILE (fixed lines, service numbers).
    """
    number = _mainland(text)
    if number.line != "mobile":
        raise Invalid("PHONE_NOT_MOBILE")
    return number.e164


def contact_number(text: str) -> str:
    """A second number at which a person can be reached, mobile or fixed line.

    Raises Invalid: PHONE_FORMAT, PHONE_NOT_MAINLAND, PHONE_NOT_PERSONAL (service numbers).
    """
    number = _mainland(text)
    if number.line == "service":
        raise Invalid("PHONE_NOT_PERSONAL")
    return number.e164


def national(number: str) -> str:
    """A number in E.164 as it is dialled in the country: 13800138000, 043188888888 for a fixed line."""
    digits = number.removeprefix("+86")
    return digits if re.fullmatch("1[0-9]{10}", digits) else f"0{digits}"


def _mainland(text: str) -> _Number:
    import phonenumbers  # noqa: PLC0415  4 % of the time to start are spared until the first number is read

    folded = normal_form(text, "NFKC").strip()
    # The library is made for address books: it also reads letters (1-800-FLOWERS), extensions and digits of any script.
    if not re.fullmatch(r"\+?[0-9 ()-]{7,26}", folded):
        raise Invalid("PHONE_FORMAT")
    try:
        number = phonenumbers.parse(folded, "CN")
    except phonenumbers.NumberParseException:
        raise Invalid("PHONE_FORMAT") from None
    if number.country_code != 86:
        raise Invalid("PHONE_NOT_MAINLAND")
    if not phonenumbers.is_valid_number(number):
        raise Invalid("PHONE_FORMAT")
    kinds = phonenumbers.PhoneNumberType
    kind = phonenumbers.number_type(number)
    line: Literal["mobile", "fixed", "service"] = "mobile" if kind == kinds.MOBILE else "fixed" if kind == kinds.FIXED_LINE else "service"
    return _Number(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), line)
