from __future__ import annotations

import pytest

from domain.rules.help import parse_articles
from domain.rules.reference import ReferenceFlawed
from models.enums import Audience, HelpKind

GOOD = "---\ntitle: 注册\nkind: GUIDE\naudience: EVERYONE\nposition: 1\n---\n1. 填写手机号。\n2. 登录。\n"


def test_an_article_comes_out_as_the_table_keeps_it() -> None:
    loaded = parse_articles({"how-to-register.md": GOOD.replace("\n", "\r\n")})

    assert (loaded.table, loaded.key) == ("help_articles", "slug")
    assert loaded.rows == (
        {
            "slug": "how-to-register",
            "name": "注册",
            "kind": HelpKind.GUIDE,
            "audience": Audience.EVERYONE,
            "position": 1,
            "body": "1. 填写手机号。\n2. 登录。",
        },
    )


@pytest.mark.parametrize(
    ("file", "text", "what"),
    [
        ("注册.md", GOOD, "small letters"),
        ("a.md", "没有抬头", "front matter"),
        ("a.md", GOOD.replace("kind: GUIDE\n", ""), "expected are title, kind, audience, position"),
        ("a.md", GOOD.replace("GUIDE", "BOOK"), "BOOK"),
        ("a.md", GOOD.replace("EVERYONE", "NOBODY"), "NOBODY"),
        ("a.md", GOOD.replace(": 1", ": first"), "first"),
        ("a.md", GOOD.replace("注册", ""), "TEXT_EMPTY"),
        ("a.md", GOOD[: GOOD.index("1. ")], "TEXT_EMPTY"),
        ("a.md", GOOD + "<script>alert(1)</script>", "raw HTML"),
    ],
)
def test_a_flaw_is_told_with_its_file(file: str, text: str, what: str) -> None:
    with pytest.raises(ReferenceFlawed) as refusal:
        parse_articles({"good.md": GOOD, file: text})

    [flaw] = refusal.value.flaws
    assert flaw.file == file
    assert what in flaw.what
