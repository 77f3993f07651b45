"""The server under the application: uvicorn with the limits and manners of the product."""

from __future__ import annotations

import uvicorn

from settings import Settings

STOP_SECONDS = 3
"""What is still being answered when the process is asked to stop may take so long; open subscriptions are ended at once."""


def server(application: str, settings: Settings) -> uvicorn.Server:
    """A server for the application that the named factory makes, `module:function`; call `run()` to serve until SIGTERM or SIGINT."""
    return uvicorn.Server(
        uvicorn.Config(
            application,
            factory=True,
            host=settings.host,
            port=settings.port,
            loop="uvloop",
            http="httptools",
            ws="websockets-sansio",
            ws_max_size=settings.body_max_bytes,
            ws_per_message_deflate=False,  # spares 64 KiB a socket; messages are short
            lifespan="on",
            log_config=None,  # the product logs
            access_log=False,
            server_header=False,
            proxy_headers=False,  # the product decides which proxies it believes
            timeout_graceful_shutdown=STOP_SECONDS,
        )
    )
