"""A provider for tests, which works across processes."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

from domain.actions.sms import Accepted, Misconfigured, Outgoing, Refused, Unknown, Unreachable
from settings import Settings


@dataclass(frozen=True, slots=True)
class Received:
    """One hand-over as the provider saw it."""

    key: str
    template: str
    text: str


class Provider:
    """Notes down what it is sent in `data_dir` and behaves as it is told there, whatever process it is in."""

    name = "provider"

    def __init__(self, settings: Settings) -> None:
        self._received = settings.data_dir / "received"
        self._behaviour = settings.data_dir / "behaviour"

    def behave(self, behaviour: str) -> None:
        """From now on accept, slow, hang, refuse, starve, fail, lose or break; "hang ADMITTED" hangs at that template alone."""
        self._behaviour.write_text(behaviour)

    def received(self) -> list[Received]:
        """What came so far, in order."""
        return [Received(**json.loads(line)) for line in _read(self._received).splitlines()]

    async def send(self, message: Outgoing) -> Accepted:
        """Note the message down, then behave."""
        line = json.dumps({"key": message.key, "template": message.template.value, "text": message.text})
        with self._received.open("a") as file:
            file.write(line + "\n")
        behaviour, _, template = _read(self._behaviour).partition(" ")
        if template and template != message.template.value:
            behaviour = "accept"
        match behaviour:
            case "slow":
                await asyncio.sleep(2)
            case "hang":
                await asyncio.sleep(3600)
            case "refuse":
                raise Refused("EMPTY_NUMBER")
            case "starve":
                raise Misconfigured("NO_CREDIT")
            case "fail":
                raise Unreachable("HTTP_503")
            case "lose":
                raise Unknown("READ_TIMEOUT")
            case "break":
                raise ZeroDivisionError
        return Accepted(f"reference-{message.key}")


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""
