"""Which of a provider's approved templates stands for which of our messages."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from domain.actions.sms import Misconfigured, Outgoing
from models.enums import SmsTemplate
from settings import SettingsError, variable

_log = structlog.get_logger(__name__)


class Templates:
    """Ids by name, `RETURNED=SMS_1` in Chinese and `RETURNED.en=SMS_2` in English, which falls back on Chinese."""

    def __init__(self, listed: Sequence[str]) -> None:
        """Raises SettingsError for an entry that names no message of ours."""
        self._ids: dict[str, str] = {}
        known = {name for each in SmsTemplate for name in (each.value, f"{each.value}.en")}
        for entry in listed:
            name, _, identity = (part.strip() for part in entry.partition("="))
            if name not in known or not identity:
                raise SettingsError(f"{variable('sms_templates')}: {entry!r} is no `NAME=id` or `NAME.en=id` with the name of a message")
            self._ids[name] = identity

    def tell_missing(self) -> None:
        """Say which messages cannot be sent, before the first of them is due."""
        if missing := [each.value for each in SmsTemplate if each.value not in self._ids]:
            _log.warning("sms templates missing", templates=missing)

    def find(self, message: Outgoing) -> str | None:
        """The id for a message in its language, else in Chinese."""
        name = message.template.value
        return (self._ids.get(f"{name}.en") if message.language == "en" else None) or self._ids.get(name)

    def get(self, message: Outgoing) -> str:
        """As `find`; raises Misconfigured where there is none, which holds up messages of this kind alone."""
        found = self.find(message)
        if found is None:
            raise Misconfigured("TEMPLATE_NOT_SET", all_alike=False)
        return found
