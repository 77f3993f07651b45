"""One bounded HTTPS request to a provider: certificates verified, no redirects, no proxies, an answer of limited size and time."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import h11

from domain.actions.sms import Misconfigured, Unknown, Unreachable
from settings import SettingsError, variable

LONGEST_ANSWER = 64 * 2**10
_CHUNK = 16 * 2**10
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status."""

    status: int
    body: bytes


class Wire:
    """The way to one address of the settings.

    A connection serves one request: what failed before the first byte was written certainly was not taken (Unreachable), what failed
    later may have been (Unknown), and nothing is sent twice by itself.
    """

    def __init__(self, url: str, *, authorities: str, seconds: float) -> None:
        """Raises SettingsError for an address that is none, or that would carry phones in clear over a network."""
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        if not parts.hostname or parts.username or not (secure or (parts.scheme == "http" and parts.hostname in _HERE)):
            raise SettingsError(f"{variable('sms_url')} must be an address `https://…` (`http://` on this machine alone)")
        self.target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self.host = parts.netloc
        self._address = parts.hostname, parts.port or (443 if secure else 80)
        self._tls = _context(authorities) if secure else None
        self._seconds = seconds

    async def post(self, body: bytes, headers: Mapping[str, str], *, target: str | None = None) -> Answer:
        """Send one request and read its answer. Raises Unreachable, Unknown, and Misconfigured for a certificate not to be believed."""
        request = h11.Connection(h11.CLIENT, max_incomplete_event_size=_CHUNK)
        sent = request.send(
            h11.Request(
                method="POST",
                target=target or self.target,
                headers=[("host", self.host), ("content-length", str(len(body))), ("connection", "close"), *headers.items()],
            )
        )
        data = b"".join(part or b"" for part in (sent, request.send(h11.Data(body)), request.send(h11.EndOfMessage())))
        reader, writer = await self._connected()
        try:
            async with asyncio.timeout(self._seconds):
                writer.write(data)
                await writer.drain()
                return await _answer(request, reader)
        except TimeoutError:
            raise Unknown("TIMEOUT") from None
        except OSError:
            raise Unknown("CONNECTION_LOST") from None
        except h11.RemoteProtocolError:
            raise Unknown("ANSWER_UNREADABLE") from None
        finally:
            writer.transport.abort()  # answered or given up: nothing is left to be said

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            async with asyncio.timeout(self._seconds):
                return await asyncio.open_connection(*self._address, ssl=self._tls, limit=_CHUNK)
        except ssl.SSLCertVerificationError:
            raise Misconfigured("CERTIFICATE_NOT_TRUSTED") from None
        except TimeoutError:
            raise Unreachable("CONNECT_TIMEOUT") from None
        except OSError:
            raise Unreachable("NO_CONNECTION") from None


def wall_seconds() -> int:
    """The time by which others judge a signature: this machine's, which development mode does not move."""
    return int(time.time())  # noqa: TID251  compared with clocks of other houses


def _context(authorities: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cadata=authorities or None)
    except ssl.SSLError:
        raise SettingsError(f"{variable('sms_ca')} holds no certificates in PEM") from None


async def _answer(connection: h11.Connection, reader: asyncio.StreamReader) -> Answer:
    status, body = 0, b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(_CHUNK))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > LONGEST_ANSWER:
                raise Unknown("ANSWER_TOO_LONG")
        elif isinstance(event, h11.EndOfMessage):
            return Answer(status, body)
        elif isinstance(event, h11.ConnectionClosed):
            raise Unknown("CONNECTION_LOST")
