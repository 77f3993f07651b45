from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from domain.actions import reference
from models.reference import HelpArticle
from settings import Settings
from tests.conftest import ROOT
from tests.graphql import both, execute

LIST = (
    "query Help($audience: Audience, $search: String) { helpArticles(audience: $audience, search: $search) { slug kind audience title } }"
)


async def slugs(**variables: Any) -> list[str]:
    return [each["slug"] for each in (await both(LIST, None, **variables))["helpArticles"]]


async def test_every_part_of_the_way_has_a_guide_readable_without_signing_in(database: Settings) -> None:
    for_experts = await slugs(audience="EXPERT")

    assert for_experts[:8] == ["registration", "profile", "submission", "progress", "schedule", "change", "leaving", "objections"]
    assert {"reviewing", "staff-accounts", "registration", "privacy"} <= set(await slugs(audience="OFFICER"))
    assert "reviewing" not in for_experts


async def test_two_chinese_characters_find_an_article_by_title_or_text(database: Settings) -> None:
    assert await slugs(search="动态") == ["staff-accounts"]
    assert "leaving" in await slugs(search="注销")
    assert "registration" in await slugs(search="隐私")
    assert await slugs(search="没有这样的词") == []
    assert await slugs(search="%") == []


async def test_every_word_of_a_search_is_looked_for_in_the_text_as_it_is_read(database: Settings) -> None:
    """Words may be parted by any blank, and marks of Markdown are no part of the text."""
    assert await slugs(search="注销 账号") == await slugs(search="账号\u3000注销 ")
    assert "leaving" in await slugs(search="注销 账号")
    assert await slugs(search="注销 没有这样的词") == []
    assert await slugs(search="**") == []
    assert "leaving" in await slugs(search="再次确认，立即生效，不需审核")
    assert await slugs(search=" ") == await slugs()


async def test_a_search_longer_than_anything_is_refused(database: Settings) -> None:
    answer = await execute(LIST, None, search="注 " * 51)

    [error] = answer.errors or []
    assert error.extensions is not None
    assert [each["code"] for each in error.extensions["fields"]] == ["TEXT_LENGTH"]


async def test_one_article_is_read_by_its_name(database: Settings) -> None:
    document = "query One($slug: String!) { helpArticle(slug: $slug) { title kind audience body } }"

    found = await both(document, None, slug="faq-no-title")
    none = await both(document, None, slug="nothing")

    assert found == {
        "helpArticle": {
            "title": "没有职称可以申请吗？",
            "kind": "QUESTION",
            "audience": "EXPERT",
            "body": "可以。没有职称的，填写至少一项执业资格并上传证书。是否符合入库条件由财政部门审核决定。",
        }
    }
    assert none == {"helpArticle": None}


async def test_contacts_are_told_to_everybody(database: Settings) -> None:
    answer = await both("{ helpContacts { name phone hours note } }", None)

    assert answer["helpContacts"][0] == {
        "name": "政务服务便民热线",
        "phone": "12345",
        "hours": "全天",
        "note": "咨询、转办所在地财政部门",
    }


@pytest.mark.parametrize(
    ("search", "phones"),
    [
        ("热线", ["12345", "12333"]),
        ("职称", ["12333"]),
        ("12345", ["12345"]),
        (" 全省 ", []),
        ("热线 12333", ["12333"]),
        ("热线 没有", []),
        ("%", []),
        ("", ["12345", "12333"]),
    ],
)
async def test_contacts_are_found_by_name_note_and_phone(database: Settings, search: str, phones: list[str]) -> None:
    answer = await both("query ($search: String) { helpContacts(search: $search) { phone } }", None, search=search)

    assert [each["phone"] for each in answer["helpContacts"]] == phones


async def test_loading_again_changes_nothing_and_an_article_that_is_gone_is_retired(database: Settings, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "reference", tmp_path / "reference")
    (tmp_path / "reference" / "help" / "objections.md").unlink()

    same = await reference.load(ROOT / "reference")
    fewer = await reference.load(tmp_path / "reference")

    assert str(same.files["help/*.md"]) == "0 new, 0 changed, 0 retired, 18 as before"
    assert str(fewer.files["help/*.md"]) == "0 new, 0 changed, 1 retired, 17 as before"
    assert "objections" not in await slugs()
    assert (await execute('{ helpArticle(slug: "objections") { title } }')).data == {"helpArticle": None}
    assert (await HelpArticle.get(slug="objections")).retired
