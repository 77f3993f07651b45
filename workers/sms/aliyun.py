"""A gateway to Alibaba Cloud (阿里云短信服务): SendSms of 2017-05-25, signed by ACS3-HMAC-SHA256 ("signature method V3")."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import quote

import orjson

from domain.actions.sms import Accepted, Misconfigured, Outgoing, Refused, Unknown, Unreachable
from domain.rules.delivery import failure_word
from settings import Settings, SettingsError, variable
from workers.sms.templates import Templates
from workers.sms.wire import Answer, Wire, wall_seconds

ADDRESS = "https://dysmsapi.aliyuncs.com/"
_ALGORITHM = "ACS3-HMAC-SHA256"
_UNCLEAR = 500
_NUMBER = frozenset({"isv.MOBILE_NUMBER_ILLEGAL"})
_LATER = frozenset({"isv.BUSINESS_LIMIT_CONTROL", "ServiceUnavailable", "isp.SYSTEM_BUSY"})
_ACCOUNT = (
    *("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidTimeStamp", "MissingAccessKeyId", "Forbidden", "NoPermission"),
    *("isp.RAM_PERMISSION_DENY", "isv.ACCOUNT", "isv.AMOUNT_NOT_ENOUGH", "isv.OUT_OF_SERVICE", "isv.PRODUCT", "isv.DENY_IP_RANGE"),
    *("isv.SMS_SIGN", "isv.DAY_LIMIT_CONTROL", "isv.MONTH_LIMIT_CONTROL"),
)


class Aliyun:
    """Hands messages to Alibaba Cloud under approved templates. Its OutId is our key, but it does not know a repeat by it."""

    name = "aliyun"

    def __init__(self, settings: Settings) -> None:
        if not (settings.sms_key_id and settings.sms_key and settings.sms_sign_name):
            names = ", ".join(variable(each) for each in ("sms_key_id", "sms_key", "sms_sign_name"))
            raise SettingsError(f"Alibaba Cloud needs {names}")
        self._wire = Wire(settings.sms_url or ADDRESS, authorities=settings.sms_ca, seconds=settings.sms_seconds)
        self._key_id, self._key, self._sign_name = settings.sms_key_id, settings.sms_key, settings.sms_sign_name
        self._templates = Templates(settings.sms_templates)
        self._templates.tell_missing()

    async def send(self, message: Outgoing) -> Accepted:
        """One signed POST; raises Refused, Unreachable, Unknown or Misconfigured by the code that comes back."""
        parameters = {name: str(value) for name, value in message.parameters.items()}
        query = canonical_query(
            {
                "PhoneNumbers": message.phone.removeprefix("+86"),
                "SignName": self._sign_name,
                "TemplateCode": self._templates.get(message),
                "TemplateParam": orjson.dumps(parameters).decode(),
                "OutId": message.key,
            }
        )
        headers = {
            "host": self._wire.host,
            "x-acs-action": "SendSms",
            "x-acs-content-sha256": sha256(b"").hexdigest(),
            "x-acs-date": datetime.fromtimestamp(wall_seconds(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "x-acs-signature-nonce": secrets.token_hex(16),
            "x-acs-version": "2017-05-25",
        }
        headers["authorization"] = authorization(self._key_id, self._key, query, headers)
        del headers["host"]  # the wire writes it
        return _read(await self._wire.post(b"", headers, target=f"/?{query}"))


def canonical_query(parameters: Mapping[str, str]) -> str:
    """Parameters by name, percent-encoded after RFC 3986."""
    return "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in sorted(parameters.items()))


def authorization(key_id: str, key: str, query: str, headers: Mapping[str, str]) -> str:
    """The header that signs a POST to `/` without a body; all headers given are signed, their names in lower case."""
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = "\n".join(("POST", "/", query, lines, names, headers["x-acs-content-sha256"]))
    signed = hmac.digest(key.encode(), f"{_ALGORITHM}\n{sha256(request.encode()).hexdigest()}".encode(), "sha256").hex()
    return f"{_ALGORITHM} Credential={key_id},SignedHeaders={names},Signature={signed}"


def _read(answer: Answer) -> Accepted:
    try:
        said = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        raise Unknown(f"HTTP_{answer.status}") from None
    if not isinstance(said, dict) or not isinstance(said.get("Code"), str):
        raise Unknown("ANSWER_UNREADABLE")
    if said["Code"] == "OK":
        return Accepted(str(said.get("BizId") or ""))
    code = failure_word(said["Code"], otherwise=f"HTTP_{answer.status}")
    if code in _NUMBER:
        raise Refused(code)
    if code in _LATER or code.startswith("Throttling"):
        raise Unreachable(code)
    if answer.status >= _UNCLEAR or code.startswith("isp.SYSTEM"):
        raise Unknown(code)
    # Whatever else it objects to, a template or its parameters, holds up messages of that kind alone.
    raise Misconfigured(code, all_alike=code.startswith(_ACCOUNT))
