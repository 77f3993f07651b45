"""GraphiQL from the project's own files: the page at /graphiql, its files under a strict content policy, and the demonstration accounts."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from string import Template
from typing import TypedDict

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from settings import Settings

STATIC = Path(__file__).parent / "static" / "graphiql"

# GraphiQL's dialogs add a `style` element, hence the one exception; every script is a file of ours.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
PAGE_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
FILE_HEADERS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "public, max-age=31536000, immutable",  # the address holds a digest of the contents
}
MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".json": "application/json"}


class DemonstrationAccount(TypedDict):
    """An account of the development mode that the page signs in with one click."""

    label: str
    phone: str
    password: str


def routes(settings: Settings, accounts: Sequence[DemonstrationAccount] = ()) -> list[BaseRoute]:
    """The page and its files, nothing where GraphiQL is switched off; the accounts are given away in development alone."""
    if not settings.graphiql:
        return []
    files = {each.relative_to(STATIC).as_posix(): each for each in sorted(STATIC.rglob("*")) if each.suffix in MEDIA_TYPES}
    digest = sha256(b"".join(sha256(each.read_bytes()).digest() for each in files.values())).hexdigest()[:16]
    page = Template((STATIC / "page.html").read_text(encoding="utf-8")).substitute(
        files=f"/graphiql/{digest}",
        accounts="/graphiql/accounts.json" if settings.development else "",
    )

    async def show_page(_: Request) -> Response:
        return HTMLResponse(page, headers=PAGE_HEADERS)

    async def show_file(request: Request) -> Response:
        file = files.get(request.path_params["file"])
        if file is None:
            raise HTTPException(404)
        return FileResponse(file, media_type=MEDIA_TYPES[file.suffix], headers=FILE_HEADERS)

    async def show_accounts(_: Request) -> Response:
        return JSONResponse(list(accounts), headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"})

    result: list[BaseRoute] = [Route("/graphiql", show_page), Route(f"/graphiql/{digest}/{{file:path}}", show_file)]
    if settings.development:
        result.append(Route("/graphiql/accounts.json", show_accounts))
    return result
