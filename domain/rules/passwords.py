"""Which passwords are accepted: long, not common, not made of what others know of the person."""

from __future__ import annotations

import unicodedata

from domain.rules.errors import Invalid
from domain.rules.text import normal_form

SHORTEST, LONGEST = 10, 128
_FEWEST_DIFFERENT = 5
_PERSONAL_RUN = 6  # the last six of the id number are the password that offices used to hand out

# Passwords of ten places and more that guessers try first, those of Chinese users in front; in small letters.
_COMMON = frozenset(
    """
    0123456789 1234567890 12345678910 1234567891 123456789a 123456789q 123456789abc 1234567890a a123456789 a1234567890 aa123456789
    aaa123456789 abc123456789 q123456789 qq123456789 z123456789 w123456789 wang123456 zhang123456 li123456789 asd123456789
    qwe123456789 zxc123456789 9876543210 0987654321 1233211234567 1234554321 5845201314 5201314520 1314520520 woaini1314
    woaini1314520 woaini123456 iloveyou1314 1472583690 147258369a 789456123a 7894561230 qwertyuiop qwertyuiop123 qwerty12345
    qwerty123456 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx3edc qazwsxedcrfv asdfghjkl123 asdfghjkl; zxcvbnm123 password12 password123
    password1234 passw0rd123 p@ssw0rd123 p@ssword123 administrator admin123456 admin12345 admin@12345 admin@123456 root123456
    test123456 welcome123 welcome1234 changeme123 letmein1234 iloveyou123 abcd123456 abcd1234567 abcde12345 abcdefghij abc1234567
    a1b2c3d4e5 aa12345678 abcd1234abcd q1w2e3r4t5 q1w2e3r4t5y6 jilin123456 changchun123 zhongguo123 china123456 zhuanjia123
    pingshen123
    """.split()  # noqa: SIM905  a list of quoted words reads worse
)


def acceptable(text: str) -> str:
    """A password as it is hashed (NFKC, so that every keyboard writes the same).

    Raises Invalid: TEXT_CHARACTERS for controls and lone surrogates, PASSWORD_LENGTH for fewer than 10 or more than 128 characters,
    PASSWORD_COMMON for one that is guessed first.
    """
    normal = normalised(text)
    if any(unicodedata.category(each) in ("Cc", "Cs") for each in normal):
        raise Invalid("TEXT_CHARACTERS")
    if not SHORTEST <= len(normal) <= LONGEST:
        raise Invalid("PASSWORD_LENGTH", shortest=SHORTEST, longest=LONGEST)
    if normal.lower() in _COMMON or len(set(normal.lower())) < _FEWEST_DIFFERENT:
        raise Invalid("PASSWORD_COMMON")
    return normal


def not_personal(text: str, *known: str | None) -> None:
    """Raise Invalid PASSWORD_PERSONAL where a password contains six places in a row of a phone or id number."""
    for number in filter(None, known):
        runs = (number[start : start + _PERSONAL_RUN] for start in range(len(number) - _PERSONAL_RUN + 1))
        if any(run in text.upper() for run in runs):
            raise Invalid("PASSWORD_PERSONAL")


def normalised(text: str) -> str:
    """A password as it is compared, whatever it is."""
    return normal_form(text, "NFKC")
