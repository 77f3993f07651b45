"""What stands before every gateway: so many messages at once, a longest time, and a pause while the provider is down."""

from __future__ import annotations

import asyncio
import random
import time
from datetime import timedelta

import structlog

import tracing
from domain.actions.sms import Accepted, Gateway, Misconfigured, NotNow, Outgoing, Refused, Unknown

_log = structlog.get_logger(__name__)


class Guarded:
    """A gateway behind a circuit breaker. `at_once`: messages under way; after `failures` in a row nothing is tried for `pause_seconds`.

    After the pause one message is let through; its outcome decides about the rest.
    """

    def __init__(self, gateway: Gateway, *, at_once: int, longest_seconds: float, failures: int = 5, pause_seconds: float = 30.0) -> None:
        self._gateway = gateway
        self._free = at_once
        self._longest_seconds = longest_seconds
        self._allowed_failures = failures
        self._pause_seconds = pause_seconds
        self._failures = 0
        self._closed_until = 0.0
        self.name = gateway.name

    async def send(self, message: Outgoing) -> Accepted:
        """Send through the gateway; NotNow where that is not to be tried, Unknown where no answer came in time."""
        self._admit()
        self._free -= 1
        try:
            async with asyncio.timeout(self._longest_seconds):
                with tracing.span("send SMS", gateway=self.name):
                    accepted = await self._gateway.send(message)
        except TimeoutError:
            self._failed()
            raise Unknown("TIMEOUT") from None
        except (Refused, NotNow):
            self._failures = 0  # it answers
            raise
        except Misconfigured as fault:
            if fault.all_alike:
                self._failed()  # others need not be tried, nor use up their attempts, before somebody has put it right
            else:
                self._failures = 0
            raise
        except Exception:
            self._failed()
            raise
        finally:
            self._free += 1
        self._failures = 0
        return accepted

    def _admit(self) -> None:
        if self._free <= 0:
            raise NotNow("BUSY", timedelta(seconds=0.2 + random.random()))  # noqa: S311  spreads load, keeps no secret
        if self._failures < self._allowed_failures:
            return
        left = self._closed_until - time.monotonic()
        if left > 0:
            raise NotNow("PROVIDER_DOWN", timedelta(seconds=left + random.random()))  # noqa: S311  as above
        self._closed_until = time.monotonic() + self._pause_seconds  # this message is the trial, the others wait for it

    def _failed(self) -> None:
        self._failures += 1
        if self._failures >= self._allowed_failures:
            self._closed_until = time.monotonic() + self._pause_seconds
            _log.warning("sms provider paused", provider=self.name, seconds=self._pause_seconds)
