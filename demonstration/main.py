"""`python3 run.py demo`: the whole path of an expert, played against a running registry."""

from __future__ import annotations

import argparse

from demonstration.story import Story
from demonstration.telling import Surprise, Telling
from settings import settings


def main(arguments: list[str]) -> int:
    """Play it; 0 when everything was as the guide says, 1 at the first surprise."""
    parser = argparse.ArgumentParser(prog="run.py demo", description="Play the whole path of an expert against a running registry.")
    parser.add_argument("--origin", default=settings().origin, help="where the registry answers (default: %(default)s)")
    parser.add_argument("--full", action="store_true", help="show documents and answers whole")
    given = parser.parse_args(arguments)
    telling = Telling(full=given.full)
    try:
        Story(given.origin.rstrip("/"), telling).play()
    except Surprise as surprise:
        telling.surprised(surprise)
        return 1
    telling.chapter("演示完成", "The demonstration is complete: everything was as the guide says")
    return 0
