from __future__ import annotations

import ast
import string
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.rules import errors
from domain.rules.messages import MESSAGES, in_words, text
from models.enums import IdType, Move, Stage

DOMAIN = Path(__file__).parents[2] / "domain"
RAISED_WITH_A_CODE = {
    "TooSoon": 1,
    "Taken": 1,
    "SignInRefused": 0,
    "Invalid": 0,
    "FieldProblem": 1,
    "NotAllowed": 0,
    "Unavailable": 0,
    "wrong": 1,
}


def codes_written_in_the_domain() -> set[str]:
    """The literal codes given to problems, the codes of the refusals, and the literal warnings."""
    found = {
        each.code
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, errors.Refusal) and each is not errors.Refusal
    }
    for file in DOMAIN.rglob("*.py"):
        nodes = list(ast.walk(ast.parse(file.read_text())))
        logged = {id(each) for node in nodes for each in what_it_logs(node)}  # is read by operators, and by programs
        for node in nodes:
            match node:
                case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=arguments) if name in RAISED_WITH_A_CODE:
                    found |= literals(*arguments[RAISED_WITH_A_CODE[name] :][:1])
                case ast.keyword(arg="warnings" | "code" | "wording", value=value) if id(node) not in logged:
                    found |= literals(value)
    return found


def what_it_logs(node: ast.AST) -> list[ast.keyword]:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="log" | "_log")), keywords=keywords):
            return keywords
    return []


def literals(*expressions: ast.expr) -> set[str]:
    parts = (part for each in expressions for part in ast.walk(each))
    return {part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)}


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_every_code_of_the_domain_has_a_text_in_both_languages() -> None:
    codes = codes_written_in_the_domain()

    assert {"ID_NUMBER_CHECK_DIGIT", "ID_NUMBER_REGION", "NOT_FOUND", "TEXT_EMPTY"} <= codes
    assert sorted(codes - MESSAGES.keys()) == []


@pytest.mark.parametrize("code", MESSAGES)
def test_both_languages_say_something_about_the_same_facts(code: str) -> None:
    zh, en = MESSAGES[code]

    assert zh.endswith("。")
    assert en.endswith(".")
    assert en.isascii() or "·" in en
    assert placeholders(zh) == placeholders(en)


def test_facts_are_shown_in_the_language_of_the_reader() -> None:
    moved = errors.IllegalMove(Stage.FIRST_REVIEW, Move.SUBMIT, [Move.APPROVE, Move.RETURN])
    closed = errors.IllegalMove(Stage.ADMITTED, Move.SUBMIT, [])
    claimed = errors.ClaimedByAnother("李四", datetime(2026, 11, 22, 4, 30, tzinfo=UTC))

    assert text(moved.code, "zh", moved.facts) == "申请目前处于“初审”，不能执行“提交”；可执行：通过、退回。"
    assert text(moved.code, "en", moved.facts) == "The case is at first review and cannot take submit; possible: approve, return."
    assert text(closed.code, "zh", closed.facts) == "申请目前处于“已入库”，不能执行“提交”；可执行：无。"
    assert text(claimed.code, "zh", claimed.facts) == "李四已领取此申请，至2026-11-22 12:30；请届时再试或与其联系。"
    assert (
        text("ID_NUMBER_KIND", "zh", {"kind": IdType.TAIWAN_PERMIT}) == "该号码不属于所选证件“台湾居民居住证”；请核对号码或改选证件类型。"
    )
    assert text("TOO_SOON", "en", errors.TooSoon(42).facts) == "Too many requests; try again in 42 seconds."


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (0, "0 秒", "0 seconds"),
        (1, "1 秒", "1 second"),
        (119, "119 秒", "119 seconds"),
        (120, "2 分钟", "2 minutes"),
        (899, "15 分钟", "15 minutes"),
        (7199, "120 分钟", "120 minutes"),
        (7201, "3 小时", "3 hours"),
        (86076, "24 小时", "24 hours"),
    ],
)
def test_a_wait_is_told_in_seconds_minutes_or_hours_rounded_up(seconds: int, zh: str, en: str) -> None:
    soon = errors.TooSoon(seconds)

    assert text(soon.wording, "zh", soon.facts) == f"操作过于频繁，请在 {zh}后再试。"
    assert text(soon.wording, "en", soon.facts) == f"Too many requests; try again in {en}."


def test_a_refusal_may_have_another_text_under_the_same_code() -> None:
    exports, taken = errors.TooSoon(86076, "EXPORTS_USED_UP"), errors.Taken("phone", "PHONE_TAKEN")

    assert (exports.code, in_words(exports, "zh")) == ("TOO_SOON", "一天内申请此类导出的次数已达上限，请在 24 小时后再试。")
    assert (taken.code, in_words(taken, "en")) == ("TAKEN", "This phone has an account already; choose another.")
    assert in_words(errors.Taken("phone"), "zh").startswith("该手机号或证件号码已不能用于注册。")
    assert in_words(errors.SignInRefused("PASSWORD_WRONG"), "zh") == "密码不正确；请核对，或用验证码重置密码。"


def test_a_refusal_of_fields_is_told_line_by_line_and_any_other_by_its_text() -> None:
    fields = errors.InvalidInput(
        [errors.FieldProblem("name", "REQUIRED"), errors.FieldProblem("role", "NUMBER_RANGE", {"least": 1, "most": 2})]
    )

    assert in_words(fields, "en") == "name: This is required; fill it in.\nrole: Enter a whole number from 1 to 2."
    assert in_words(errors.TooSoon(42), "en") == "Too many requests; try again in 42 seconds."


def test_a_code_or_fact_that_does_not_exist_is_a_fault() -> None:
    with pytest.raises(KeyError):
        text("NO_SUCH_CODE", "zh")
    with pytest.raises(KeyError):
        text("TOO_SOON", "zh")
