"""Sets an application form or writes a list, in a process of its own, under limits.

Run by domain/actions/processes.py as a plain script: it knows nothing of the registry, inherits no environment and holds no secret. What it
writes out comes in on standard input and is text to it, never markup, code or a formula.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

_PORTRAIT = (590, 826)  # twice the 25 × 35 mm of the form at 300 dpi
_CELL = 32_767  # letters that Excel takes


def _form(source: IO[bytes], target: IO[bytes], directory: Path) -> None:
    """The first line of the source is the form as JSON, the rest the portrait, if there is one; out comes a PDF with its fonts in it."""
    import pylopdf_fonts_zh_cn  # noqa: PLC0415  what a list does without
    import typst  # noqa: PLC0415  likewise

    data, portrait = source.readline(), source.read()
    template = Path(__file__).with_name("application_form.typ").read_bytes()
    for name, content in (("form.typ", template), ("form.json", data), ("portrait.jpg", _small(portrait) if portrait else b"")):
        (directory / name).write_bytes(content)
    # What the template reads lies below its root; nothing else can be read.
    form, fonts = str(directory / "form.typ"), [str(pylopdf_fonts_zh_cn.serif_path().parent)]
    compiler = typst.Compiler(form, root=str(directory), font_paths=fonts, ignore_system_fonts=True)
    try:
        made = compiler.compile(format="pdf", pdf_standards=["a-2b"])
    except typst.TypstError as fault:
        # The archive's standard forbids what no font can show: a rare character of a name, left as a box to be written in by hand.
        if "could not be displayed" not in str(fault):
            raise
        made = compiler.compile(format="pdf")
    if not isinstance(made, bytes):
        raise TypeError("a PDF is one file")
    target.write(made)


def _small(portrait: bytes) -> bytes:
    """As many pixels as print can show."""
    from PIL import Image  # noqa: PLC0415  as above

    with Image.open(io.BytesIO(portrait), formats=("JPEG", "PNG")) as image:
        image.thumbnail(_PORTRAIT)
        small = io.BytesIO()
        image.convert("RGB").save(small, "JPEG", quality=90)
    return small.getvalue()


def _sheet(source: IO[bytes], target: IO[bytes], directory: Path) -> None:
    """The first line of the source is `{"title", "columns": [[label, width]]}`, each further one a row of texts; out comes an XLSX.

    Everything is written as text, so that what begins with = or @ stays what it is. One row at a time is held in memory.
    """
    import xlsxwriter  # noqa: PLC0415  what a form does without

    head = json.loads(source.readline())
    with xlsxwriter.Workbook(target, {"constant_memory": True, "tmpdir": str(directory)}) as book:
        sheet, bold = book.add_worksheet(head["title"]), book.add_format({"bold": True})
        sheet.freeze_panes(1, 0)
        for place, (label, width) in enumerate(head["columns"]):
            sheet.set_column(place, place, width)
            sheet.write_string(0, place, label, bold)
        for number, row in enumerate(_rows(source), start=1):
            for place, text in enumerate(row):
                if text is not None:
                    sheet.write_string(number, place, text[:_CELL])


def _rows(source: IO[bytes]) -> Iterator[list[str | None]]:
    return (json.loads(line) for line in source)


def _limit(memory_bytes: int, cpu_seconds: int, output_bytes: int) -> None:
    os.nice(5)
    with contextlib.suppress(ValueError):  # macOS knows the limit and does not let it be set
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (output_bytes, output_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))


def main() -> None:
    """Arguments: descriptor of the target, `form` or `sheet`, an empty directory, memory in bytes, seconds, most bytes written."""
    target_descriptor, what, directory, *limits = sys.argv[1:]
    _limit(*map(int, limits))
    write = {"form": _form, "sheet": _sheet}[what]
    with open(0, "rb") as source, open(int(target_descriptor), "wb") as target:  # noqa: PTH123  descriptors, no paths
        write(source, target, Path(directory))


if __name__ == "__main__":
    main()
