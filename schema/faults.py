"""Errors on their way out: refusals with their code, what clients got wrong as it is, faults of ours behind a number."""

import traceback
from collections.abc import Iterable
from uuid import uuid4

import structlog
from graphql import GraphQLError, VariableDefinitionNode

from domain.rules.errors import Refusal, Unavailable
from domain.rules.messages import Language, text
from schema.problems import BUSY, to_error

log = structlog.get_logger("schema.faults")


class OperationTimeoutError(Exception):
    """An operation was stopped at settings.operation_seconds."""


def leaving(errors: Iterable[GraphQLError], language: Language) -> list[GraphQLError]:
    """The errors as clients see them. Applying it twice changes nothing."""
    return [_leaving(each, language) for each in errors]


def _leaving(error: GraphQLError, language: Language) -> GraphQLError:
    cause = _cause(error)
    if cause is None or _is_about_variables(error):
        return error
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


def _is_about_variables(error: GraphQLError) -> bool:
    """Whether variables did not fit their types: told before anything ran, the exception of a scalar being the reason."""
    return error.path is None and bool(error.nodes) and all(isinstance(each, VariableDefinitionNode) for each in error.nodes or ())
