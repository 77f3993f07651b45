"""Errors on their way out, each with its code: refusals, what clients got wrong, faults of ours behind a number."""

import traceback
from collections.abc import Iterable
from uuid import uuid4

import structlog
from graphql import GraphQLError, ValueNode, VariableDefinitionNode

from domain.rules.errors import Invalid, Refusal, Unavailable
from domain.rules.messages import Language, text
from schema.problems import BUSY, to_error

log = structlog.get_logger("schema.faults")


class OperationTimeoutError(Exception):
    """An operation was stopped at settings.operation_seconds."""


def leaving(errors: Iterable[GraphQLError], language: Language) -> list[GraphQLError]:
    """The errors as clients see them. Applying it twice changes nothing."""
    return [_leaving(each, language) for each in errors]


def with_code(error: GraphQLError, code: str) -> GraphQLError:
    """The error under a code, its own if it has one, with nothing left that could be taken for a fault of ours.

    What a scalar of ours refused stays as its cause: `leaving` words it.
    """
    cause = _cause(error)
    refused = cause if isinstance(cause, Invalid) else None
    told = {"code": code, **(error.extensions or {})}
    return GraphQLError(error.message, error.nodes, error.source, error.positions, error.path, refused, told)


def _unfit(error: GraphQLError, refused: Invalid, language: Language) -> GraphQLError:
    """A value that a scalar of ours does not take: where it stands, and what is expected there."""
    place = error.message.partition("Expected value of type")[0]
    told = {"code": "BAD_USER_INPUT", **(error.extensions or {}), "reason": refused.code}
    message = place + text(refused.code, language, refused.facts)
    return GraphQLError(message, error.nodes, error.source, error.positions, error.path, extensions=told)


def _leaving(error: GraphQLError, language: Language) -> GraphQLError:
    cause = _cause(error)
    if _is_about_input(error, cause):
        return _unfit(error, cause, language) if isinstance(cause, Invalid) else with_code(error, "BAD_USER_INPUT")
    if cause is None:
        if "code" in (error.extensions or {}):
            return error
        cause = error  # a value of ours that does not fit its type
    if isinstance(cause, BUSY):
        log.warning("unavailable", kind=_kind(cause), path=error.path)
        cause = Unavailable()
    if isinstance(cause, Refusal):
        translated = to_error(cause, language)
        return GraphQLError(translated.message, error.nodes, path=error.path, extensions=translated.extensions)
    if isinstance(cause, OperationTimeoutError):
        return GraphQLError(text("OPERATION_TIMEOUT", language), error.nodes, path=error.path, extensions={"code": "OPERATION_TIMEOUT"})
    number = record_fault(cause, path=error.path)
    message = text("INTERNAL_ERROR", language, {"number": number})
    return GraphQLError(message, error.nodes, path=error.path, extensions={"code": "INTERNAL_ERROR", "number": number})


def record_fault(cause: BaseException, **facts: object) -> str:
    """Log what went wrong inside and where; the number under which it stands in the log.

    The message of the exception stays out: it may quote what people entered.
    """
    number = uuid4().hex[:12]
    frames = [f"{each.filename}:{each.lineno} {each.name}" for each in traceback.extract_tb(cause.__traceback__)[-12:]]
    log.error("fault", number=number, kind=_kind(cause), frames=frames, **facts)
    return number


def _kind(cause: BaseException) -> str:
    return f"{type(cause).__module__}.{type(cause).__qualname__}"


def _cause(error: GraphQLError) -> Exception | None:
    """What was raised at first; None for an error that was made as a GraphQLError."""
    cause: Exception | None = error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def _is_about_input(error: GraphQLError, cause: Exception | None) -> bool:
    """Whether what the client sent does not fit: the document, variables, told before anything ran, or a value that reached its argument."""
    nodes = error.nodes or ()
    if error.path is None and cause is None:
        return True
    return bool(nodes) and all(isinstance(each, VariableDefinitionNode | ValueNode) for each in nodes)
