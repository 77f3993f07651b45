"""Decodes one image in a process of its own, under limits, and writes it anew without anything that is not picture.

Run by domain/actions/processes.py as a plain script: it knows nothing of the registry, inherits no
environment and holds no secret, so that a fault in a decoder reaches nothing. The image comes in on standard input, a seekable file;
the clean one goes to the file whose descriptor is named; one line of JSON on standard output tells how it went.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import resource
import sys
import warnings
from typing import IO, Any

from PIL import Image, ImageFilter, ImageOps, ImageStat, MpoImagePlugin, TiffImagePlugin  # noqa: F401  the decoders open these two by need

_QUALITY = 90
_BLUR_SIDE = 1024  # sharpness is measured at one size, so that one threshold fits photographs of 2 and of 40 megapixels


def _clean(source: IO[bytes], target: IO[bytes], kind: str, max_pixels: int) -> dict[str, Any]:
    """Decode, check, write; the facts of the clean picture, or why there is none."""
    size = source.seek(0, os.SEEK_END)
    source.seek(0)
    with Image.open(source, formats=(kind,)) as image:
        pixels = image.width * image.height
        if pixels > max_pixels:
            return {"refused": "IMAGE_TOO_MANY_PIXELS", "facts": {"width": image.width, "height": image.height, "most": max_pixels}}
        # A JPEG spends at least one bit on each block of 8 × 8: a header that promises more than the data can hold is forged,
        # and the decoder would fill what is missing with grey.
        if kind == "JPEG" and size * 8 < pixels // 64:
            return {"refused": "IMAGE_BROKEN"}
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        picture = _flat(image)
    picture.info.clear()
    if kind == "JPEG":
        picture.save(target, "JPEG", quality=_QUALITY, optimize=True)
    else:
        picture.save(target, "PNG")
    return {"width": picture.width, "height": picture.height, "sharpness": _sharpness(picture)}


def _flat(image: Image.Image) -> Image.Image:
    """Grey or RGB, on white where it was transparent: it looks the same wherever it is shown."""
    if image.mode.startswith("I"):  # 16 bits a pixel, which convert() would clip and not scale
        return image.point(lambda value: value * (1 / 256)).convert("L")
    if image.has_transparency_data:
        seen = image.convert("RGBA")
        paper = Image.new("RGB", seen.size, "white")
        paper.paste(seen, mask=seen.getchannel("A"))
        return paper
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def _sharpness(image: Image.Image) -> float:
    """Variance of the Laplacian of the grey picture, at most 1024 pixels wide and high; small where edges are soft."""
    grey = image.convert("L")
    grey.thumbnail((_BLUR_SIDE, _BLUR_SIDE))
    if min(grey.size) < 3:
        return 0.0
    # Eight bits without sign hold a quarter of the Laplacian around 128; Pillow leaves the border as it was.
    edges = grey.filter(ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=4, offset=128))
    inside = edges.crop((1, 1, edges.width - 1, edges.height - 1))
    return round(ImageStat.Stat(inside).var[0] * 16, 1)


def _give_up_rights(memory_bytes: int, cpu_seconds: int, output_bytes: int) -> None:
    """Keep memory, time and the open files; from here on no file, socket or process can be opened."""
    os.nice(5)  # the API's own work goes first
    with contextlib.suppress(ValueError):  # macOS knows the limit and does not let it be set
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (output_bytes, output_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def main() -> None:
    """Arguments: descriptor of the target, JPEG or PNG, most pixels, memory in bytes, processor time in seconds, most bytes written."""
    target_descriptor, kind, *limits = sys.argv[1:]
    max_pixels, memory_bytes, cpu_seconds, output_bytes = map(int, limits)
    Image.MAX_IMAGE_PIXELS = None  # Pillow's own limit has no facts to tell; ours is checked before anything is decoded
    Image.preinit()
    warnings.simplefilter("ignore")  # of malformed metadata, which is thrown away
    with open(0, "rb") as source, open(int(target_descriptor), "wb") as target:  # noqa: PTH123  descriptors, no paths
        _give_up_rights(memory_bytes, cpu_seconds, output_bytes)
        try:
            verdict = _clean(source, target, kind, max_pixels)
            target.flush()
        except Exception as fault:  # noqa: BLE001  whatever a decoder says about such bytes, they are no image
            full = isinstance(fault, OSError) and fault.errno in (errno.ENOSPC, errno.EDQUOT)
            verdict = {"refused": "INSUFFICIENT_STORAGE" if full else "IMAGE_BROKEN"}
    sys.stdout.write(json.dumps(verdict))


if __name__ == "__main__":
    main()
