"""Uploads that are meant to hurt, and some that only look like it."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from functools import cache

from PIL import Image

from demonstration.images import certificate, jpeg


@cache
def scan() -> bytes:
    """A harmless certificate, as a JPEG."""
    return jpeg(certificate("CERTIFICATE", ["Number 123"]))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@cache
def png_bomb(width: int, height: int) -> bytes:
    """A PNG of zeros: a few hundred kB that unfold to `width` × `height` bytes, or would if they were all there."""
    squeezed = zlib.compressobj(9)
    row = bytes(width + 1)
    rows = b"".join([*(squeezed.compress(row) for _ in range(min(height, 200_000_000 // width))), squeezed.flush()])
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def text_bomb() -> bytes:
    """A small PNG whose compressed comment unfolds to 40 MB."""
    image = io.BytesIO()
    Image.new("L", (800, 800)).save(image, "PNG")
    head, tail = image.getvalue()[:33], image.getvalue()[33:]
    return head + _chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(40 * 2**20), 9)) + tail


def forged_size(data: bytes, width: int, height: int) -> bytes:
    """The same JPEG with another size in its frame header."""
    position = data.index(b"\xff\xc0")
    return data[: position + 5] + struct.pack(">HH", height, width) + data[position + 9 :]


def truncated(data: bytes) -> bytes:
    """The first two thirds."""
    return data[: len(data) * 2 // 3]


def jpeg_and_zip() -> bytes:
    """A JPEG that is an archive as well."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as inside:
        inside.writestr("evil.js", "alert(1)")
    return scan() + archive.getvalue()


def jpeg_and_page() -> bytes:
    """A JPEG that is a page as well: markup in its comment and behind its end."""
    image = scan()
    comment = b"<html><script>alert(1)</script>"
    return image[:2] + b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment + image[2:] + b"<?php system($_GET['c']); ?>"


def from_a_camera() -> bytes:
    """A photograph of a page, taken sideways: place, camera, time, owner, thumbnail, comment, XMP and colour profile inside."""
    image = certificate("CERTIFICATE", ["Number 123"], size=(1000, 1400)).rotate(90, expand=True)
    exif = Image.Exif()
    exif[0x0112] = 6  # Orientation: turn right to see it upright
    exif[0x010F] = "SecretCamera"
    exif[0x9286] = "SecretUserComment"
    exif.get_ifd(0x8825).update({1: "N", 2: (43.0, 53.0, 12.0), 3: "E", 4: (125.0, 19.0, 30.0)})
    return jpeg(image, exif=exif, comment=b"SecretComment", xmp=b"<x:xmpmeta>SecretXmp</x:xmpmeta>", icc_profile=b"SecretProfile" * 20)


def small_scan() -> bytes:
    """The plainest certificate that is large enough, less than 20 kB."""
    return jpeg(Image.new("L", (600, 800), 200))
