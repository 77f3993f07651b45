"""Decoding of what was handed in, in a limited process of its own; this process never opens an image."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO

import orjson
import structlog

from domain.rules.errors import Invalid, Unavailable
from domain.rules.images import ImageKind, ImageLimits
from models.enums import FilePurpose
from settings import Settings, settings

_PROCESS = Path(__file__).with_name("image_process.py")
_log = structlog.get_logger(__name__)


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
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            str(_PROCESS),
            kind.value,
            str(target.fileno()),
            str(configured.image_max_pixels),
            str(configured.image_process_mib * 2**20),
            str(configured.image_process_seconds),
            str(4 * configured.image_max_bytes),
            stdin=source,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            pass_fds=(target.fileno(),),
            env={},
        )
        try:
            async with asyncio.timeout(configured.image_process_seconds):
                output, complaint = await process.communicate()
                code = await process.wait()
        except TimeoutError:
            raise Invalid("IMAGE_BROKEN") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    if code < 0:  # ended by a signal: a limit, or a decoder that crashed
        _log.warning("image process ended by a signal", signal=-code)
        raise Invalid("IMAGE_BROKEN")
    if code > 0:
        raise RuntimeError(f"image process: {complaint.decode(errors='replace')[-2000:]}")
    verdict = orjson.loads(output)
    match verdict.pop("refused", None):
        case None:
            return Picture(**verdict)
        case "INSUFFICIENT_STORAGE":
            raise Unavailable("INSUFFICIENT_STORAGE")
        case refused:
            raise Invalid(refused, **verdict.get("facts", {}))
