"""The demonstration, with everything that it says to the registry and hears from it written into a file: `recorded FILE OPTION…`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from demonstration.client import Client
from run import demo


def play(file: Path, options: list[str]) -> int:
    """One line an exchange: what was asked, None where it was no JSON, and the answer."""
    post = Client._post
    with file.open("w") as lines:

        def noted(self: Client, path: str, body: bytes, content_type: str, **headers: str) -> Any:
            answer = post(self, path, body, content_type, **headers)
            asked = json.loads(body) if content_type == "application/json" else None
            lines.write(json.dumps([asked, answer]) + "\n")
            return answer

        Client._post = noted  # type: ignore[method-assign]  # the demonstration itself keeps nothing
        return demo(options)


if __name__ == "__main__":
    sys.exit(play(Path(sys.argv[1]), sys.argv[2:]))
