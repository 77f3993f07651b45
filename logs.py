"""Logs of every process: one line an event, with a correlation id, and nothing personal in it."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Callable, Mapping, MutableMapping
from functools import lru_cache
from typing import Any

import orjson
import structlog

from settings import Settings
from tracing import correlation_id

WITHHELD = "[withheld]"

# Nothing personal is given to a log in the first place; what follows is the net under that rule.
_PERSONAL = frozenset({
    "address", "applicant", "authorization", "birthdate", "cookie", "digits", "email", "employer", "holder",
    "idnumber", "mobile", "name", "parameters", "password", "phone", "secret", "token", "variables",
})  # fmt: skip
_ERROR_CODE = re.compile(r"[A-Z][A-Z0-9_]+")  # may be told, unlike the code that was sent to a phone
_NUMBERS = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9]{17}[0-9Xx]"  # id number
    r"|(?:\+?86[ -]?)?1[3-9][0-9][ -]?[0-9]{4}[ -]?[0-9]{4})(?![0-9A-Za-z])"  # mobile phone
)
_SHORTEST_NUMBER = 11
_OURS = frozenset({"correlation_id", "level", "logger", "process", "timestamp"})
_QUIET = {"tortoise": "WARNING", "asyncpg": "INFO", "arq": "WARNING", "PIL": "INFO"}  # at DEBUG tortoise logs every value it writes


class _Lines:
    """Writes finished lines to standard error, at the level that structlog has checked."""

    def __init__(self, name: str = "") -> None:
        self.name = name

    def msg(self, line: str) -> None:
        """One line, in one piece."""
        sys.stderr.write(line + "\n")

    debug = info = warning = error = critical = msg


_stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)


class Recurring:
    """Lines of an event that comes with every request. Those of its facts that recur are cleaned and written down once, as in a form.

    The line says what structlog would make of it, at less than half the cost. Make one after `set_up`.
    """

    def __init__(self, logger: str, event: str) -> None:
        self._event = event
        self._lines = _Lines(logger)
        self._log = structlog.get_logger(logger).bind()
        self._form = lru_cache(maxsize=1_024)(self._written)

    def info(self, *, ms: float, **facts: str | None) -> None:
        """One line. `ms` differs each time; the facts are few, or else as dear as in any other line."""
        if _finish is None:
            self._log.info(self._event, ms=ms, **facts)
            return
        varying = tell_id(None, "info", _stamp(None, "info", {"ms": ms}))
        self._lines.info(self._form(**facts) + orjson.dumps(varying).decode()[1:])

    def _written(self, **facts: str | None) -> str:
        assert _finish is not None  # noqa: S101  asked above
        event = {"event": self._event, **facts, "logger": self._lines.name, "level": "info"}
        return _finish(withhold(None, "info", event))[:-1] + ","


_finish: Callable[[MutableMapping[str, Any]], str] | None = None
"""Writes a clean event down as JSON; None where lines are to be readable, or where INFO is not told."""


def set_up(settings: Settings, process: str) -> None:
    """Send this process's logs, those of libraries included, to standard error as the settings say. May be called twice."""
    global _finish  # noqa: PLW0603  logs are a process's own
    renderer: Any = _json if settings.log_json else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)

    def add_process(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {"process": process, **event}

    shared: list[Any] = [
        tell_id,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        _stamp,
        tell_where,
        withhold,
    ]
    told = settings.log_json and logging.getLevelName(settings.log_level) <= logging.INFO
    _finish = (lambda event: _json(None, "", add_process(None, "", event))) if told else None
    # Our own events go straight to the line: by way of the standard library, one would cost as much as reading a row.
    structlog.configure(
        processors=[*shared, add_process, renderer],
        logger_factory=_Lines,
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, add_process, renderer]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level)
    for library, level in _QUIET.items():
        logging.getLogger(library).setLevel(max(logging.getLevelName(level), root.level))
    logging.captureWarnings(capture=True)


def tell_id(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Put the id on a line under which is done what it tells of."""
    identity = correlation_id()
    if identity is not None:
        event["correlation_id"] = identity
    return event


def tell_where(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Put kind and place of an exception in its stead: its message may quote what people entered."""
    told = event.pop("exc_info", None)
    event.pop("stack_info", None)
    cause = sys.exc_info()[1] if told is True else told[1] if isinstance(told, tuple) else told
    if isinstance(cause, BaseException):
        event["kind"] = f"{type(cause).__module__}.{type(cause).__qualname__}"
        event["frames"] = [f"{each.filename}:{each.lineno} {each.name}" for each in traceback.extract_tb(cause.__traceback__)[-12:]]
    return event


def withhold(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take out what stands under a personal name, and phones and id numbers wherever they stand."""
    return {key: value if _is_ours(key) or value is None else _clean(key, value) for key, value in event.items()}


@lru_cache(maxsize=1_024)
def _is_ours(key: str) -> bool:
    return key in _OURS or key.startswith("_")


def _clean(key: str, value: Any) -> Any:
    plain = _plain(key)
    if plain in _PERSONAL or (plain == "code" and not _ERROR_CODE.fullmatch(str(value))):
        return WITHHELD if value is not None else None
    match value:
        case str():
            return value if len(value) < _SHORTEST_NUMBER else _NUMBERS.sub(WITHHELD, value)
        case bool() | float() | None:
            return value
        case int():
            return WITHHELD if _NUMBERS.fullmatch(str(value)) else value
        case Mapping():
            return {str(each): _clean(str(each), inner) for each, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_clean("", inner) for inner in value]
        case _:
            return _NUMBERS.sub(WITHHELD, str(value))


@lru_cache(maxsize=1_024)
def _plain(key: str) -> str:
    return key.lower().replace("_", "")


def _json(_: Any, __: str, event: MutableMapping[str, Any]) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
