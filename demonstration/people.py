"""Who plays in the demonstration, and how it is told on the terminal."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from typing import Any

from demonstration import operations as op
from demonstration.client import Client, SurpriseError

PASSWORD = "a long demonstration password"  # noqa: S105  of an invented person on a development server
_COLOUR = sys.stdout.isatty()
_SHOWN = 300


def paint(colour: str, text: str) -> str:
    """In a colour where the terminal has any."""
    return f"\033[{colour}m{text}\033[0m" if _COLOUR else text


def step(zh: str, en: str) -> None:
    """Say what comes."""
    print(f"\n{paint('1;36', '■ ' + zh)}  {en}")


def expect(what: str, found: Any, wanted: Any) -> None:
    """Go on only if something is as it must be."""
    if found != wanted:
        raise SurpriseError(f"{what}: {found!r} instead of {wanted!r}")
    print(f"  {paint('32', '✓')} {what}: {found}")


class Person:
    """Somebody with a client; says which operation is sent and what comes back."""

    def __init__(self, name: str, origin: str) -> None:
        self.name = name
        self.client = Client(origin)

    def query(self, document: str, **variables: Any) -> dict[str, Any]:
        """Run a query and show its answer."""
        data = self.client.ask(document, variables)
        self._tell(document, variables, data)
        return data

    def change(self, document: str, wanted: str, **given: Any) -> dict[str, Any]:
        """Run a mutation whose result must be of the type `wanted`."""
        return self._result(document, wanted, given, self.client.ask(document, {"input": given}))

    def upload(self, purpose: str, image: bytes) -> dict[str, Any]:
        """Hand an image in by the multipart convention."""
        given = {"purpose": purpose, "file": None}
        data = self.client.upload(op.FILE_UPLOAD, {"input": given}, f"{purpose.lower()}.jpg", image)
        return self._result(op.FILE_UPLOAD, "File", given, data)

    def sign_in(self, phone: str, **proof: str) -> dict[str, Any]:
        """Open a session with a bearer token."""
        opened = self.change(op.SESSION_OPEN, "SessionOpened", phone=phone, transport="BEARER", device="demonstration", **proof)
        self.client.token = opened["token"]
        viewer: dict[str, Any] = opened["viewer"]
        return viewer

    def _result(self, document: str, wanted: str, given: Mapping[str, Any], data: dict[str, Any]) -> dict[str, Any]:
        self._tell(document, given, data)
        [result] = data.values()
        if result["__typename"] != wanted:
            raise SurpriseError(f"{result['__typename']} instead of {wanted}: {result}")
        found: dict[str, Any] = result
        return found

    def _tell(self, document: str, given: Mapping[str, Any], data: dict[str, Any]) -> None:
        [operation] = re.findall(r"(?:query|mutation) (\w+)", document)[:1]
        print(f"  {paint('33', self.name)} → {operation} {short({key: each for key, each in given.items() if key != 'password'})}")
        print(f"    ← {short({key: _without_token(value) for key, value in data.items()})}")


def _without_token(value: Any) -> Any:
    return {key: each for key, each in value.items() if key != "token"} if isinstance(value, dict) else value


def short(value: Any) -> str:
    """What fits a line."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
