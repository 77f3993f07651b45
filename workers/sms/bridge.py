"""A gateway to a bridge: signed JSON over HTTPS, which a province puts in front of whatever provider it has (docs/sms.md)."""

from __future__ import annotations

import orjson

import tracing
from domain.actions.sms import Accepted, Misconfigured, Outgoing, Refused, Unknown, Unreachable
from domain.rules.delivery import failure_word
from domain.rules.signatures import Spoken, signature
from settings import Settings, SettingsError, variable
from workers.sms.templates import Templates
from workers.sms.wire import Answer, Wire, wall_seconds

_LATER = frozenset({429, 503})
_UNCLEAR = 500
_NEVER = 422
_TAKEN = range(200, 300)


class Bridge:
    """Hands messages to the address of the settings. A repeat bears the same key, by which the bridge knows it."""

    name = "bridge"

    def __init__(self, settings: Settings) -> None:
        if not settings.sms_key or not settings.sms_key_id:
            raise SettingsError(f"{variable('sms_key_id')} and {variable('sms_key')} are needed to sign what goes to the bridge")
        self._wire = Wire(settings.sms_url, authorities=settings.sms_ca, seconds=settings.sms_seconds)
        self._key_id, self._key = settings.sms_key_id, settings.sms_key
        self._templates = Templates(settings.sms_templates)

    async def send(self, message: Outgoing) -> Accepted:
        """One signed POST; raises Refused, Unreachable, Unknown or Misconfigured by the status that comes back."""
        body = orjson.dumps(
            {
                "key": message.key,
                "phone": message.phone,
                "template": message.template.value,
                "templateId": self._templates.find(message),
                "language": message.language,
                "parameters": message.parameters,
                "text": message.text,
            }
        )
        return _read(await self._wire.post(body, self._headers(body, message)))

    def _headers(self, body: bytes, message: Outgoing) -> dict[str, str]:
        at = wall_seconds()
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": message.key,
            "X-Registry-Key": self._key_id,
            "X-Registry-Time": str(at),
            "X-Registry-Signature": signature(self._key, Spoken.MESSAGE, at=at, target=self._wire.target, body=body),
        }
        identity = tracing.correlation_id()
        return headers | ({"X-Request-Id": identity} if identity else {})


def _read(answer: Answer) -> Accepted:
    try:
        said = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        said = None
    facts = said if isinstance(said, dict) else {}
    code = failure_word(facts.get("error"), otherwise=f"HTTP_{answer.status}")
    if answer.status in _TAKEN:
        reference = facts.get("reference")
        if not isinstance(reference, str) or not reference:
            raise Unknown("ANSWER_UNREADABLE")
        return Accepted(reference)
    if answer.status == _NEVER:
        raise Refused(code)
    if answer.status in _LATER:
        raise Unreachable(code)
    if answer.status >= _UNCLEAR:
        raise Unknown(code)
    raise Misconfigured(code)  # credentials, credit, address, a redirect: the same for every message
