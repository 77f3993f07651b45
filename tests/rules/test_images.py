from __future__ import annotations

import pytest

from domain.rules.errors import Invalid
from domain.rules.images import ImageKind, ImageLimits, check_size, clean_name, is_blurred, kind_of
from models.enums import FilePurpose

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00"
SCAN = ImageLimits(600, 800, 100)


@pytest.mark.parametrize("purpose", [each for each in FilePurpose if each is not FilePurpose.OTHER])
@pytest.mark.parametrize(("head", "name", "kind"), [(JPEG, "a.jpg", ImageKind.JPEG), (PNG, "a.png", ImageKind.PNG)])
def test_photos_scans_and_certificates_are_jpeg_or_png(purpose: FilePurpose, head: bytes, name: str, kind: ImageKind) -> None:
    assert kind_of(head, name, purpose) is kind


def test_other_materials_are_jpeg_only() -> None:
    assert kind_of(JPEG, "form.jpg", FilePurpose.OTHER) is ImageKind.JPEG

    with pytest.raises(Invalid) as refused:
        kind_of(PNG, "form.png", FilePurpose.OTHER)

    assert (refused.value.code, refused.value.facts) == ("IMAGE_TYPE", {"accepted": ["JPEG"]})


@pytest.mark.parametrize(
    "head",
    [
        b"GIF89a\x01\x00",
        b"<svg xml",
        b"<!DOCTYP",
        b"%PDF-1.7",
        b"BM6\x00\x00\x00",
        b"RIFF\x00\x00\x00\x00WEBP",
        b"II*\x00\x08\x00\x00\x00",
        b"\x00\x00\x00\x18ftypheic",
        b"hello, w",
        b"\xff\xd8",
        b"\xff\xfb\xff\xe0",
        b"\x89PNG\n\x1a\n\x00",
        b"",
    ],
)
def test_what_does_not_begin_like_an_image_is_refused(head: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        kind_of(head, "scan.jpg", FilePurpose.ID_FRONT)

    assert (refused.value.code, refused.value.facts) == ("IMAGE_TYPE", {"accepted": ["JPEG", "PNG"]})


@pytest.mark.parametrize(
    ("head", "name", "kind"),
    [
        (PNG, "scan.jpg", "PNG"),
        (JPEG, "scan.png", "JPEG"),
        (JPEG, "scan.jpg.php", "JPEG"),
        (PNG, "页面.html", "PNG"),
        (JPEG, "a.HEIC ", "JPEG"),
    ],
)
def test_a_name_that_promises_another_kind_is_refused(head: bytes, name: str, kind: str) -> None:
    with pytest.raises(Invalid) as refused:
        kind_of(head, name, FilePurpose.TITLE)

    assert (refused.value.code, refused.value.facts) == ("IMAGE_NAME", {"kind": kind})


@pytest.mark.parametrize("name", ["a.JPG", "a.jpeg", "a.jfif", "a.jpg ", "证书", "", "扫描.正面", "IMG 2026.11.22", "noise.png/scan.jpg"])
def test_names_without_an_extension_and_all_extensions_of_jpeg_are_taken(name: str) -> None:
    assert kind_of(JPEG, name, FilePurpose.TITLE) is ImageKind.JPEG


@pytest.mark.parametrize("size", [(600, 800), (800, 600), (4000, 3000), (799, 801)])
def test_a_scan_may_lie_or_stand(size: tuple[int, int]) -> None:
    check_size(*size, SCAN)


@pytest.mark.parametrize("size", [(599, 800), (600, 799), (800, 599), (5000, 599), (1, 1)])
def test_a_scan_that_is_too_small_on_either_side_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(Invalid) as refused:
        check_size(*size, SCAN)

    assert refused.value.code == "IMAGE_TOO_SMALL"
    assert refused.value.facts == {"width": size[0], "height": size[1], "short": 600, "long": 800}


def test_an_image_below_the_sharpness_of_its_purpose_is_called_blurred() -> None:
    assert [is_blurred(sharpness, SCAN) for sharpness in (0, 99.9, 100, 4000)] == [True, True, False, False]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("学历证书.jpg", "学历证书.jpg"),
        ("scan.JPEG", "scan.jpg"),
        ("noise", "noise.jpg"),
        ("../../etc/passwd", "passwd.jpg"),
        (r"C:\Users\zhang\证书.jpg", "证书.jpg"),
        ("a\0b.jpg", "ab.jpg"),
        ("<img src=x onerror=alert(1)>.jpg", "img src=x onerror=alert(1).jpg"),
        ('"; rm -rf *;".jpg', "rm -rf.jpg"),
        ("=HYPERLINK(1).jpg", "HYPERLINK(1).jpg"),
        ("+-@SUM(1).jpg", "SUM(1).jpg"),
        ("\u202egpj.exe.jpg", "gpj.exe.jpg"),
        ("a\u2028b\r\nSet-Cookie: x.jpg", "abSet-Cookie_ x.jpg"),
        ("x" * 300 + ".jpg", "x" * 80 + ".jpg"),
        ("...", "image.jpg"),
        ("", "image.jpg"),
        (".jpg", "image.jpg"),
        ("张三22010219800101001X正面.jpg", "张三*正面.jpg"),
        ("13812345678.jpg", "*.jpg"),
        ("IMG_20261122_101112.jpg", "IMG_20261122_101112.jpg"),
        ("\ud83d.jpg", "image.jpg"),
    ],
)
def test_a_name_is_shown_without_path_markup_formula_or_personal_number(given: str, shown: str) -> None:
    assert clean_name(given, ImageKind.JPEG) == shown


def test_the_shown_name_ends_with_the_true_kind() -> None:
    assert clean_name("scan", ImageKind.PNG) == "scan.png"
