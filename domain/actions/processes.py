"""Programs of ours that work on one file in a limited process of their own, away from secrets and from other people's data."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import structlog

_log = structlog.get_logger(__name__)


class CutOff(Exception):
    """The process reached a limit of time or memory, or crashed."""


async def run(
    script: Path, *arguments: object, source: IO[bytes], target: IO[bytes], seconds: int, environment: Mapping[str, str] | None = None
) -> bytes:
    """Run a script as `python -I script TARGET ARGUMENTS…`; what it says on standard output.

    It reads `source`, a real file, as its standard input and writes to the descriptor TARGET; it inherits nothing else. Raises CutOff;
    RuntimeError with the complaint of a script that ended with an error.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(script),
        str(target.fileno()),
        *map(str, arguments),
        stdin=source,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        pass_fds=(target.fileno(),),
        env=dict(environment or {}),
    )
    try:
        async with asyncio.timeout(seconds):
            output, complaint = await process.communicate()
            code = await process.wait()
    except TimeoutError:
        raise CutOff from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if code < 0:  # ended by a signal: a limit, or a library that crashed
        _log.warning("process ended by a signal", script=script.stem, signal=-code)
        raise CutOff
    if code > 0:
        raise RuntimeError(f"{script.stem}: {complaint.decode(errors='replace')[-2000:]}")
    return output
