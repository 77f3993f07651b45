"""GraphiQL in a real browser, cut off from every other host: as an officer uses it through a day."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from domain.actions import demonstration, phone_codes
from domain.actions.demonstration import ACCOUNTS
from domain.rules import second_factor
from domain.rules.phone import mobile
from models.accounts import PhoneCode
from models.applications import Application
from models.enums import Stage
from models.sealing import phone_hash
from settings import Settings
from tests.cases import submitted_case
from tests.serving import Served, processes

playwright = pytest.importorskip("playwright.async_api", reason="the browser tests need the development packages: `python3 run.py test`")
CHROMIUM = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (Debian: `apt install chromium`)")

SCREENSHOT = os.environ.get("GRAPHIQL_SCREENSHOT")
"""Where to write the picture of README: `GRAPHIQL_SCREENSHOT=docs/images/graphiql.png`; not set, none is taken."""
EXPERT, OFFICER = ACCOUNTS[0], ACCOUNTS[1]


class Browser:
    """One page and everything that went wrong on it."""

    def __init__(self, page: Any, served: Served) -> None:
        self.page, self.served = page, served
        self.complaints: list[str] = []
        page.on("console", lambda said: self.complaints.append(f"{said.type}: {said.text}") if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))

    async def stay_home(self, route: Any) -> None:
        """Let nothing out to other hosts, as on an isolated network."""
        if route.request.url.startswith((self.served.url, "data:")):
            await route.continue_()
        else:
            self.complaints.append(f"asked for {route.request.url}")
            await route.abort()

    async def open_operation(self, title: str, name: str) -> None:
        """Choose a ready operation from the panel."""
        await self.page.click(f".ready-operations button:has-text('{title}')")
        await self.page.wait_for_selector(f".graphiql-tab-active:has-text('{name}')")
        await self.page.wait_for_timeout(500)  # GraphiQL looks a tenth of a second later which operation its editor holds

    async def run(self, wanted: str, variables: Any = None) -> str:
        """Run the open operation until the answer holds a text; the whole answer."""
        if variables is not None:
            editor = self.page.locator(".graphiql-editor-tool .CodeMirror").first
            await editor.evaluate("(each, text) => each.CodeMirror.setValue(text)", json.dumps(variables, ensure_ascii=False))
        await self.page.click(".graphiql-execute-button")
        return await self.shown(wanted)

    async def shown(self, wanted: str) -> str:
        """The whole answer, as soon as it holds a text."""
        return await self.told("document.querySelector('.result-window .CodeMirror').CodeMirror.getValue()", wanted)

    async def told(self, what: str, wanted: str) -> str:
        """The value of a JavaScript expression as soon as it holds a text."""
        # Playwright's own waiting evaluates strings, which the page's policy forbids.
        deadline = time.monotonic() + 15
        while wanted not in (found := str(await self.page.evaluate(what))):
            assert time.monotonic() < deadline, (found, self.complaints)
            await asyncio.sleep(0.05)
        return found


@pytest.fixture(scope="module")
async def served(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """The product, with the demonstration accounts."""
    await demonstration.prepare()
    with processes(database, tmp_path_factory.mktemp("served")) as start:
        yield start()


@pytest.fixture
async def guarded(database: Settings, tmp_path: Path) -> AsyncIterator[Served]:
    """The product where staff sign in with two factors."""
    await demonstration.prepare()
    with processes(database, tmp_path) as start:
        yield start(staff_second_factor="1")


@pytest.fixture
async def browser(served: Served) -> AsyncIterator[Browser]:
    """A fresh browser on the page."""
    async with opened(served) as browser:
        yield browser


@asynccontextmanager
async def opened(served: Served) -> AsyncIterator[Browser]:
    """A fresh browser on the page; at its end nothing may have been complained of."""
    async with playwright.async_playwright() as driver:
        chromium = await driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        context = await chromium.new_context(viewport={"width": 1360, "height": 800}, locale="zh-CN")
        browser = Browser(await context.new_page(), served)
        await context.route("**/*", browser.stay_home)
        await browser.page.goto(f"{served.url}/graphiql")
        await browser.page.wait_for_selector(".ready-operations button")
        yield browser
        await chromium.close()
    assert browser.complaints == []


async def test_an_officer_signs_in_reads_the_queue_and_approves_a_case(browser: Browser) -> None:
    for name, employer in (("宋建华", "吉林省建筑设计研究院"), ("李慧敏", "长春市政工程有限公司")):
        await submitted_case(name=name, employer=employer)
    _, case = await submitted_case(name="王立新", employer="吉林大学")
    page = browser.page

    await sign_in(page, OFFICER)
    await page.wait_for_selector("#viewer:visible")
    await browser.open_operation("本机构待办", "MyQueue")
    queue = json.loads(await browser.run("王立新"))
    if SCREENSHOT:
        await page.screenshot(path=Path(SCREENSHOT))
    await browser.open_operation("通过", "Approve")
    seen = {"applicationId": f"Application_{case.id}", "stage": "FIRST_REVIEW", "opinion": "同意"}
    approved = json.loads(await browser.run("SECOND_REVIEW", {"input": seen}))

    assert OFFICER.name in await page.inner_text("#viewer")
    assert [each["applicant"] for each in queue["data"]["applications"]["nodes"]] == ["宋建华", "李慧敏", "王立新"]
    assert approved["data"]["applicationApprove"]["applicant"] == "王立新"
    assert (await Application.get(id=case.id)).stage is Stage.SECOND_REVIEW


async def test_a_demonstration_account_is_one_click_and_leaving_forgets_what_was_on_the_screen(browser: Browser) -> None:
    page = browser.page

    await page.click("#accounts button >> nth=0")
    await page.wait_for_selector("#viewer:visible")
    await browser.open_operation("我的申请与缺项", "MyCase")
    mine = json.loads(await browser.run("TEMPORARY"))
    await page.click("#sign-out button")
    await page.wait_for_selector("#sign-in:visible")
    await page.wait_for_selector(".ready-operations button")
    await browser.open_operation("我的申请与缺项", "MyCase")
    nobody = json.loads(await browser.run("viewer"))

    assert mine["data"]["viewer"]["account"]["name"] == EXPERT.name
    assert nobody == {"data": {"viewer": None}}


async def test_a_case_that_moves_shows_in_an_open_subscription(browser: Browser) -> None:
    page = browser.page
    await page.click("#accounts button >> nth=1")
    await page.wait_for_selector("#viewer:visible")
    await browser.open_operation("订阅待办变化", "QueueChanged")
    await page.click(".graphiql-execute-button")
    await page.wait_for_selector("[aria-label^='Stop query']")
    await page.wait_for_timeout(500)  # the socket opens after the button has changed

    await submitted_case(name="周晓东")

    assert json.loads(await browser.shown("周晓东"))["data"]["queueChanged"]["stage"] == "FIRST_REVIEW"


async def test_a_wrong_password_is_told_in_the_bar(browser: Browser) -> None:
    page = browser.page

    await page.fill("[name=phone]", EXPERT.phone)
    await page.fill("[name=password]", "not the password")
    await page.click("#sign-in button")
    await browser.told("document.getElementById('problem').textContent", "SIGN_IN_REFUSED")

    assert await page.is_visible("#sign-in")


async def test_an_officer_sets_up_the_second_factor_and_signs_in_with_it_from_then_on(guarded: Served) -> None:
    async with opened(guarded) as browser:
        page = browser.page
        await sign_in(page, OFFICER)
        await page.wait_for_selector("#enrolment:visible")
        secret = second_factor.read((await page.inner_text("#secret")).replace(" ", ""))
        first = second_factor.step_of(datetime.now(UTC))

        await page.click("#send-code")
        await page.fill("[name=phone-code]", await code_on(OFFICER.phone))
        await page.fill("[name=code]", second_factor.code_at(secret, first - 10))
        await page.click("#second-factor button:not([type])")
        await browser.told("document.getElementById('problem').textContent", "SECOND_FACTOR_REJECTED")
        await page.fill("[name=code]", second_factor.code_at(secret, first))
        await page.press("[name=code]", "Enter")
        await page.wait_for_selector("#viewer:visible")
        set_up = await page.inner_text("#viewer")
        await page.click("#sign-out button")
        await page.wait_for_selector("#sign-in:visible")
        await sign_in(page, OFFICER)
        await page.wait_for_selector("#second-factor:visible")
        told_again = await page.is_visible("#enrolment")
        await page.fill("[name=code]", second_factor.code_at(secret, first + 1))
        await page.press("[name=code]", "Enter")
        await page.wait_for_selector("#viewer:visible")

        assert OFFICER.name in set_up
        assert not told_again
        assert OFFICER.name in await page.inner_text("#viewer")
        assert not await page.is_visible("#second-factor")


async def test_a_sign_in_that_waits_for_its_second_factor_can_be_begun_anew(guarded: Served) -> None:
    async with opened(guarded) as browser:
        page = browser.page
        await page.click("#accounts button >> nth=1")
        await page.wait_for_selector("#second-factor:visible")
        await page.evaluate("() => window.dispatchEvent(new Event('focus'))")  # back from looking at the phone
        await page.wait_for_timeout(300)
        stayed = [await page.is_visible(each) for each in ("#sign-in", "#second-factor")]

        await page.click("#anew")

        assert stayed == [False, True]
        assert [await page.is_visible(each) for each in ("#sign-in", "#second-factor")] == [True, False]


async def code_on(phone: str) -> str:
    """The code that was sent last, as the holder of the phone reads it."""
    async with asyncio.timeout(10):
        while (issued := await PhoneCode.filter(phone_hash=phone_hash(mobile(phone))).order_by("-id").first()) is None:  # noqa: ASYNC110  another process writes it
            await asyncio.sleep(0.05)
    return phone_codes.code_of(issued.id)


async def sign_in(page: Any, who: demonstration.DemonstrationAccount) -> None:
    """By phone and password."""
    await page.fill("[name=phone]", who.phone)
    await page.fill("[name=password]", who.password)
    await page.click("#sign-in button")
