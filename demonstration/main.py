"""The demonstration: what an expert and the offices do with the registry, from the first phone code to leaving and coming back."""

from __future__ import annotations

import argparse
import time

from demonstration.client import SurpriseError
from demonstration.first_act import FirstAct
from demonstration.people import paint
from demonstration.second_act import SecondAct
from settings import settings


def main(arguments: list[str]) -> int:
    """Play against `--origin URL`, or the registry that runs here. 0 when all was as expected, 1 at the first surprise."""
    parser = argparse.ArgumentParser(prog="run.py demo", description="Play the whole path of an expert against a running registry.")
    parser.add_argument("--origin", default=settings().origin, help="where it answers (default: %(default)s)")
    parser.add_argument("--first-act", action="store_true", help="end when the applicant is a formal expert")
    given = parser.parse_args(arguments)
    began = time.monotonic()
    try:
        first = FirstAct(given.origin)
        first.play()
        if not given.first_act:
            SecondAct(first).play()
    except (SurpriseError, OSError) as surprise:
        print(f"\n{paint('31', 'Not as expected')}: {surprise}")
        return 1
    print(f"\n{paint('32', 'Everything was as expected')} ({time.monotonic() - began:.0f} s).")
    return 0
