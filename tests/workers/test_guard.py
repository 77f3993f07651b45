from __future__ import annotations

import asyncio

import pytest

from domain.actions.sms import Accepted, Misconfigured, NotNow, Outgoing, Refused, Unknown, Unreachable
from models.enums import SmsTemplate
from settings import Settings, SettingsError
from workers.sms import gateways
from workers.sms.console import Console
from workers.sms.guard import Guarded

MESSAGE = Outgoing(phone="+8613812345678", template=SmsTemplate.RETURNED, language="zh", parameters={}, text="text", key="key")


class Scripted:
    """Behaves as it is told, and counts."""

    name = "scripted"

    def __init__(self) -> None:
        self.raises: Exception | None = None
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.calls = 0

    async def send(self, message: Outgoing) -> Accepted:
        self.calls += 1
        await self.go_on.wait()
        if self.raises:
            raise self.raises
        return Accepted("reference")


async def fails(guarded: Guarded, how: type[Exception], times: int) -> None:
    for _ in range(times):
        with pytest.raises(how):
            await guarded.send(MESSAGE)


async def test_after_five_failures_in_a_row_nothing_is_tried_until_the_pause_is_over() -> None:
    provider = Scripted()
    guarded = Guarded(provider, at_once=2, longest_seconds=1, pause_seconds=0.05)
    provider.raises = Unreachable("HTTP_503")

    await fails(guarded, Unreachable, 5)
    await fails(guarded, NotNow, 3)
    assert provider.calls == 5

    await asyncio.sleep(0.06)
    provider.raises = None
    assert await guarded.send(MESSAGE) == Accepted("reference")
    assert await guarded.send(MESSAGE) == Accepted("reference")


async def test_after_the_pause_one_message_is_let_through_and_decides_about_the_rest() -> None:
    provider = Scripted()
    guarded = Guarded(provider, at_once=2, longest_seconds=1, pause_seconds=0.05)
    provider.raises = Unreachable("HTTP_503")
    await fails(guarded, Unreachable, 5)
    await asyncio.sleep(0.06)

    provider.go_on.clear()
    trial = asyncio.create_task(guarded.send(MESSAGE))
    await asyncio.sleep(0)
    await fails(guarded, NotNow, 1)
    provider.go_on.set()
    with pytest.raises(Unreachable):
        await trial

    await fails(guarded, NotNow, 1)
    assert provider.calls == 6


@pytest.mark.parametrize("answer", [Refused("EMPTY_NUMBER"), None])
async def test_a_provider_that_answers_is_not_down(answer: Exception | None) -> None:
    provider = Scripted()
    guarded = Guarded(provider, at_once=2, longest_seconds=1)
    provider.raises = Unreachable("HTTP_503")
    await fails(guarded, Unreachable, 4)

    provider.raises = answer
    if answer:
        await fails(guarded, Refused, 1)
    else:
        await guarded.send(MESSAGE)

    provider.raises = Unreachable("HTTP_503")
    await fails(guarded, Unreachable, 4)


async def test_a_provider_that_would_take_nothing_is_not_asked_for_every_message() -> None:
    provider = Scripted()
    guarded = Guarded(provider, at_once=2, longest_seconds=1)
    provider.raises = Misconfigured("NO_CREDIT")

    await fails(guarded, Misconfigured, 5)
    await fails(guarded, NotNow, 3)

    assert provider.calls == 5


async def test_a_template_that_a_provider_does_not_take_holds_up_no_other_message() -> None:
    provider = Scripted()
    guarded = Guarded(provider, at_once=2, longest_seconds=1)
    provider.raises = Misconfigured("TEMPLATE_NOT_SET", all_alike=False)

    await fails(guarded, Misconfigured, 8)

    assert provider.calls == 8


async def test_an_answer_that_takes_too_long_is_unknown() -> None:
    provider = Scripted()
    guarded = Guarded(provider, at_once=2, longest_seconds=0.02)
    provider.go_on.clear()

    with pytest.raises(Unknown, match="TIMEOUT"):
        await guarded.send(MESSAGE)


async def test_a_slow_provider_holds_only_so_many_messages_and_the_others_come_later() -> None:
    provider = Scripted()
    guarded = Guarded(provider, at_once=2, longest_seconds=1)
    provider.go_on.clear()
    under_way = [asyncio.create_task(guarded.send(MESSAGE)) for _ in range(2)]
    await asyncio.sleep(0)

    with pytest.raises(NotNow, match="BUSY"):
        await guarded.send(MESSAGE)

    provider.go_on.set()
    assert await asyncio.gather(*under_way) == [Accepted("reference")] * 2
    assert await guarded.send(MESSAGE) == Accepted("reference")


async def test_the_console_shows_a_message_in_clear_in_development(capsys: pytest.CaptureFixture[str]) -> None:
    accepted = await Console(Settings(development=True)).send(MESSAGE)

    assert accepted == Accepted("console-key")
    shown = capsys.readouterr().out
    assert "SMS RETURNED → +8613812345678\n" in shown
    assert "│ text\n" in shown


async def test_the_console_withholds_number_and_words_in_production(capsys: pytest.CaptureFixture[str]) -> None:
    await Console(Settings(development=False)).send(MESSAGE)

    shown = capsys.readouterr().out
    assert "SMS RETURNED → 138****5678\n" in shown
    assert "│ text" not in shown


async def test_the_console_breaks_long_lines_at_its_width_without_losing_anything(capsys: pytest.CaptureFixture[str]) -> None:
    words = "验证码 123456，" * 9 + "an English sentence with several words behind it"
    message = Outgoing(phone="+8613812345678", template=SmsTemplate.RETURNED, language="zh", parameters={}, text=words, key="key")

    await Console(Settings(development=True)).send(message)

    lines = [each.removeprefix("│ ") for each in capsys.readouterr().out.splitlines() if each.startswith("│ ")][1:]
    assert len(lines) == 3
    assert "".join(lines).replace(" ", "") == words.replace(" ", "")


def test_a_gateway_is_chosen_by_name() -> None:
    assert gateways.gateway(Settings(development=False, sms_gateway="console")).name == "console"


@pytest.mark.parametrize(
    ("name", "development"),
    [
        ("carrier-pigeon", True),
        ("tests.workers.gateways:Missing", True),
        ("no.such:Thing", True),
        ("tests.workers.gateways:Provider", False),
    ],
)
def test_an_unknown_gateway_stops_the_start_and_names_the_variable(name: str, development: bool) -> None:
    with pytest.raises(SettingsError, match=r"REGISTRY_SMS_GATEWAY=.* there are: console"):
        gateways.gateway(Settings(development=development, sms_gateway=name))


def test_development_may_name_a_gateway_of_its_own() -> None:
    assert gateways.gateway(Settings(development=True, sms_gateway="tests.workers.gateways:Provider")).name == "provider"
