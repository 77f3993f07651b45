"""Which gateway this installation sends by."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping

from domain.actions.sms import Gateway
from settings import Settings, SettingsError, variable
from workers.sms.aliyun import Aliyun
from workers.sms.bridge import Bridge
from workers.sms.console import Console
from workers.sms.guard import Guarded

AT_ONCE = 15
_BY_NAME: Mapping[str, Callable[[Settings], Gateway]] = {"console": Console, "bridge": Bridge, "aliyun": Aliyun}


def gateway(settings: Settings) -> Gateway:
    """The gateway that `sms_gateway` names, guarded. In development mode also one of our own as `package.module:Class`.

    Raises SettingsError for a name that there is not, and for settings that the gateway cannot work with.
    """
    chosen = _BY_NAME.get(settings.sms_gateway)
    if chosen is None and settings.development:
        chosen = _imported(settings.sms_gateway)
    if chosen is None:
        raise SettingsError(f"{variable('sms_gateway')}={settings.sms_gateway!r} is not known; there are: {', '.join(_BY_NAME)}")
    # Half a lease: whatever is said after a longer time would be said about a row that another worker may have claimed.
    return Guarded(chosen(settings), at_once=AT_ONCE, longest_seconds=settings.outbox_lease_seconds / 2)


def _imported(path: str) -> Callable[[Settings], Gateway] | None:
    module, _, name = path.partition(":")
    if not name:
        return None
    try:
        found: Callable[[Settings], Gateway] = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        return None
    return found
