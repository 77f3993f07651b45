"""The articles of the help centre as files: front matter, then Markdown (rules §9)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from domain.rules.errors import Invalid
from domain.rules.reference import Flaw, Loaded, ReferenceFlawed, Row
from domain.rules.text import line, prose
from models.enums import Audience, HelpKind

LONGEST = 20000
_KEYS = ("title", "kind", "audience", "position")


def parse_articles(texts: Mapping[str, str]) -> Loaded:
    """Articles by file name, ready for their table; raises ReferenceFlawed with every flaw of all of them."""
    flaws: list[Flaw] = []
    rows = [row for file, text in sorted(texts.items()) if (row := _article(file, text, flaws)) is not None]
    if flaws:
        raise ReferenceFlawed(flaws)
    return Loaded("help/*.md", "help_articles", "slug", {}, tuple(rows), ())


def _article(file: str, text: str, flaws: list[Flaw]) -> Row | None:
    slug = file.removesuffix(".md")
    if not re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", slug) or len(slug) > 60:
        flaws.append(Flaw(file, 1, "the name of the file is small letters, digits and hyphens, at most 60"))
        return None
    parts = re.fullmatch(r"---\n(.*?)\n---\n(.*)", text.replace("\r\n", "\n"), re.DOTALL)
    if parts is None:
        flaws.append(Flaw(file, 1, "an article begins with front matter between lines of `---`"))
        return None
    given = {key.strip(): value.strip() for key, _, value in (each.partition(":") for each in parts[1].split("\n"))}
    if sorted(given) != sorted(_KEYS):
        flaws.append(Flaw(file, 2, f"front matter is {', '.join(given)}; expected are {', '.join(_KEYS)}"))
        return None
    try:
        return {
            "slug": slug,
            "name": line(given["title"], longest=120),
            "kind": HelpKind(given["kind"]),
            "audience": Audience(given["audience"]),
            "position": int(given["position"]),
            "body": _body(parts[2]),
        }
    except Invalid as invalid:
        flaws.append(Flaw(file, 2, f"title or text: {invalid.code}"))
    except ValueError as error:
        flaws.append(Flaw(file, 2, str(error)))
    return None


def _body(text: str) -> str:
    body = prose(text, longest=LONGEST)
    if re.search(r"<[A-Za-z/!]", body):
        raise ValueError("the text holds raw HTML; write Markdown")
    return body
