from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from api.app import application
from domain.actions import demonstration, sessions
from models.accounts import PhoneCode, Session
from models.enums import CodePurpose
from schema.root import schema
from settings import Settings, settings
from tests.people import PASSWORD, SignedIn, code_sent, officer, registered_expert, sign_in, some_id_number, some_phone

PROBLEM = "... on Problem { code message }"
FIELDS = "... on InvalidInput { fields { path code message } }"


class Browser:
    """A page or another client: keeps cookies, or sends a token where it has one."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.token: str | None = None

    async def post(self, query: str, language: str = "zh", **variables: Any) -> httpx.Response:
        headers = {"Accept-Language": language, "X-Registry-Client": "test"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        return await self.http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)

    async def ask(self, query: str, language: str = "zh", **variables: Any) -> Any:
        """The data of an operation without errors."""
        answer = (await self.post(query, language, **variables)).json()
        assert "errors" not in answer, answer
        return answer["data"]

    async def do(self, mutation: str, input: dict[str, Any], selection: str = "__typename", language: str = "zh") -> Any:
        """The answer of one mutation."""
        kind = f"{mutation[0].upper()}{mutation[1:]}Input!"
        query = f"mutation M($input: {kind}) {{ answer: {mutation}(input: $input) {{ __typename {selection} {PROBLEM} }} }}"
        return (await self.ask(query, language, input=input))["answer"]

    async def who(self) -> str | None:
        """The name of who is signed in."""
        viewer = (await self.ask("{ viewer { account { name } } }"))["viewer"]
        return None if viewer is None else str(viewer["account"]["name"])


@pytest.fixture
async def browser(database: Settings) -> AsyncIterator[Browser]:
    transport = httpx.ASGITransport(application(schema, settings()))
    async with httpx.AsyncClient(transport=transport, base_url=settings().origin) as opened:
        yield Browser(opened)


def signed_in(browser: Browser, person: SignedIn) -> Browser:
    """The same client as this person."""
    browser.token = person.token
    return browser


async def test_a_newcomer_registers_with_what_the_schema_tells_signs_in_and_leaves(browser: Browser) -> None:
    phone, number = some_phone(), some_id_number()
    sent = await browser.do("phoneCodeSend", {"phone": phone, "purpose": "REGISTER"}, "... on PhoneCodeSent { resendAfterSeconds }")
    message = (await browser.ask("query M($phone: String) { developmentMessages(phone: $phone) { text template } }", phone=phone))[
        "developmentMessages"
    ][0]
    code = next(word for word in message["text"].replace("，", " ").split() if word.isdecimal())
    terms = (await browser.ask("{ privacyTermsVersion }"))["privacyTermsVersion"]

    registered = await browser.do(
        "accountRegister",
        {
            "phone": phone,
            "code": code,
            "password": PASSWORD,
            "name": "欧阳娜娜",
            "idNumber": number,
            "termsVersion": terms,
            "sensitiveDataAccepted": True,
        },
        "... on Account { role name phoneMasked phone }",
    )
    opened = await browser.do(
        "sessionOpen",
        {"phone": phone, "password": PASSWORD, "transport": "COOKIE", "device": "测试浏览器"},
        """... on SessionOpened {
            token session { device transport current } viewer { account { phone idNumber } expert { standing } pool { code } }
        }""",
    )

    assert sent == {"__typename": "PhoneCodeSent", "resendAfterSeconds": 60}
    assert message["template"] == "PHONE_CODE"
    assert registered == {
        "__typename": "Account",
        "role": "EXPERT",
        "name": "欧阳娜娜",
        "phoneMasked": f"{phone[3:6]}****{phone[-4:]}",
        "phone": None,  # nobody is signed in yet
    }
    assert opened == {
        "__typename": "SessionOpened",
        "token": None,
        "session": {"device": "测试浏览器", "transport": "COOKIE", "current": True},
        "viewer": {"account": {"phone": phone, "idNumber": number}, "expert": {"standing": "TEMPORARY"}, "pool": None},
    }
    assert await browser.who() == "欧阳娜娜"
    closed = await browser.do("sessionClose", {"clientMutationId": "7"}, "... on SessionClosed { clientMutationId }")
    assert closed == {"__typename": "SessionClosed", "clientMutationId": "7"}
    assert dict(browser.http.cookies) == {}
    assert await browser.who() is None


async def test_the_cookie_is_out_of_reach_of_pages_and_a_second_sign_in_replaces_it(browser: Browser) -> None:
    await demonstration.prepare()
    first, second = demonstration.ACCOUNTS[1], demonstration.ACCOUNTS[3]
    mutation = "mutation M($input: SessionOpenInput!) { sessionOpen(input: $input) { __typename } }"

    answer = await browser.post(mutation, input={"phone": first.phone, "password": first.password, "transport": "COOKIE"})
    cookie = dict(browser.http.cookies)["registry_session"]
    await browser.post(mutation, input={"phone": second.phone, "password": second.password, "transport": "COOKIE"})

    assert {"httponly", "samesite=lax", "max-age=1209600"} <= {each.strip().lower() for each in answer.headers["set-cookie"].split(";")}
    assert cookie not in answer.text
    assert (await sessions.authenticate(cookie))[0] is None
    assert await browser.who() == second.name


async def test_a_tool_gets_a_token_and_no_cookie(browser: Browser) -> None:
    person = await registered_expert()

    opened = await browser.do(
        "sessionOpen",
        {"phone": person.phone, "password": PASSWORD, "transport": "BEARER"},
        "... on SessionOpened { token session { device } }",
    )

    assert opened["session"]["device"].startswith("python-httpx/")
    assert dict(browser.http.cookies) == {}
    browser.token = opened["token"]
    assert await browser.who() == "张三"


async def test_own_sessions_are_listed_and_revoked_and_those_of_others_are_not_there(browser: Browser) -> None:
    person, stranger = await registered_expert(), await registered_expert(name="李四")
    other = await sign_in(person.phone)
    signed_in(browser, person)
    listing = "{ viewer { sessions { id current endedAt } } }"

    before = (await browser.ask(listing))["viewer"]["sessions"]
    foreign = await browser.do("sessionRevoke", {"sessionId": f"Session_{stranger.viewer.session_id}"})
    nonsense = [await browser.do("sessionRevoke", {"sessionId": each}) for each in ("", "Session_", "Account_" + str(person.account.id))]
    revoked = await browser.do(
        "sessionRevoke", {"sessionId": f"Session_{other.viewer.session_id}"}, "... on Session { id current endedAt }"
    )
    node = "query N($id: ID!) { node(id: $id) { id } }"
    seen = [(await browser.ask(node, id=f"Session_{each}"))["node"] for each in (person.viewer.session_id, stranger.viewer.session_id)]

    assert {each["id"]: each["current"] for each in before} == {
        f"Session_{person.viewer.session_id}": True,
        f"Session_{other.viewer.session_id}": False,
    }
    assert [each["code"] for each in (foreign, *nonsense)] == ["NOT_FOUND"] * 4
    assert (revoked["id"], revoked["current"]) == (f"Session_{other.viewer.session_id}", False)
    assert revoked["endedAt"] is not None
    assert [each["id"] for each in (await browser.ask(listing))["viewer"]["sessions"]] == [f"Session_{person.viewer.session_id}"]
    assert seen == [{"id": f"Session_{person.viewer.session_id}"}, None]
    assert (await Session.get(id=stranger.viewer.session_id)).ended_at is None


async def test_all_devices_or_all_others_are_left_at_once(browser: Browser) -> None:
    person = await registered_expert()
    await sign_in(person.phone)
    signed_in(browser, person)

    told = "... on SessionsClosed { count viewer { sessions { current } } }"
    others = await browser.do("sessionCloseAll", {"keepThis": True}, told)
    everything = await browser.do("sessionCloseAll", {}, told)
    again = await browser.do("sessionCloseAll", {})

    assert (others["count"], others["viewer"]) == (1, {"sessions": [{"current": True}]})
    assert (everything["count"], everything["viewer"]) == (1, None)
    assert again["code"] == "NOT_SIGNED_IN"


@pytest.mark.parametrize(
    ("mutation", "input"),
    [
        ("sessionClose", {}),
        ("sessionCloseAll", {}),
        ("sessionRevoke", {"sessionId": "Session_0"}),
        ("phoneChange", {"newPhone": "13800000009", "code": "123456", "password": PASSWORD}),
    ],
)
async def test_what_needs_somebody_signed_in_says_so(browser: Browser, mutation: str, input: dict[str, Any]) -> None:
    answer = await browser.do(mutation, input)

    assert (answer["__typename"], answer["code"]) == ("NotSignedIn", "NOT_SIGNED_IN")


async def test_problems_are_typed_and_told_in_the_language_asked_for(browser: Browser) -> None:
    wrong = {"phone": "0431-88904114", "code": "1", "password": "short", "name": "张三", "idNumber": "220102750312001", "termsVersion": "x"}
    phone = some_phone()

    chinese = await browser.do("accountRegister", wrong, FIELDS)
    english = await browser.do("accountRegister", wrong, FIELDS, language="en-GB,en;q=0.8")
    await browser.do("phoneCodeSend", {"phone": phone, "purpose": "SIGN_IN"})
    too_soon = await browser.do("phoneCodeSend", {"phone": phone, "purpose": "SIGN_IN"}, "... on TooSoon { retryAfterSeconds }")
    refused = await browser.do("sessionOpen", {"phone": phone, "password": "wrong horse battery", "transport": "BEARER"})
    rejected = await browser.do("sessionOpen", {"phone": phone, "code": "x", "transport": "BEARER"})

    assert (chinese["__typename"], chinese["code"]) == ("InvalidInput", "INVALID_INPUT")
    assert {each["path"]: each["code"] for each in chinese["fields"]} == {
        "phone": "PHONE_NOT_MOBILE",
        "idNumber": "ID_NUMBER_15_DIGITS",
        "password": "PASSWORD_LENGTH",
        "termsVersion": "TERMS_VERSION",
        "sensitiveDataAccepted": "SENSITIVE_DATA_NOT_ACCEPTED",
    }
    assert all(not each["message"].isascii() for each in chinese["fields"])
    assert all(each["message"].isascii() for each in english["fields"])
    assert (too_soon["__typename"], 55 <= too_soon["retryAfterSeconds"] <= 60) == ("TooSoon", True)
    assert refused["__typename"] == "SignInRefused"
    assert rejected["__typename"] == "CodeRejected"


async def test_the_answer_to_a_code_and_to_a_sign_in_is_the_same_for_known_and_unknown_phones(browser: Browser) -> None:
    known, unknown = demonstration.ACCOUNTS[0].phone, some_phone()
    await demonstration.prepare()

    sent = [
        await browser.do("phoneCodeSend", {"phone": each, "purpose": "OBJECT"}, "... on PhoneCodeSent { resendAfterSeconds }")
        for each in (known, unknown)
    ]
    refused = [
        await browser.do("sessionOpen", {"phone": each, "password": "wrong horse battery", "transport": "BEARER"})
        for each in (known, unknown)
    ]

    assert sent[0] == sent[1]
    assert refused[0] == refused[1]


async def test_without_a_code_registering_and_a_new_password_tell_nothing_of_a_phone(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, unknown, hashed = (await registered_expert()).phone, some_phone(), []

    async def counted(password: str) -> str:
        hashed.append(password)
        return password

    monkeypatch.setattr("domain.actions.accounts.hash_password", counted)
    new = {"code": "x", "password": "another horse battery"}
    person = {
        "name": "张三",
        "idNumber": some_id_number(),
        "termsVersion": settings().privacy_terms_version,
        "sensitiveDataAccepted": True,
    }

    answers = [
        (
            await browser.do("accountRegister", {"phone": each, **new, **person}, FIELDS),
            await browser.do("passwordReset", {"phone": each, **new}),
        )
        for each in (known, unknown)
    ]

    assert answers[0] == answers[1]
    assert [each["code"] for each in answers[0]] == ["CODE_REJECTED", "CODE_REJECTED"]
    assert hashed == []


async def test_password_and_phone_are_renewed_through_the_doors(browser: Browser) -> None:
    person, new = await registered_expert(), some_phone()
    await browser.do("phoneCodeSend", {"phone": new, "purpose": "CHANGE_PHONE"})
    text = (await demonstration.latest_messages(new))[0].text
    code = next(word for word in text.replace("，", " ").split() if word.isdecimal())
    signed_in(browser, person)

    changed = await browser.do("phoneChange", {"newPhone": new, "code": code, "password": PASSWORD}, "... on Account { phone phoneMasked }")
    unproven = await browser.do("phoneChange", {"newPhone": some_phone(), "code": "123456"}, FIELDS)
    reset = await browser.do("passwordReset", {"phone": new, "code": "123456", "password": "another horse battery"})

    assert (changed["phone"], changed["phoneMasked"]) == (new, f"{new[3:6]}****{new[-4:]}")
    assert [(each["path"], each["code"]) for each in unproven["fields"]] == [("password", "ONE_PROOF")]
    assert reset["code"] == "CODE_REJECTED"


async def test_a_right_code_resets_the_password_through_the_door(browser: Browser, now: datetime) -> None:
    person = await registered_expert()
    code = await code_sent(person.phone, CodePurpose.RESET_PASSWORD, now=now + timedelta(minutes=2))

    reset = await browser.do("passwordReset", {"phone": person.phone, "code": code, "password": "another horse battery"})

    assert reset == {"__typename": "PasswordWasReset"}
    await sign_in(person.phone, "another horse battery")


async def test_personal_data_are_clear_for_their_owner_alone(browser: Browser) -> None:
    expert, local = await registered_expert(), await officer()
    account = f"Account_{expert.account.id}"
    query = "query N($id: ID!) { node(id: $id) { ... on Account { phone idNumber phoneMasked } } }"

    own = (await signed_in(browser, expert).ask(query, id=account))["node"]
    foreign = (await signed_in(browser, local).ask(query, id=account))["node"]
    browser.token = None
    nobody = (await browser.post(query, id=account)).json()

    assert own == {
        "phone": expert.phone,
        "idNumber": expert.account.id_number,
        "phoneMasked": f"{expert.phone[3:6]}****{expert.phone[-4:]}",
    }
    assert foreign is None
    assert (nobody["data"], nobody["errors"][0]["extensions"]) == ({"node": None}, {"code": "NOT_SIGNED_IN"})


async def test_the_clock_moves_in_development_alone(browser: Browser, change_settings: Callable[..., Settings]) -> None:
    moved = await browser.do("developmentClockMove", {"seconds": 60}, "... on DevelopmentClockMoved { now }")
    back = await browser.do("developmentClockMove", {"seconds": -60}, FIELDS)
    production = change_settings(development=False)
    transport = httpx.ASGITransport(application(schema, production))
    async with httpx.AsyncClient(transport=transport, base_url=settings().origin) as opened:
        refused = await Browser(opened).do("developmentClockMove", {"seconds": 60})
        messages = (await Browser(opened).post("{ developmentMessages { text } }")).json()

    assert moved["__typename"] == "DevelopmentClockMoved"
    assert [(each["path"], each["code"]) for each in back["fields"]] == [("seconds", "CLOCK_RANGE")]
    assert (refused["__typename"], refused["code"]) == ("NotAllowed", "DEVELOPMENT_ONLY")
    assert (messages["data"], messages["errors"][0]["extensions"]["code"]) == (None, "DEVELOPMENT_ONLY")


async def test_wrong_codes_from_elsewhere_leave_two_tries_to_who_asked(browser: Browser, now: datetime) -> None:
    given = {"phone": some_phone(), "code": "x"}
    register = {"name": "张三", "idNumber": some_id_number(), "termsVersion": settings().privacy_terms_version}
    doors: dict[CodePurpose, tuple[str, dict[str, Any]]] = {
        CodePurpose.SIGN_IN: ("sessionOpen", {"transport": "BEARER"}),
        CodePurpose.RESET_PASSWORD: ("passwordReset", {"password": PASSWORD}),
        CodePurpose.REGISTER: ("accountRegister", register | {"password": PASSWORD, "sensitiveDataAccepted": True}),
    }

    for number, (purpose, (mutation, rest)) in enumerate(doors.items()):
        await code_sent(given["phone"], purpose, now=now + timedelta(minutes=number))
        answers = [await browser.do(mutation, given | rest) for _ in range(4)]
        kept = await PhoneCode.filter(purpose=purpose).order_by("-id").first()
        assert [each["code"] for each in answers] == ["CODE_REJECTED"] * 4
        assert kept is not None
        assert (kept.wrong_tries, kept.wrong_elsewhere) == (3, 3)
