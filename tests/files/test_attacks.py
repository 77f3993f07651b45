from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path

import pytest

from demonstration.images import certificate, jpeg, png
from domain.actions import files, images, storage
from domain.rules.errors import Invalid, InvalidInput
from domain.rules.images import ImageKind
from domain.rules.messages import text
from models.enums import FilePurpose
from models.files import StoredFile
from settings import Settings, settings
from tests.files import attacks
from tests.files.uploads import contents, hand_in, on_disk, picture, refusal
from tests.people import SignedIn
from tests.serving import own_memory_mib

MIB = 2**20


REFUSED: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "nothing": (lambda: b"", "scan.jpg", "FILE_EMPTY"),
    "one byte": (lambda: b"\xff", "scan.jpg", "IMAGE_TYPE"),
    "text": (lambda: "我是一张图片".encode() * 1000, "scan.jpg", "IMAGE_TYPE"),
    "a page": (lambda: b"<!DOCTYPE html><script>alert(1)</script>" * 100, "scan.jpg", "IMAGE_TYPE"),
    "an SVG": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>' * 50, "scan.svg", "IMAGE_TYPE"),
    "a GIF with a script in it": (lambda: b"GIF89a/*" + bytes(100) + b"*/=1;alert(1)", "scan.jpg", "IMAGE_TYPE"),
    "a PDF": (lambda: b"%PDF-1.7\n" + bytes(1000), "scan.jpg", "IMAGE_TYPE"),
    "an archive": (lambda: b"PK\x03\x04" + bytes(1000), "scan.jpg", "IMAGE_TYPE"),
    "a program": (lambda: b"\x7fELF" + bytes(1000), "scan.jpg", "IMAGE_TYPE"),
    "a PNG named .jpg": (lambda: png(certificate("CERTIFICATE", [], size=(600, 800))), "scan.jpg", "IMAGE_NAME"),
    "a JPEG named .png": (attacks.scan, "scan.png", "IMAGE_NAME"),
    "a JPEG named .php": (attacks.scan, "scan.jpg.php", "IMAGE_NAME"),
    "noise that begins like a JPEG": (lambda: b"\xff\xd8\xff" + os.urandom(100_000), "scan.jpg", "IMAGE_BROKEN"),
    "noise that begins like a PNG": (lambda: b"\x89PNG\r\n\x1a\n" + os.urandom(100_000), "scan.png", "IMAGE_BROKEN"),
    "the beginning of a JPEG": (lambda: attacks.scan()[:400], "scan.jpg", "IMAGE_BROKEN"),
    "two thirds of a JPEG": (lambda: attacks.truncated(attacks.scan()), "scan.jpg", "IMAGE_BROKEN"),
    "two thirds of a PNG": (lambda: attacks.truncated(png(certificate("CERTIFICATE", [], size=(600, 800)))), "scan.png", "IMAGE_BROKEN"),
    "a JPEG said to be 65500 × 65500": (lambda: attacks.forged_size(attacks.scan(), 65500, 65500), "scan.jpg", "IMAGE_TOO_MANY_PIXELS"),
    "a JPEG said to be 6300 × 6300": (
        lambda: attacks.forged_size(jpeg(certificate("C", [], size=(64, 64))), 6300, 6300),
        "scan.jpg",
        "IMAGE_BROKEN",
    ),
    "a PNG of 30000 × 30000": (lambda: attacks.png_bomb(30_000, 30_000), "scan.png", "IMAGE_TOO_MANY_PIXELS"),
    "a PNG of 8000 × 8000": (lambda: attacks.png_bomb(8_000, 8_000), "scan.png", "IMAGE_TOO_MANY_PIXELS"),
    "a PNG whose comment unfolds": (attacks.text_bomb, "scan.png", "IMAGE_BROKEN"),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_what_is_no_honest_image_is_refused_and_nothing_is_kept(zhang: SignedIn, now: datetime, data_dir: Path, what: str) -> None:
    make, name, code = REFUSED[what]
    data = make()
    before, began = own_memory_mib(), time.monotonic()

    problem = await refusal(data, zhang, now, name=name)

    assert (problem.path, problem.code) == ("file", code)
    assert text(problem.code, "zh", problem.facts)
    assert text(problem.code, "en", problem.facts)
    assert await StoredFile.all().count() == 0
    assert on_disk(data_dir) == []
    assert own_memory_mib() - before < 8
    assert time.monotonic() - began < 5


async def test_other_material_is_jpeg_only(zhang: SignedIn, now: datetime, data_dir: Path) -> None:
    problem = await refusal(png(certificate("FORM", [], size=(600, 800))), zhang, now, purpose=FilePurpose.OTHER, name="form.png")

    assert (problem.code, problem.facts) == ("IMAGE_TYPE", {"accepted": ["JPEG"]})
    assert on_disk(data_dir) == []


@pytest.mark.parametrize("make", [attacks.jpeg_and_zip, attacks.jpeg_and_page])
async def test_of_a_polyglot_the_picture_alone_is_kept(zhang: SignedIn, now: datetime, make: Callable[[], bytes]) -> None:
    file = await hand_in(make(), zhang, now)

    data = await contents(file)
    assert (await picture(file)).size == (1240, 1754)
    assert data.endswith(b"\xff\xd9")
    assert not any(word in data for word in (b"PK\x03\x04", b"evil", b"script", b"php"))


async def test_twenty_megabytes_are_taken_and_a_byte_more_is_not(zhang: SignedIn, now: datetime, data_dir: Path) -> None:
    scan = attacks.scan()
    most = scan + bytes(20 * MIB - len(scan))

    problem = await refusal(most + b"\0", zhang, now)
    kept = await StoredFile.all().count(), on_disk(data_dir)
    file = await hand_in(most, zhang, now)

    assert (problem.code, problem.facts) == ("FILE_TOO_LARGE", {"most_mib": 20})
    assert kept == (0, [])
    assert file.size < MIB


async def test_reading_stops_at_the_limit(zhang: SignedIn, now: datetime, data_dir: Path) -> None:
    sent = 0

    async def without_end() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b"\xff\xd8\xff" + bytes(100)
        while True:
            sent += MIB
            yield bytes(MIB)

    with pytest.raises(InvalidInput):
        await files.store(without_end(), purpose=FilePurpose.TITLE, name="scan.jpg", viewer=zhang.viewer, now=now)

    assert sent == 20 * MIB
    assert on_disk(data_dir) == []


async def test_the_first_bytes_are_enough_to_refuse(zhang: SignedIn, now: datetime) -> None:
    sent = 0

    async def byte_by_byte() -> AsyncIterator[bytes]:
        nonlocal sent
        for byte in b"GIF89a" + bytes(1000):
            sent += 1
            yield bytes([byte])

    with pytest.raises(InvalidInput):
        await files.store(byte_by_byte(), purpose=FilePurpose.TITLE, name="scan.jpg", viewer=zhang.viewer, now=now)

    assert sent == 8


async def decode(data: bytes, kind: ImageKind) -> images.Picture:
    with storage.spool() as source, storage.spool() as target:
        source.write(data)
        source.flush()
        return await images.clean(source, target, kind)


async def test_a_decoder_that_takes_too_much_memory_is_stopped(change_settings: Callable[..., Settings]) -> None:
    change_settings(image_process_mib=128)

    with pytest.raises(Invalid) as refused:
        await decode(attacks.png_bomb(6000, 6000), ImageKind.PNG)

    assert refused.value.code == "IMAGE_BROKEN"


async def test_a_decoder_that_takes_too_long_is_stopped(change_settings: Callable[..., Settings]) -> None:
    change_settings(image_process_seconds=1, image_max_pixels=10**9, image_process_mib=4096)
    bomb = attacks.png_bomb(13_000, 13_000)
    began = time.monotonic()

    with pytest.raises(Invalid) as refused:
        await decode(bomb, ImageKind.PNG)

    assert refused.value.code == "IMAGE_BROKEN"
    assert time.monotonic() - began < 3


async def test_an_upload_that_is_given_up_leaves_no_process() -> None:
    with storage.spool() as source, storage.spool() as target:
        source.write(attacks.png_bomb(6000, 6000))
        source.flush()
        decoding = asyncio.create_task(images.clean(source, target, ImageKind.PNG))
        await asyncio.sleep(0.15)
        began = set(decoders())

        decoding.cancel()
        with pytest.raises(asyncio.CancelledError):
            await decoding

    assert len(began) == 1
    assert set(decoders()) == set()


def decoders() -> list[str]:
    """Processes of this one that decode images."""
    here = str(os.getpid())
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            status, command = (each / "stat").read_text(), (each / "cmdline").read_bytes()
        except OSError:
            continue
        if status.rpartition(") ")[2].split()[1] == here and b"image_process" in command:
            found.append(each.name)
    return found


async def test_the_decoding_process_holds_no_secret_and_opens_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    spy = tmp_path / "spy.py"
    program = images._PROCESS.read_text()
    assert "def _clean(" in program
    spied = """
import socket
def _clean(source, target, kind, max_pixels):
    done = 0
    for attempt in (lambda: open('/etc/passwd'), lambda: open('/tmp/written', 'w'), socket.socket, os.pipe):
        try:
            attempt()
            done += 1
        except OSError:
            pass
    descriptors = sum(os.path.exists(f"/proc/self/fd/{number}") for number in range(256))
    return {"width": done, "height": len(os.environ), "sharpness": descriptors}
"""
    spy.write_text(program.replace('if __name__ == "__main__":', spied + '\nif __name__ == "__main__":'))
    monkeypatch.setattr(images, "_PROCESS", spy)

    seen = await decode(attacks.scan(), ImageKind.JPEG)

    assert seen.width == 0, "something could be opened"
    assert seen.height <= 1, "an environment was inherited"  # Python sets LC_CTYPE for itself
    assert seen.sharpness == 4, "input, output, complaints and the target are all that is open"


async def test_a_decoder_that_cannot_start_is_a_fault_of_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("import no_such_module")
    monkeypatch.setattr(images, "_PROCESS", broken)

    with pytest.raises(RuntimeError, match="no_such_module"):
        await decode(attacks.scan(), ImageKind.JPEG)


async def test_no_more_images_are_decoded_at_once_than_allowed() -> None:
    most = 0

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, len(decoders()))
            await asyncio.sleep(0.01)

    watching = asyncio.create_task(watch())
    await asyncio.gather(*(decode(attacks.scan(), ImageKind.JPEG) for _ in range(8)))
    watching.cancel()

    assert most == settings().image_processes == 2
