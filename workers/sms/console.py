"""A gateway that shows messages in the terminal instead of sending them."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterator

from domain.actions.sms import Accepted, Outgoing
from domain.rules import mask
from settings import Settings

_WIDTH = 72


class Console:
    """Prints each message to standard output: in clear in development, elsewhere without number and words. Never to a log."""

    name = "console"

    def __init__(self, settings: Settings) -> None:
        self._clear = settings.development

    async def send(self, message: Outgoing) -> Accepted:
        """Print; always accepted, and again when sent again."""
        phone = message.phone if self._clear else mask.phone(message.phone)
        text = message.text if self._clear else "(shown in development mode only; configure a gateway to send it)"
        rule = "─" * (_WIDTH + 2)
        body = "\n".join(f"│ {line}" for line in _lines(text))
        sys.stdout.write(f"\n┌{rule}\n│ SMS {message.template.value} → {phone}\n├{rule}\n{body}\n└{rule}\n")
        sys.stdout.flush()
        return Accepted(f"console-{message.key}")


def _lines(text: str) -> Iterator[str]:
    """Break a text at the width of the block, a Chinese character counting two; words in Latin letters stay whole."""
    line, width = "", 0
    for part in _parts(text):
        needed = sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in part)
        if width + needed > _WIDTH and line:
            yield line.rstrip()
            line, width, part = "", 0, part.lstrip()  # noqa: PLW2901  a line does not begin with the space before its first word
        line, width = line + part, width + needed
    yield line


def _parts(text: str) -> Iterator[str]:
    word = ""
    for each in text:
        if each.isascii() and each != " ":
            word += each
            continue
        if word:
            yield word
            word = ""
        yield each
    if word:
        yield word
