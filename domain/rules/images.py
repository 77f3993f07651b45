"""Images: which kinds a purpose takes, how large they must be, when they look blurred, and what becomes of their names."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum

from domain.rules.errors import Invalid
from domain.rules.text import normal_form
from models.enums import FilePurpose


class ImageKind(Enum):
    """What the bytes are, as told by how they begin; the value is the decoder's name for it."""

    JPEG = "JPEG"
    PNG = "PNG"

    @property
    def media_type(self) -> str:
        """As in Content-Type."""
        return f"image/{self.value.lower()}"

    @property
    def extension(self) -> str:
        """As names of stored files end."""
        return {ImageKind.JPEG: ".jpg", ImageKind.PNG: ".png"}[self]


HEAD_BYTES = 8
"""How many of the first bytes `kind_of` needs."""

_BEGINNINGS = {b"\xff\xd8\xff": ImageKind.JPEG, b"\x89PNG\r\n\x1a\n": ImageKind.PNG}
_EXTENSIONS = {"jpg": ImageKind.JPEG, "jpeg": ImageKind.JPEG, "jpe": ImageKind.JPEG, "jfif": ImageKind.JPEG, "png": ImageKind.PNG}
_EXTENSION = re.compile(r"\.([A-Za-z][A-Za-z0-9]{0,4})$")  # 扫描.正面 and 2026.11.22 have none


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """What an image of one purpose must reach: sides in pixels, whichever way it is turned, and sharpness as Laplacian variance."""

    short: int
    long: int
    sharpness: int


def accepted(purpose: FilePurpose) -> tuple[ImageKind, ...]:
    """The kinds of image a purpose takes (rules §3): other materials are JPEG only."""
    return (ImageKind.JPEG,) if purpose is FilePurpose.OTHER else (ImageKind.JPEG, ImageKind.PNG)


def kind_of(head: bytes, name: str, purpose: FilePurpose) -> ImageKind:
    """The kind of an image by its first bytes.

    Raises Invalid: IMAGE_TYPE where the purpose does not take it, IMAGE_NAME where the file's name ends like another kind. A name
    without an extension is taken.
    """
    kinds = accepted(purpose)
    kind = next((kind for beginning, kind in _BEGINNINGS.items() if head.startswith(beginning)), None)
    if kind not in kinds:
        raise Invalid("IMAGE_TYPE", accepted=[each.value for each in kinds])
    extension = _EXTENSION.search(name.strip())
    if extension and _EXTENSIONS.get(extension[1].lower()) is not kind:
        raise Invalid("IMAGE_NAME", kind=kind.value)
    return kind


def check_size(width: int, height: int, limits: ImageLimits) -> None:
    """Raises Invalid IMAGE_TOO_SMALL where either side is shorter than the purpose needs."""
    if min(width, height) < limits.short or max(width, height) < limits.long:
        raise Invalid("IMAGE_TOO_SMALL", width=width, height=height, short=limits.short, long=limits.long)


def is_blurred(sharpness: float, limits: ImageLimits) -> bool:
    """Whether to warn that an image may be hard to read: a hint, never a refusal (rules §3)."""
    return sharpness < limits.sharpness


# What separates paths and what shells, pages and spreadsheets take for more than text; then categories of characters that cannot be seen.
_UNFIT = re.compile(r"""[<>:"'/\\|?*&;$`%]""")
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_LONGEST_STEM = 80
# People name a scan after the person's id number or phone; neither belongs in clear in a column or a header.
_PERSONAL_NUMBER = re.compile(r"\d{11,}[xX]?")


def clean_name(name: str, kind: ImageKind) -> str:
    """The name under which an image is shown and downloaded: no path, nothing active, long runs of digits starred, a true extension."""
    last_part = re.split(r"[/\\]", normal_form(name, "NFC"))[-1]
    stem = _EXTENSION.sub("", last_part.strip())
    seen = "".join(each for each in stem if unicodedata.category(each) not in _UNSEEN)
    plain = re.sub(r"\s+", " ", _UNFIT.sub("_", seen)).strip(" .=+-@_")
    return (_PERSONAL_NUMBER.sub("*", plain)[:_LONGEST_STEM].strip(" .") or "image") + kind.extension
