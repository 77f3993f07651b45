from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest
import structlog

import logs
import tracing
from settings import Settings

_SETTINGS = Settings(development=True, log_level="INFO")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def test_an_event_is_one_json_object_with_its_correlation_id(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(_SETTINGS, "worker")

    with tracing.under("c-1"):
        structlog.get_logger("workers.relay").info("promise tried", attempts=2)

    line = json.loads(capsys.readouterr().err)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "process": "worker",
        "event": "promise tried",
        "attempts": 2,
        "correlation_id": "c-1",
        "logger": "workers.relay",
        "level": "info",
    }


def test_an_id_ends_with_what_is_done_under_it() -> None:
    before = tracing.correlation_id()
    with tracing.under("c-1"):
        with suppress(RuntimeError), tracing.under("c-2"):
            raise RuntimeError
        inside = tracing.correlation_id()

    assert (inside, tracing.correlation_id()) == ("c-1", before)


def test_readable_lines_are_a_setting(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(replace(_SETTINGS, log_json=False), "worker")

    structlog.get_logger("workers.relay").info("promise tried", attempts=2)

    line = capsys.readouterr().err
    assert "promise tried" in line
    assert "attempts=2" in line


@pytest.mark.parametrize(
    "told",
    [
        {"phone": "+8613812345678"},
        {"event_text": "tel 13812345678 called"},
        {"text": "电话+8613812345678。"},
        {"text": "138-1234-5678"},
        {"number": 13812345678},
        {"id_number": "22010119750312001X"},
        {"idNumber": "whatever stands here"},
        {"path": ["x", {"facts": "id 22010119750312001x."}]},
        {"password": "correct horse battery"},
        {"input": {"code": "123456", "Password": "correct horse battery"}},
        {"name": "张三"},
        {"cause": ValueError("13812345678")},
    ],
)
def test_nothing_personal_gets_into_a_line(told: dict[str, object], capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(_SETTINGS, "api")

    structlog.get_logger().info("event", **told)

    line = capsys.readouterr().err
    assert logs.WITHHELD in line
    for each in ("13812345678", "138-1234", "220101197503", "correct horse", "123456", "whatever", "张三"):
        assert each not in line


def test_ids_times_and_codes_of_errors_stay_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(_SETTINGS, "api")

    structlog.get_logger().info("event", id="0193a1b2-1381-7234-8567-138123456789", at=1763843000000, code="CODE_REJECTED", seconds=0.5)

    line = json.loads(capsys.readouterr().err)
    assert (line["id"], line["at"]) == ("0193a1b2-1381-7234-8567-138123456789", 1763843000000)
    assert (line["code"], line["seconds"]) == ("CODE_REJECTED", 0.5)


def test_an_exception_is_told_by_kind_and_place_without_its_message(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(_SETTINGS, "api")

    try:
        raise ValueError("张三 13812345678")
    except ValueError:
        structlog.get_logger().error("fault", exc_info=True)

    line = json.loads(capsys.readouterr().err)
    assert line["kind"] == "builtins.ValueError"
    assert line["frames"][-1].endswith("test_an_exception_is_told_by_kind_and_place_without_its_message")
    assert "张三" not in json.dumps(line, ensure_ascii=False)


def test_libraries_speak_through_the_same_net(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(_SETTINGS, "worker")

    logging.getLogger("some.library").warning("cannot reach %s", "13812345678")

    line = json.loads(capsys.readouterr().err)
    assert line["event"] == f"cannot reach {logs.WITHHELD}"
    assert line["logger"] == "some.library"


def test_the_values_that_tortoise_writes_are_never_logged(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(replace(_SETTINGS, log_level="DEBUG"), "worker")

    logging.getLogger("tortoise.db_client").debug("INSERT: %s", ["张三"])

    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("readable", [False, True])
def test_an_event_that_recurs_is_told_as_any_other(readable: bool, capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(replace(_SETTINGS, log_json=not readable), "api")
    facts = {"kind": "query", "operation": "张三 13812345678", "code": None}
    with tracing.under("c-1"):
        structlog.get_logger("api.operations").info("operation", ms=3.1, **facts)
        expected = capsys.readouterr().err
        recurring = logs.Recurring("api.operations", "operation")

        recurring.info(ms=3.1, **facts)
        recurring.info(ms=4.2, **facts)

    first, second = capsys.readouterr().err.splitlines()
    if readable:
        assert (without_time(first), second.count("13812345678")) == (without_time(expected.rstrip("\n")), 0)
        return
    one, other, another = json.loads(expected), json.loads(first), json.loads(second)
    assert one.pop("timestamp") <= other.pop("timestamp") <= another.pop("timestamp")
    assert other == one
    assert another == {**one, "ms": 4.2}
    assert one["operation"] == f"张三 {logs.WITHHELD}"


def without_time(line: str) -> str:
    return line.partition(" ")[2]


def test_an_event_that_recurs_is_told_at_its_level_alone(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(replace(_SETTINGS, log_level="WARNING"), "api")

    logs.Recurring("api.operations", "operation").info(ms=3.1, kind="query")

    assert capsys.readouterr().err == ""
