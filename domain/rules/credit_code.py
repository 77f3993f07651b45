"""The unified social credit code of organisations (统一社会信用代码, GB 32100)."""

from __future__ import annotations

import re

from domain.rules.errors import Invalid
from domain.rules.text import normal_form

# Registering authority, kind of organisation, six digits of region, nine of the organisation code, check digit; no I, O, S, V, Z.
# stdnum's own validate() takes only digits in the first place and so refuses the authorities A (armed forces), N (rural collectives)
# and Y (others).
_FORM = re.compile("[1-9ANY][0-9][0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}")


def credit_code(text: str) -> str:
    """The code in capitals without spaces and hyphens. Raises Invalid: CREDIT_CODE_FORMAT or CREDIT_CODE_CHECK_DIGIT."""
    code = re.sub(r"[\s-]", "", normal_form(text, "NFKC")).upper()
    if not _FORM.fullmatch(code):
        raise Invalid("CREDIT_CODE_FORMAT")
    from stdnum.cn import uscc  # noqa: PLC0415  brings pydoc along: 1 MiB that a process does without until it reads the first code

    if code[-1] != uscc.calc_check_digit(code):
        raise Invalid("CREDIT_CODE_CHECK_DIGIT")
    return code
