"""Decoding of what was handed in, in a limited process of its own; this process never opens an image."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO

import orjson

from domain.actions import processes
from domain.rules.errors import Invalid, Unavailable
from domain.rules.images import ImageKind, ImageLimits
from models.enums import FilePurpose
from settings import Settings, settings

_PROCESS = Path(__file__).with_name("image_process.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What the process tells of the image that it wrote: pixels as seen, upright, and its Laplacian variance."""

    width: int
    height: int
    sharpness: float


def limits(purpose: FilePurpose, configured: Settings) -> ImageLimits:
    """What an image of this purpose must reach in this installation."""
    if purpose is FilePurpose.PORTRAIT:
        return ImageLimits(configured.portrait_min_width, configured.portrait_min_height, configured.blur_warning_photo)
    return ImageLimits(configured.scan_min_width, configured.scan_min_height, configured.blur_warning_document)


@lru_cache(maxsize=1)
def _turns() -> asyncio.Semaphore:
    return asyncio.Semaphore(settings().image_processes)


async def clean(source: IO[bytes], target: IO[bytes], kind: ImageKind) -> Picture:
    """Decode `source`, turn it upright and write it anew to `target` without metadata; both are real files.

    Starting a process takes 60 ms, little beside the decoding; in return no image meets what another one left behind. Raises Invalid:
    IMAGE_TOO_MANY_PIXELS, IMAGE_BROKEN (also when the decoder runs out of memory or time); Unavailable when the disk is full.
    """
    configured = settings()
    async with _turns():
        try:
            output = await processes.run(
                _PROCESS,
                kind.value,
                configured.image_max_pixels,
                configured.image_process_mib * 2**20,
                configured.image_process_seconds,
                4 * configured.image_max_bytes,
                source=source,
                target=target,
                seconds=configured.image_process_seconds,
            )
        except processes.CutOff:
            raise Invalid("IMAGE_BROKEN") from None
    verdict = orjson.loads(output)
    match verdict.pop("refused", None):
        case None:
            return Picture(**verdict)
        case "INSUFFICIENT_STORAGE":
            raise Unavailable("INSUFFICIENT_STORAGE")
        case refused:
            raise Invalid(refused, **verdict.get("facts", {}))
