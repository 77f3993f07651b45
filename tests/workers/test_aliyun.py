from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from structlog.testing import capture_logs

from domain.actions.sms import Accepted, GatewayError, Misconfigured, Outgoing, Refused, Unknown, Unreachable
from models.enums import SmsTemplate
from settings import Settings, SettingsError
from tests.workers.provider import FakeProvider, Got, fake_provider
from workers.sms.aliyun import Aliyun, authorization, canonical_query

SECRET = "the AccessKey secret"
NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
MESSAGE = Outgoing(
    phone="+8613812345678",
    template=SmsTemplate.NOTICE_OPENED,
    language="en",
    parameters={"first_day": "2026-01-05", "last_day": "2026-01-09 ~*"},
    text="text",
    key="key-1",
)


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with fake_provider() as found:
        found.says({"Code": "OK", "Message": "OK", "BizId": "900619746936498440^0", "RequestId": "F655A8D5"})
        yield found


def gateway(provider: FakeProvider, **changes: Any) -> Aliyun:
    chosen: dict[str, Any] = {
        "sms_url": provider.url,
        "sms_key_id": "LTAI",
        "sms_key": SECRET,
        "sms_sign_name": "评审专家库",
        "sms_seconds": 0.5,
    }
    return Aliyun(replace(Settings(development=True), **(chosen | {"sms_templates": ("NOTICE_OPENED=SMS_1",)} | changes)))


def test_the_signature_is_that_of_the_providers_own_published_example() -> None:
    query = canonical_query({"RegionId": "cn-shanghai", "ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"})
    headers = {
        "host": "ecs.cn-shanghai.aliyuncs.com",
        "x-acs-action": "RunInstances",
        "x-acs-content-sha256": NOTHING,
        "x-acs-date": "2023-10-26T10:22:32Z",
        "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
        "x-acs-version": "2014-05-26",
    }

    assert authorization("YourAccessKeyId", "YourAccessKeySecret", query, headers) == (
        "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,"
        "SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,"
        "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


def signature_of(got: Got) -> str:
    """What the provider computes from what it got, by its documentation and without our code."""
    names = ["host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version"]
    lines = [f"{name}:{got.headers[name]}" for name in names]
    canonical = "\n".join(["POST", "/", urlsplit(got.path).query, *lines, "", ";".join(names), hashlib.sha256(got.body).hexdigest()])
    to_sign = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
    return hmac.new(SECRET.encode(), to_sign.encode(), hashlib.sha256).hexdigest()


async def test_a_message_goes_out_under_its_approved_template_signed_over_what_really_travels(provider: FakeProvider) -> None:
    accepted = await gateway(provider).send(MESSAGE)

    assert accepted == Accepted("900619746936498440^0")
    [got] = provider.got
    sent = {name: value for name, [value] in parse_qs(urlsplit(got.path).query).items()}
    assert json.loads(sent.pop("TemplateParam")) == {"first_day": "2026-01-05", "last_day": "2026-01-09 ~*"}
    assert sent == {"PhoneNumbers": "13812345678", "SignName": "评审专家库", "TemplateCode": "SMS_1", "OutId": "key-1"}
    assert (got.headers["x-acs-action"], got.headers["x-acs-version"], got.body) == ("SendSms", "2017-05-25", b"")
    assert got.headers["authorization"].endswith(f",Signature={signature_of(got)}")


async def test_every_request_has_a_nonce_of_its_own(provider: FakeProvider) -> None:
    sender = gateway(provider)

    await sender.send(MESSAGE)
    await sender.send(MESSAGE)

    assert len({each.headers["x-acs-signature-nonce"] for each in provider.got}) == 2


async def test_english_has_templates_of_its_own_where_there_are_any(provider: FakeProvider) -> None:
    await gateway(provider, sms_templates=("NOTICE_OPENED=SMS_1", "NOTICE_OPENED.en=SMS_2")).send(MESSAGE)

    assert "TemplateCode=SMS_2&" in provider.got[0].path


async def test_a_message_without_a_template_is_told_at_the_start_and_holds_up_no_other(provider: FakeProvider) -> None:
    with capture_logs() as told:
        sender = gateway(provider)
    with pytest.raises(Misconfigured, match="TEMPLATE_NOT_SET") as failure:
        await sender.send(replace(MESSAGE, template=SmsTemplate.RETURNED))

    assert not failure.value.all_alike
    assert provider.got == []
    [warning] = told
    assert warning["event"] == "sms templates missing"
    assert "RETURNED" in warning["templates"]
    assert "NOTICE_OPENED" not in warning["templates"]


@pytest.mark.parametrize(
    ("status", "code", "raised"),
    [
        (200, "isv.MOBILE_NUMBER_ILLEGAL", Refused),
        (200, "isv.BUSINESS_LIMIT_CONTROL", Unreachable),
        (400, "Throttling.User", Unreachable),
        (503, "ServiceUnavailable", Unreachable),
        (200, "isp.SYSTEM_ERROR", Unknown),
        (500, "InternalError", Unknown),
        (200, "isv.AMOUNT_NOT_ENOUGH", Misconfigured),
        (200, "isv.OUT_OF_SERVICE", Misconfigured),
        (200, "isv.SMS_SIGNATURE_ILLEGAL", Misconfigured),
        (400, "SignatureDoesNotMatch", Misconfigured),
        (404, "InvalidAccessKeyId.NotFound", Misconfigured),
        (403, "isp.RAM_PERMISSION_DENY", Misconfigured),
    ],
)
async def test_its_codes_tell_whether_and_when_it_is_tried_again(
    status: int, code: str, raised: type[GatewayError], provider: FakeProvider
) -> None:
    provider.says({"Code": code, "Message": "13812345678 …", "RequestId": "F655A8D5"}, status)

    with pytest.raises(raised, match=f"^{code}$") as failure:
        await gateway(provider).send(MESSAGE)

    assert type(failure.value) is raised
    if isinstance(failure.value, Misconfigured):
        assert failure.value.all_alike


@pytest.mark.parametrize("code", ["isv.SMS_TEMPLATE_ILLEGAL", "isv.TEMPLATE_MISSING_PARAMETERS", "isv.SOMETHING_NEW"])
async def test_what_it_objects_to_in_one_message_is_put_right_here_and_holds_up_no_other(code: str, provider: FakeProvider) -> None:
    provider.says({"Code": code, "Message": "…"})

    with pytest.raises(Misconfigured, match=f"^{code}$") as failure:
        await gateway(provider).send(MESSAGE)

    assert not failure.value.all_alike


@pytest.mark.parametrize(("status", "answer"), [(502, b"<html>"), (200, b"[]"), (200, b"{}")])
async def test_an_answer_that_is_none_of_its_own_leaves_open_whether_the_message_was_taken(
    status: int, answer: bytes, provider: FakeProvider
) -> None:
    provider.status, provider.answer = status, answer

    with pytest.raises(Unknown):
        await gateway(provider).send(MESSAGE)


@pytest.mark.parametrize("missing", ["sms_key_id", "sms_key", "sms_sign_name"])
def test_it_does_not_start_without_what_it_needs(missing: str, provider: FakeProvider) -> None:
    with pytest.raises(SettingsError, match=f"REGISTRY_{missing.upper()}"):
        gateway(provider, **{missing: ""})
