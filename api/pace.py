"""How fast one client may ask: a bucket of tokens for each account, and for each address that asks without a session."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from uuid import UUID

from api.bodies import BadRequestError
from domain.rules.network import network
from settings import Settings

_MOST_BUCKETS = 100_000
_ROUNDING = 1e-6


class TooManyRequestsError(BadRequestError):
    """A client asks too fast; after `retry_after_seconds` it is answered again."""

    def __init__(self, retry_after_seconds: int) -> None:
        message = f"You are asking too fast; try again in {retry_after_seconds} s."
        super().__init__(429, "TOO_MANY_REQUESTS", message, retry_after_seconds=retry_after_seconds)


class Pace:
    """Buckets of one process. Of each only the time is kept at which it will be full again; a full one is forgotten.

    What is refused takes no token, so that a client which keeps hammering is answered at the allowed rate.
    """

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._account_rate = settings.requests_per_second_account
        self._address_rate = settings.requests_per_second_address
        self._burst = settings.request_burst_seconds
        self._clock = clock
        self._full_at: dict[object, float] = {}

    def take_of_account(self, account_id: UUID) -> None:
        """Take a token of an account; raises TooManyRequestsError."""
        self._take(account_id, self._account_rate)

    def take_of_address(self, address: str) -> None:
        """Take a token of an address from which somebody asks who is not known to be signed in; raises TooManyRequestsError."""
        self._take(network(address), self._address_rate)

    def _take(self, client: object, rate: float) -> None:
        if not rate:
            return
        now = self._clock()
        full_at = max(self._full_at.get(client, 0.0), now) + 1 / rate
        wait = full_at - now - max(self._burst, 1 / rate)
        if wait > _ROUNDING:
            raise TooManyRequestsError(math.ceil(wait))
        if len(self._full_at) >= _MOST_BUCKETS and client not in self._full_at:
            self._forget(now)
        self._full_at[client] = full_at

    def _forget(self, now: float) -> None:
        """Drop what is full; all, where an attack from everywhere has filled the room: then the addresses tell nothing."""
        self._full_at = {client: at for client, at in self._full_at.items() if at > now}
        if len(self._full_at) >= _MOST_BUCKETS:
            self._full_at.clear()
