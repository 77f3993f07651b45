from __future__ import annotations

import pytest

from tests.people import PASSWORD, registered_expert
from tests.serving import Served, Start, begin, heard, say, talk

OPEN = """mutation ($input: SessionOpenInput!) { sessionOpen(input: $input) {
    __typename ... on SessionOpened { token viewer { account { name } } } ... on Problem { code } } }"""
WHO = "{ viewer { account { name } } }"


@pytest.fixture(scope="module")
def product(start: Start) -> Served:
    """The product's own application."""
    return start()


async def test_a_page_signs_in_by_cookie_and_leaves(product: Served) -> None:
    person = await registered_expert(name="李评审")
    async with talk(base_url=product.url, headers={"x-registry-client": "page"}) as browser:

        async def ask(query: str, variables: object = None) -> dict[str, object]:
            answer = await browser.post("/graphql", json={"query": query, "variables": variables})
            data: dict[str, object] = answer.json()["data"]
            return data

        opened = await ask(OPEN, {"input": {"phone": person.phone, "password": PASSWORD, "transport": "COOKIE"}})
        inside = await ask(WHO)
        await ask("mutation { sessionClose(input: {}) { __typename } }")
        outside = await ask(WHO)

    assert opened == {"sessionOpen": {"__typename": "SessionOpened", "token": None, "viewer": {"account": {"name": "李评审"}}}}
    assert inside == {"viewer": {"account": {"name": "李评审"}}}
    assert outside == {"viewer": None}
    assert "registry_session" not in browser.cookies


async def test_a_tool_signs_in_by_token(product: Served) -> None:
    person = await registered_expert(name="赵评审")

    opened = await product.post(OPEN, {"input": {"phone": person.phone, "password": PASSWORD, "transport": "BEARER"}})
    token = opened["data"]["sessionOpen"]["token"]

    assert (await product.post(WHO, headers={"authorization": f"Bearer {token}"}))["data"] == {"viewer": {"account": {"name": "赵评审"}}}


async def test_a_cookie_cannot_be_had_over_a_socket(product: Served) -> None:
    person = await registered_expert()
    asked = {"phone": person.phone, "password": PASSWORD, "transport": "COOKIE"}
    async with product.socket() as ws:
        await begin(ws)
        await say(ws, "subscribe", id="1", payload={"query": OPEN, "variables": {"input": asked}})

        said = await heard(ws)

    assert "NOT_ALLOWED" in str(said["payload"])


async def test_the_page_of_operations_keeps_its_own_stricter_policy(product: Served) -> None:
    async with talk(base_url=product.url, follow_redirects=True) as browser:
        page = await browser.get("/")
        by_browser = await browser.get("/graphql", headers={"accept": "text/html"})

    assert (page.status_code, str(page.url)) == (200, f"{product.url}/graphiql")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert page.headers["x-frame-options"] == "DENY"
    assert str(by_browser.url) == f"{product.url}/graphiql"
