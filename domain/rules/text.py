"""Names and free text: what is normalised silently and what is refused."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from domain.rules.errors import Invalid

# What pages and office programs leave behind when text is copied, and marks that turn the direction of writing or pick a glyph:
# invisible, meant by nobody who fills in a form, dropped without a word.
_INVISIBLE = dict.fromkeys([0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF, *range(0xE0100, 0xE01F0)])

# An input method left in full-width mode writes １２３ＡＢＣ. Only letters and digits are folded: in Chinese prose （），：； are right.
_FULL_WIDTH = {code: code - 0xFEE0 for span in ("０９", "ＡＺ", "ａｚ") for code in range(ord(span[0]), ord(span[1]) + 1)}

# The dot of minority and foreign names (买买提·吐尔逊) is U+00B7; keyboards offer all of these in its place.
_MIDDLE_DOTS = dict.fromkeys(map(ord, "•‧∙⋅・･"), "·")

# Planes 2 and 3 whole, assigned or not: rare characters of names are still being added to Unicode, and Python's tables lag behind.
_HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"
_LATIN = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff"
_NAME = re.compile(rf"[{_HAN}{_LATIN}]+(?:(?:[·'’-]|\. ?| )[{_HAN}{_LATIN}]+)*")
_DOT_IN_HAN = re.compile(rf"(?<=[{_HAN}]) ?[.·] ?(?=[{_HAN}])")
_SPACE_IN_HAN = re.compile(rf"(?<=[{_HAN}]) (?=[{_HAN}])")

# Controls but tab and line feed, surrogates, private use, non-characters, line separators.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ue000-\uf8ff\ufdd0-\ufdef\ufff0-\ufffb\ufffe\uffff\U000e0000-\U0010ffff]"
)
_EMOJI = re.compile("[\u20e3\u2600-\u27bf\u2b05-\u2b55\ufe0f\U0001f000-\U0001faff]")

# Marks that Unicode's tables do not call so: what they stand for are marks.
_FURTHER_MARKS = frozenset("\u0f73\u0f75\u0f81\uff9e\uff9f")
_MOST_MARKS = 30  # on one letter, of Unicode's Stream-Safe Text Format (UAX 15); no script comes near it
_SHORT = 500


def normal_form(text: str, form: Literal["NFC", "NFKC"]) -> str:
    """A text in a normal form of Unicode, in linear time: one that `is_piled` stays as it is, for whoever checks it to refuse.

    Marks on one letter are put in order in a time that grows with their square; of a body's worth it takes many seconds.
    """
    return text if is_piled(text) else unicodedata.normalize(form, text)


def is_piled(text: str) -> bool:
    """Whether more than thirty marks stand on one letter somewhere in a text that is not short."""
    if len(text) <= _SHORT or text.isascii():
        return False
    marks = 0
    for each in text:
        marks = marks + 1 if unicodedata.combining(each) or each in _FURTHER_MARKS else 0
        if marks > _MOST_MARKS:
            return True
    return False


def person_name(text: str, *, longest: int = 50) -> str:
    """A person's name 姓名: Chinese characters or Latin letters, joined by the middle dot, a space, a hyphen or an apostrophe.

    NFKC, one kind of middle dot, no space between Chinese characters: two spellings of one name come out equal. Raises Invalid:
    NAME_CHARACTERS for anything else (digits, emoji, control characters, other scripts), NAME_LENGTH for fewer than 2 or more than
    `longest` characters.
    """
    folded = normal_form(text.translate(_INVISIBLE), "NFKC").translate(_MIDDLE_DOTS)
    name = _SPACE_IN_HAN.sub("", _DOT_IN_HAN.sub("·", _single_spaced(folded)))
    if name and not _NAME.fullmatch(name):
        raise Invalid("NAME_CHARACTERS")
    if not 2 <= len(name) <= longest:
        raise Invalid("NAME_LENGTH", shortest=2, longest=longest)
    return name


def line(text: str, *, longest: int) -> str:
    """One line of text: an employer, a school, an address, a certificate number.

    NFC, full-width letters and digits folded, runs of space made one; Chinese punctuation stays. Raises Invalid: TEXT_EMPTY,
    TEXT_LENGTH (in characters), TEXT_CHARACTERS for control characters, line breaks, lone surrogates, emoji and piles of marks.
    """
    if "\n" in text.strip() or _EMOJI.search(text):
        raise Invalid("TEXT_CHARACTERS")
    return _measured(_single_spaced(_clean(text.strip())), longest)


def prose(text: str, *, longest: int) -> str:
    """Text of several lines: duties, an opinion, an objection. As `line`, but line breaks, layout and emoji are kept."""
    unix = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return _measured(_clean(unix).strip(), longest)


def _clean(text: str) -> str:
    visible = text.translate(_INVISIBLE)
    if _FORBIDDEN.search(visible) or is_piled(visible):
        raise Invalid("TEXT_CHARACTERS")
    return normal_form(visible, "NFC").translate(_FULL_WIDTH)


def _measured(text: str, longest: int) -> str:
    if not text:
        raise Invalid("TEXT_EMPTY")
    if len(text) > longest:
        raise Invalid("TEXT_LENGTH", longest=longest, length=len(text))
    return text


def _single_spaced(text: str) -> str:
    return re.sub("[ \t\u00a0\u2000-\u200a\u202f\u3000]+", " ", text).strip()
