"""Postal and electronic addresses."""

from __future__ import annotations

import re

from domain.rules.errors import Invalid
from domain.rules.text import normal_form

_LOCAL = r"[A-Za-z0-9_%+-]+(?:\.[A-Za-z0-9_%+-]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(rf"(?=.{{6,100}}\Z)(?=[^@]{{1,64}}@){_LOCAL}@(?:{_LABEL}\.)+[A-Za-z]{{2,24}}")


def email(text: str) -> str:
    """An e-mail address in ASCII, its domain in small letters, at most 100 characters. Raises Invalid EMAIL_FORMAT."""
    address = normal_form(text, "NFKC").strip()
    if not _EMAIL.fullmatch(address):
        raise Invalid("EMAIL_FORMAT")
    name, _, domain = address.rpartition("@")
    return f"{name}@{domain.lower()}"


def postcode(text: str) -> str:
    """A postcode 邮政编码 of the mainland: six digits. Raises Invalid POSTCODE_FORMAT."""
    code = normal_form(text, "NFKC").strip()
    if not re.fullmatch("[0-8][0-9]{5}", code):
        raise Invalid("POSTCODE_FORMAT")
    return code
