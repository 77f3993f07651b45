"""Numbers of identity papers: the resident identity card (居民身份证) and the three cards that follow its pattern."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from domain.rules.errors import Invalid
from domain.rules.text import normal_form
from models.enums import IdType

MALE, FEMALE = "1", "2"  # GB/T 2261.1, codes of sex.csv

# First digits by kind of card. Residents: GB/T 2260 puts the provinces at 1 to 8. Residents of Hong Kong, Macao and Taiwan:
# 国办发〔2018〕81号 art. 6. Foreigners: the card issued since 2023-12-01, whose number was laid out after the resident's.
_BEGINS = {
    IdType.RESIDENT_ID: re.compile("[1-8]"),
    IdType.HK_MACAO_PERMIT: re.compile("8[12]0000"),
    IdType.TAIWAN_PERMIT: re.compile("830000"),
    IdType.FOREIGN_PERMANENT_RESIDENT: re.compile("9"),
}
_PROVINCES = frozenset(
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83".split()  # noqa: SIM905  a list of 35 quoted codes reads worse
)


@dataclass(frozen=True, slots=True)
class IdNumber:
    """A number that passed every check, with what it says of its holder.

    `sex` is a code of GB/T 2261.1 ("1" male, "2" female); `warnings` are codes of messages.py that hinder nothing.
    """

    number: str
    sex: str
    birth_date: date
    warnings: tuple[str, ...] = ()


def id_number(text: str, *, kind: IdType = IdType.RESIDENT_ID, today: date) -> IdNumber:
    """Check a number by GB 11643: 18 places, a real date of birth before `today` (in Shanghai), check digit ISO 7064 MOD 11-2.

    Full-width digits, a lower-case x and spaces are put right first. Raises Invalid with ID_NUMBER_15_DIGITS,
    ID_NUMBER_OLD_FOREIGN_CARD, ID_NUMBER_FORMAT, ID_NUMBER_KIND, ID_NUMBER_BIRTH_DATE or ID_NUMBER_CHECK_DIGIT, the first that holds.
    A resident's province that GB/T 2260 does not know gives the warning ID_NUMBER_REGION alone. Counties are not looked up: they come
    and go while numbers stay, and the table of all that ever were costs 16 MB of memory.
    """
    number = re.sub(r"\s", "", normal_form(text, "NFKC")).upper()
    if re.fullmatch("[0-9]{15}", number):
        raise Invalid("ID_NUMBER_15_DIGITS")
    if kind is IdType.FOREIGN_PERMANENT_RESIDENT and re.fullmatch("[A-Z]{3}[0-9]{12}", number):
        raise Invalid("ID_NUMBER_OLD_FOREIGN_CARD")
    if not re.fullmatch("[0-9]{17}[0-9X]", number):
        raise Invalid("ID_NUMBER_FORMAT")
    if not _BEGINS[kind].match(number):
        raise Invalid("ID_NUMBER_KIND", kind=kind)
    birth_date = _date(number[6:14])
    if birth_date is None or birth_date >= today:
        raise Invalid("ID_NUMBER_BIRTH_DATE")
    if number[17] != check_digit(number[:17]):
        raise Invalid("ID_NUMBER_CHECK_DIGIT")
    unknown_region = kind is IdType.RESIDENT_ID and number[:2] not in _PROVINCES
    return IdNumber(
        number=number,
        sex=MALE if int(number[16]) % 2 else FEMALE,
        birth_date=birth_date,
        warnings=("ID_NUMBER_REGION",) if unknown_region else (),
    )


def of_card(text: str, *, today: date) -> IdNumber:
    """As `id_number`, for the kind of card that the number itself tells."""
    return id_number(text, kind=kind_of(text), today=today)


def kind_of(text: str) -> IdType:
    """The kind of card that a number comes from, read off its beginning; a resident's where the number says nothing else."""
    number = re.sub(r"\s", "", normal_form(text, "NFKC"))
    special = (kind for kind, begins in _BEGINS.items() if kind is not IdType.RESIDENT_ID and begins.match(number))
    return next(special, IdType.RESIDENT_ID)


def check_digit(body: str) -> str:
    """The 18th place for the first 17 digits, by ISO 7064 MOD 11-2: "0" to "9" or "X" for ten."""
    remainder = 0
    for digit in body:
        remainder = (remainder + int(digit)) * 2 % 11
    return "0123456789X"[(12 - remainder) % 11]


def _date(digits: str) -> date | None:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
