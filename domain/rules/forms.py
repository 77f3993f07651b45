"""The application form 申请表: what stands in it, and the check code that binds a sheet of paper to a revision (rules §3)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from domain.rules.difference import BASIC_INFO, EVALUATION_INFO, SECTIONS, Names, Show, Shown, Snapshot, Value, value_of

PRESENT_EMPLOYER = "现工作单位"
"""How the unit is related that every expert has to avoid."""

# Crockford's: no letter that is read as a digit.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD = str.maketrans("OIL", "011")
_LETTERS = 12
_LONG_RUN = re.compile("[!-~]{11,}")  # a date stays whole
_PRINTED = tuple(section for section in SECTIONS if section.name != "otherMaterials")


def check_code(digest: bytes) -> str:
    """60 bits of a keyed digest as people read them aloud: `7K3M-Q0ZD-X1PA`."""
    number = int.from_bytes(digest[:8])
    letters = "".join(_ALPHABET[number >> 5 * place & 31] for place in range(_LETTERS))
    return "-".join(letters[start : start + 4] for start in range(0, _LETTERS, 4))


def is_code(text: str, code: str) -> bool:
    """Whether somebody typed this code, whatever the hyphens, the case, and O for 0 or I and L for 1."""
    return re.sub("[^0-9A-Z]", "", text.upper()).translate(_MISREAD) == code.replace("-", "")


def content(revision: Snapshot) -> Mapping[str, Any]:
    """What the check code covers: everything that the form shows, in clear, but nothing of the scans handed in beside it.

    So the signed form itself can be handed in after it was printed.
    """
    return {
        "own": {column.name: _plain(revision.own[column.name]) for column in (*_own_columns(), *_portrait())},
        "sections": {
            section.name: [{column.name: _plain(row[column.name]) for column in _texts(section.columns)} for row in rows]
            for section in _PRINTED
            if (rows := revision.sections[section.name])
        },
    }


def form(revision: Snapshot, names: Names, *, phone: str, clear: bool, code: str, province: str, printed_on: date) -> Mapping[str, Any]:
    """The form as texts, labels beside values, in the order of the profile; personal data masked unless `clear`.

    The login phone, clear or masked, comes from the account: it may change without a new revision.
    """

    def texts(columns: Sequence[Shown], row: Mapping[str, Any]) -> list[str]:
        shown = (value_of(column, row, names) for column in columns)
        return [_breakable(_text_of(each, clear)) for each in shown]

    own = list(_own_columns())
    labelled = list(zip([each.label for each in own], texts(own, revision.own), strict=True))
    labelled.insert(next(place for place, each in enumerate(own) if each.name == "second_phone"), ("手机号码", phone))
    return {
        "title": f"{province}政府采购评审专家申请表",
        "name": str(revision.own["name"] or ""),
        "revision": revision.own["number"],
        "draft": revision.own["frozen_at"] is None,
        "code": code,
        "printedOn": f"{printed_on.year}年{printed_on.month}月{printed_on.day}日",
        "own": labelled,
        "sections": [
            {
                "label": section.label,
                "columns": [each.label for each in _texts(section.columns)],
                "rows": [texts(_texts(section.columns), row) for row in _rows(section.name, revision)],
            }
            for section in _PRINTED
        ],
    }


def _rows(section: str, revision: Snapshot) -> Sequence[Mapping[str, Any]]:
    """The entries of a section; the present employer, kept in basic info, leads the units to avoid."""
    rows, own = revision.sections[section], revision.own
    if section != "evaluationInfo.avoidanceUnits" or own["employer"] is None:
        return rows
    return [{"name": own["employer"], "credit_code": own["employer_credit_code"], "relation": PRESENT_EMPLOYER, "until": None}, *rows]


def _own_columns() -> Iterator[Shown]:
    return (column for column in (*BASIC_INFO, *EVALUATION_INFO) if column.how is not Show.IMAGE)


def _portrait() -> Iterator[Shown]:
    return (column for column in BASIC_INFO if column.name == "portrait_id")


def _texts(columns: Sequence[Shown]) -> list[Shown]:
    return [column for column in columns if column.how is not Show.IMAGE]


def _text_of(value: Value, clear: bool) -> str:
    return (value.text if clear else value.masked) or ""


def _plain(value: Any) -> str | None:
    return None if value is None else str(value)


def _breakable(text: str) -> str:
    """With room for a line to break in long runs of letters and digits, which would leave a narrow cell."""
    return _LONG_RUN.sub(lambda run: "\u200b".join(run[0][start : start + 8] for start in range(0, len(run[0]), 8)), text)
