from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image

from demonstration.images import blurred, card, certificate, jpeg, png, portrait
from domain.actions import files, storage
from domain.rules.errors import NotAllowed, TooSoon
from models.enums import FilePurpose
from models.files import StoredFile
from settings import Settings
from tests import people
from tests.files import attacks
from tests.files.uploads import chunked, contents, hand_in, on_disk, picture, refusal
from tests.people import SignedIn


async def test_a_scan_is_kept_with_what_was_measured(zhang: SignedIn, now: datetime, data_dir: Path) -> None:
    scan = attacks.scan()

    file = await hand_in(scan, zhang, now, name="学历证书.jpeg")

    row = await StoredFile.get(id=file.id)
    assert row.owner_id == zhang.account.id
    assert (row.purpose, row.original_name, row.media_type) == (FilePurpose.EDUCATION, "学历证书.jpg", "image/jpeg")
    assert (row.width, row.height, row.blurred, row.created_at) == (1240, 1754, False, now)
    assert row.sharpness > 1000
    data = await contents(row)
    assert (row.size, row.sha256) == (len(data), hashlib.sha256(data).digest())
    assert len(on_disk(data_dir)) == 1


async def test_a_png_stays_a_png(zhang: SignedIn, now: datetime) -> None:
    drawn = certificate("CERTIFICATE", ["Number 123"], size=(600, 800))

    file = await hand_in(png(drawn), zhang, now, name="scan.png")

    kept = await picture(file)
    assert (kept.format, kept.size, file.media_type) == ("PNG", (600, 800), "image/png")
    assert kept.tobytes() == drawn.tobytes()


async def test_nothing_but_the_picture_is_kept_and_it_stands_upright(zhang: SignedIn, now: datetime) -> None:
    photographed = attacks.from_a_camera()
    assert photographed.count(b"Secret") >= 5

    file = await hand_in(photographed, zhang, now)

    data, kept = await contents(file), await picture(file)
    assert (file.width, file.height) == kept.size == (1000, 1400)
    assert b"Secret" not in data
    assert dict(kept.getexif()) == {}
    assert kept.info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


async def test_metadata_of_a_png_is_not_kept_either(zhang: SignedIn, now: datetime) -> None:
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    data = png(certificate("CERTIFICATE", [], size=(600, 800)), exif=exif, icc_profile=b"SecretProfile" * 20, dpi=(300, 300))
    assert b"SecretCamera" in data

    file = await hand_in(data, zhang, now, name="scan.png")

    assert b"Secret" not in await contents(file)
    assert (await picture(file)).info == {}


@pytest.mark.parametrize(("mode", "kept_mode"), [("1", "L"), ("L", "L"), ("P", "RGB"), ("CMYK", "RGB"), ("RGBA", "RGB"), ("LA", "RGB")])
async def test_every_kind_of_pixel_becomes_grey_or_colour(zhang: SignedIn, now: datetime, mode: str, kept_mode: str) -> None:
    drawn = certificate("CERTIFICATE", ["Number 123"], size=(600, 800)).convert(mode)

    if mode == "CMYK":
        file = await hand_in(jpeg(drawn), zhang, now)
    else:
        file = await hand_in(png(drawn), zhang, now, name="scan.png")

    kept = await picture(file)
    assert (kept.mode, kept.size) == (kept_mode, (600, 800))


async def test_sixteen_bits_a_pixel_are_scaled_and_not_clipped(zhang: SignedIn, now: datetime) -> None:
    drawn = Image.new("I;16", (600, 800), 0x8000)

    file = await hand_in(png(drawn), zhang, now, name="scan.png")

    assert (await picture(file)).getpixel((300, 400)) == 0x80


async def test_what_was_transparent_is_seen_on_white(zhang: SignedIn, now: datetime) -> None:
    hidden = Image.new("RGBA", (600, 800), (0, 0, 0, 0))

    file = await hand_in(png(hidden), zhang, now, name="scan.png")

    assert (await picture(file)).getpixel((300, 400)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("image", "purpose"),
    [
        (certificate("CERTIFICATE", ["Number 123"]), FilePurpose.EDUCATION),
        (card(["Name"], face=True), FilePurpose.ID_FRONT),
        (card(["Valid"], face=False), FilePurpose.ID_BACK),
        (portrait(), FilePurpose.PORTRAIT),
    ],
    ids=lambda value: str(value) if isinstance(value, FilePurpose) else "",
)
async def test_a_blurred_image_is_kept_with_a_warning(zhang: SignedIn, now: datetime, image: Image.Image, purpose: FilePurpose) -> None:
    sharp = await hand_in(jpeg(image), zhang, now, purpose=purpose)
    soft = await hand_in(jpeg(blurred(image)), zhang, now, purpose=purpose)

    assert (sharp.blurred, soft.blurred) == (False, True)


@pytest.mark.parametrize("size", [(599, 900), (900, 599), (700, 799)])
async def test_a_scan_that_is_too_small_is_refused(zhang: SignedIn, now: datetime, data_dir: Path, size: tuple[int, int]) -> None:
    problem = await refusal(jpeg(certificate("CERTIFICATE", [], size=size)), zhang, now)

    assert (problem.path, problem.code) == ("file", "IMAGE_TOO_SMALL")
    assert problem.facts == {"width": size[0], "height": size[1], "short": 600, "long": 800}
    assert await StoredFile.all().count() == 0
    assert on_disk(data_dir) == []


async def test_a_portrait_may_be_as_small_as_one_inch(zhang: SignedIn, now: datetime) -> None:
    kept = await hand_in(jpeg(portrait(size=(295, 413))), zhang, now, purpose=FilePurpose.PORTRAIT)
    problem = await refusal(jpeg(portrait(size=(294, 413))), zhang, now, purpose=FilePurpose.PORTRAIT)

    assert (kept.width, kept.height) == (295, 413)
    assert (problem.code, problem.facts) == ("IMAGE_TOO_SMALL", {"width": 294, "height": 413, "short": 295, "long": 413})


async def test_the_same_picture_for_the_same_purpose_is_one_file(zhang: SignedIn, now: datetime, data_dir: Path) -> None:
    scan = attacks.scan()
    first = await hand_in(scan, zhang, now, name="first.jpg")

    second = await hand_in(scan, zhang, now + timedelta(hours=1), name="second.jpg")

    assert second.id == first.id
    row = await StoredFile.get()
    assert (row.original_name, row.created_at) == ("first.jpg", now + timedelta(hours=1))
    assert len(on_disk(data_dir)) == 1


async def test_the_same_picture_handed_in_at_once_is_one_file(zhang: SignedIn, now: datetime, data_dir: Path) -> None:
    scan = attacks.scan()

    handed_in = await asyncio.gather(*(hand_in(scan, zhang, now) for _ in range(5)))

    assert len({each.id for each in handed_in}) == 1
    assert await StoredFile.all().count() == 1
    assert len(on_disk(data_dir)) == 1


async def test_the_same_picture_for_another_purpose_or_person_is_a_file_over_the_same_object(
    zhang: SignedIn, wang: SignedIn, now: datetime, data_dir: Path
) -> None:
    scan = attacks.scan()

    kept = [
        await hand_in(scan, zhang, now),
        await hand_in(scan, zhang, now, purpose=FilePurpose.TITLE),
        await hand_in(scan, wang, now),
    ]

    assert len({each.id for each in kept}) == 3
    assert len({each.object_key for each in kept}) == 1
    assert len(on_disk(data_dir)) == 1


async def test_an_account_keeps_no_more_files_than_its_quota(
    zhang: SignedIn, wang: SignedIn, now: datetime, data_dir: Path, change_settings: Callable[..., Settings]
) -> None:
    change_settings(files_per_account=2)
    scans = [jpeg(certificate("CERTIFICATE", [f"Number {number}"])) for number in range(3)]
    for each in scans[:2]:
        await hand_in(each, zhang, now)

    problem = await refusal(scans[2], zhang, now)

    assert (problem.code, problem.facts) == ("FILE_QUOTA", {"most": 2})
    assert await StoredFile.all().count() == 2
    assert len(on_disk(data_dir)) == 2
    await hand_in(scans[2], wang, now)


async def test_parallel_uploads_do_not_pass_the_quota(
    zhang: SignedIn, now: datetime, data_dir: Path, change_settings: Callable[..., Settings]
) -> None:
    change_settings(files_per_account=2)
    scans = [jpeg(certificate("CERTIFICATE", [f"Number {number}"])) for number in range(6)]

    ends = await asyncio.gather(*(hand_in(each, zhang, now) for each in scans), return_exceptions=True)

    assert len([each for each in ends if isinstance(each, StoredFile)]) == 2
    assert await StoredFile.all().count() == 2
    assert len(on_disk(data_dir)) == 2


async def test_one_upload_too_many_at_once_is_told_to_come_back(
    zhang: SignedIn, wang: SignedIn, now: datetime, change_settings: Callable[..., Settings]
) -> None:
    change_settings(uploads_per_account=2)
    scan = attacks.scan()
    go_on = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        await go_on.wait()
        yield scan

    def upload() -> asyncio.Task[StoredFile]:
        return asyncio.create_task(files.store(slowly(), purpose=FilePurpose.EDUCATION, name="scan.jpg", viewer=zhang.viewer, now=now))

    under_way = [upload(), upload()]
    await asyncio.sleep(0.05)

    with pytest.raises(TooSoon) as refused:
        await hand_in(scan, zhang, now)
    of_another = await hand_in(scan, wang, now)
    go_on.set()
    await asyncio.gather(*under_way)

    assert refused.value.retry_after_seconds == 1
    assert of_another.owner_id == wang.account.id
    assert await StoredFile.filter(owner_id=zhang.account.id).count() == 1
    assert not files._under_way


async def test_staff_hand_in_no_images(now: datetime, data_dir: Path) -> None:
    staff = [await people.officer(), await people.provincial_officer(), await people.administrator()]

    for each in staff:
        with pytest.raises(NotAllowed):
            await hand_in(jpeg(certificate("CERTIFICATE", [])), each, now)

    assert await StoredFile.all().count() == 0
    assert on_disk(data_dir) == []


async def test_half_an_upload_leaves_nothing(zhang: SignedIn, now: datetime, data_dir: Path) -> None:
    scan = attacks.scan()

    async def broken_off() -> AsyncIterator[bytes]:
        async for chunk in chunked(scan[: len(scan) // 2]):
            yield chunk
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await files.store(broken_off(), purpose=FilePurpose.EDUCATION, name="scan.jpg", viewer=zhang.viewer, now=now)

    assert await StoredFile.all().count() == 0
    assert on_disk(data_dir) == []
    assert not files._under_way


async def test_a_row_that_cannot_be_written_leaves_no_object(
    zhang: SignedIn, now: datetime, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> StoredFile:
        assert len(on_disk(data_dir)) == 1
        raise RuntimeError("the database is away")

    monkeypatch.setattr(files, "_record", fails)

    with pytest.raises(RuntimeError, match="the database is away"):
        await hand_in(jpeg(certificate("CERTIFICATE", [])), zhang, now)

    assert on_disk(data_dir) == []


async def test_what_lies_on_disk_is_sealed_under_a_name_that_tells_nothing(zhang: SignedIn, now: datetime, data_dir: Path) -> None:
    file = await hand_in(attacks.scan(), zhang, now)

    (kept,) = on_disk(data_dir)
    assert kept == data_dir / "files" / file.object_key
    assert file.sha256.hex() not in str(kept)
    assert str(file.id) not in str(kept)
    sealed = kept.read_bytes()
    assert b"JFIF" not in sealed
    assert hashlib.sha256(sealed).digest() != file.sha256
    assert file.object_key == storage.key_of(file.sha256)
