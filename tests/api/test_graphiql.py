from __future__ import annotations

import json
import re

import httpx
import pytest
from graphql import build_schema, parse, validate
from starlette.applications import Starlette

from api import graphiql
from settings import ROOT, Settings
from tests.serving import talk

ACCOUNT: graphiql.DemonstrationAccount = {"label": "演示专家", "phone": "13800000001", "password": "demonstration"}


def browser_of(settings: Settings) -> httpx.AsyncClient:
    app = Starlette(routes=graphiql.routes(settings, [ACCOUNT]))
    return talk(transport=httpx.ASGITransport(app), base_url="http://registry")


def files_of(page: str) -> list[str]:
    return re.findall(r'(?:src|href)="([^"]+)"', page)


async def test_the_page_runs_no_script_but_ours() -> None:
    answer = await browser_of(Settings()).get("/graphiql")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "script-src 'self';" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert all(each.startswith("/graphiql/") for each in files_of(answer.text))
    assert re.findall(r"<script[^>]*>(.+)</script>|\son\w+=|\sstyle=", answer.text) == []


async def test_every_file_of_the_page_is_served_for_good_with_its_type() -> None:
    browser = browser_of(Settings())
    files = files_of((await browser.get("/graphiql")).text)

    answers = [await browser.get(each) for each in files]

    assert len(files) == 10
    assert {each.status_code for each in answers} == {200}
    assert {each.headers["cache-control"] for each in answers} == {"public, max-age=31536000, immutable"}
    assert {each.headers["x-content-type-options"] for each in answers} == {"nosniff"}
    types = {each.headers["content-type"] for each in answers}
    assert types == {"text/javascript; charset=utf-8", "text/css; charset=utf-8", "image/svg+xml"}


@pytest.mark.parametrize(
    "name",
    ["page.html", "vendor/update.py", "vendor/README.md", "../../graphiql.py", "..%2f..%2fgraphiql.py", "none.js"],
)
async def test_nothing_else_of_the_directory_is_served(name: str) -> None:
    browser = browser_of(Settings())
    place = files_of((await browser.get("/graphiql")).text)[0].rpartition("/")[0]

    answer = await browser.get(f"{place}/{name}")

    assert answer.status_code == 404


async def test_demonstration_accounts_are_given_away_in_development() -> None:
    browser = browser_of(Settings(development=True))

    page, accounts = await browser.get("/graphiql"), await browser.get("/graphiql/accounts.json")

    assert 'data-accounts="/graphiql/accounts.json"' in page.text
    assert accounts.json() == [ACCOUNT]
    assert accounts.headers["cache-control"] == "no-store"


async def test_demonstration_accounts_do_not_exist_in_production() -> None:
    browser = browser_of(Settings(development=False))

    page, accounts = await browser.get("/graphiql"), await browser.get("/graphiql/accounts.json")

    assert 'data-accounts=""' in page.text
    assert accounts.status_code == 404


def test_graphiql_can_be_switched_off() -> None:
    assert graphiql.routes(Settings(graphiql=False), [ACCOUNT]) == []


def test_every_ready_operation_is_one_named_valid_operation_of_our_schema() -> None:
    tabs = json.loads((graphiql.STATIC / "tabs.json").read_text(encoding="utf-8"))
    schema = build_schema((ROOT / "schema" / "schema.graphql").read_text(encoding="utf-8"))

    names = [re.findall(r"^(?:query|mutation|subscription)\s+(\w+)", each["query"], re.MULTILINE) for each in tabs]

    assert {tuple(sorted(each)) for each in tabs} == {("group", "query", "title", "variables")}
    assert [validate(schema, parse(each["query"])) for each in tabs] == [[]] * len(tabs)
    assert [len(each) for each in names] == [1] * len(tabs)
    assert len({each[0] for each in names}) == len(tabs)
