"""The schema as it is served: documents within limits, operations within their time, faults masked, on every transport alike."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.extensions import SchemaExtension
from strawberry.types import ExecutionContext, StreamExecutionResult

from schema.context import Context
from schema.documents import DocumentError, Documents
from schema.faults import OperationTimeoutError, leaving
from schema.plan.mutations import run_once
from schema.plan.operations import Plans


class GuardedSchema(strawberry.Schema):
    """A Strawberry schema whose operations run under the settings of their context."""

    def __init__(self, **options: Any) -> None:
        super().__init__(extensions=[self._guard], **options)
        self.documents = Documents()
        self.plans = Plans(self)
        if self._schema.mutation_type is not None:
            run_once(self._schema.mutation_type)

    def _warn_for_federation_directives(self) -> None:
        """Look for none of Apollo's directives: the library would load them all to tell that they are not used, which takes 15 ms."""

    def _guard(self) -> SchemaExtension:
        return _Guard(self.documents)

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Log nothing here: the library would log every refusal as a failure, with its text. See faults.py."""


class _Guard(SchemaExtension):
    """One operation under guard."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    @property
    def _context(self) -> Context:
        context: Context = self.execution_context.context
        return context

    def on_parse(self) -> Iterator[None]:
        """Take the document from those that were read; the transports have refused it before where it is bad."""
        execution = self.execution_context
        try:
            document = self._documents.read(execution.query or "", execution.schema._schema, self._context.settings)  # noqa: SLF001  no accessor
        except DocumentError as refused:
            raise leaving(refused.errors, self._context.language)[0] from None
        execution.graphql_document = document.node
        yield

    def on_validate(self) -> Iterator[None]:
        """It was validated when it was read; an empty list keeps the library from doing it again."""
        self.execution_context.pre_execution_errors = []
        yield

    async def on_execute(self) -> AsyncIterator[None]:
        """Stop what takes too long: queries and mutations; of a subscription its beginning."""
        try:
            async with asyncio.timeout(self._context.settings.operation_seconds):
                yield
        except TimeoutError:
            raise OperationTimeoutError from None

    def on_operation(self) -> Iterator[None]:
        """Mask at the end of a query or mutation."""
        yield
        self._mask(self.execution_context.result)

    def on_stream_result(self, result: StreamExecutionResult) -> Iterator[None]:
        """Mask each result of a stream before it goes out."""
        self._mask(result)
        yield

    def _mask(self, result: Any) -> None:
        if result is not None and result.errors:
            result.errors = leaving(result.errors, self._context.language)
