"""Images such as people hand in: scans of certificates and cards, portraits; all drawn, all marked as specimens."""

from __future__ import annotations

import io
import math
import random
from collections.abc import Sequence
from typing import Any

from PIL import Image, ImageDraw, ImageFilter, ImageFont

_INK = (38, 38, 46)
_RED = (190, 30, 35)
_PAPER = (250, 249, 244)


def certificate(title: str, lines: Sequence[str], *, size: tuple[int, int] = (1240, 1754), seed: int = 0) -> Image.Image:
    """A scanned certificate or form, A4 at 150 dpi unless told otherwise; the text is Latin, as Pillow brings no Chinese font."""
    chance = random.Random(seed)  # noqa: S311  the same picture for the same seed, no secret
    page = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(page)
    width, height = size
    unit = width // 62
    for inset in (unit, unit + unit // 2):
        draw.rectangle((inset, inset, width - inset, height - inset), outline=_RED, width=max(2, unit // 8))
    draw.text((width / 2, height * 0.12), title, fill=_RED, font=ImageFont.load_default(unit * 3), anchor="mm")
    for number, line in enumerate(lines):
        draw.text((unit * 6, height * 0.22 + number * unit * 3), line, fill=_INK, font=ImageFont.load_default(unit * 1.6))
    top = int(height * 0.22) + (len(lines) + 1) * unit * 3
    _fill_with_writing(draw, (unit * 6, top, width - unit * 6, int(height * 0.78)), unit, chance)
    _seal(draw, (width * 0.72, height * 0.82), unit * 6)
    _specimen(page)
    return _scanned(page, chance)


def card(lines: Sequence[str], *, face: bool, seed: int = 0) -> Image.Image:
    """One side of an identity card, 85.6 × 54 mm at 300 dpi; with the face, or the emblem's side."""
    chance = random.Random(seed)  # noqa: S311  as above
    side = Image.new("RGB", (1012, 638), (226, 236, 240))
    draw = ImageDraw.Draw(side)
    for step in range(0, 1012, 6):
        draw.line((step, 0, step + chance.randint(-90, 90), 638), fill=(206, 222, 230))
    for number, line in enumerate(lines):
        draw.text((60, 70 + number * 76), line, fill=_INK, font=ImageFont.load_default(34))
    if face:
        side.paste(portrait(seed=seed).resize((270, 378)), (690, 90))
    else:
        _seal(draw, (830, 210), 120)
    _specimen(side)
    return _scanned(side, chance)


def portrait(*, size: tuple[int, int] = (413, 579), seed: int = 0) -> Image.Image:
    """A head and shoulders on blue, two inches at 300 dpi."""
    chance = random.Random(seed)  # noqa: S311  as above
    width, height = size
    photo = Image.new("RGB", size, (67, 142, 219))
    draw = ImageDraw.Draw(photo)
    skin = (chance.randint(205, 240), chance.randint(165, 195), chance.randint(135, 160))
    draw.ellipse((-width * 0.1, height * 0.72, width * 1.1, height * 1.6), fill=(40, 44, 60))
    draw.polygon([(width * 0.4, height * 0.74), (width * 0.6, height * 0.74), (width * 0.5, height * 0.95)], fill="white")
    draw.rectangle((width * 0.42, height * 0.6, width * 0.58, height * 0.78), fill=skin)
    draw.ellipse((width * 0.26, height * 0.16, width * 0.74, height * 0.7), fill=(28, 24, 24))
    draw.ellipse((width * 0.29, height * 0.24, width * 0.71, height * 0.7), fill=skin)
    for eye in (0.41, 0.59):
        draw.ellipse((width * (eye - 0.035), height * 0.43, width * (eye + 0.035), height * 0.455), fill=(30, 20, 20))
    draw.arc((width * 0.43, height * 0.5, width * 0.57, height * 0.6), 20, 160, fill=(150, 70, 70), width=4)
    draw.line((width * 0.5, height * 0.46, width * 0.485, height * 0.53), fill=(190, 140, 120), width=3)
    return _scanned(photo, chance)


def blurred(image: Image.Image, radius: float = 8) -> Image.Image:
    """The same picture out of focus."""
    return image.filter(ImageFilter.GaussianBlur(radius))


def jpeg(image: Image.Image, *, quality: int = 85, **options: Any) -> bytes:
    """As a file; further options are Pillow's."""
    return _saved(image, "JPEG", quality=quality, **options)


def png(image: Image.Image, **options: Any) -> bytes:
    """As a file; options are Pillow's."""
    return _saved(image, "PNG", **options)


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _fill_with_writing(draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], unit: int, chance: random.Random) -> None:
    """Rows of small strokes, about as dense as a page of characters."""
    left, top, right, bottom = box
    for y in range(top, bottom, unit * 2):
        for x in range(left, right - unit, int(unit * 1.4)):
            for _ in range(4):
                start = (x + chance.randint(0, unit), y + chance.randint(0, unit))
                end = (start[0], y + unit) if chance.random() < 0.5 else (x + unit, start[1])
                draw.line((start, end), fill=_INK, width=max(1, unit // 10))


def _seal(draw: ImageDraw.ImageDraw, centre: tuple[float, float], radius: float) -> None:
    """A round red seal with its star."""
    x, y = centre
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=_RED, width=max(3, int(radius / 12)))
    points = [(turn * math.pi / 5, radius * (0.42 if turn % 2 == 0 else 0.16)) for turn in range(10)]
    draw.polygon([(x + math.sin(angle) * far, y - math.cos(angle) * far) for angle, far in points], fill=_RED)
    draw.text((x, y + radius * 0.6), "SEAL", fill=_RED, font=ImageFont.load_default(radius / 4), anchor="mm")


def _specimen(image: Image.Image) -> None:
    """Write across the picture that it is no real paper."""
    size = image.width // 8
    mark = Image.new("L", image.size)
    ImageDraw.Draw(mark).text((image.width / 2, image.height / 2), "SPECIMEN", fill=70, font=ImageFont.load_default(size), anchor="mm")
    image.paste(_RED, mask=mark.rotate(24))


def _scanned(image: Image.Image, chance: random.Random) -> Image.Image:
    """With the grain of a scanner or camera."""
    grain = Image.frombytes("L", (256, 256), chance.randbytes(256 * 256)).resize(image.size)
    return Image.blend(image, Image.merge("RGB", (grain, grain, grain)), 0.03)
