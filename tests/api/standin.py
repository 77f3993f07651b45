"""An application over a schema of its own, with fields that fail, wait and overflow in every way that transports must bear."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import asyncpg
import strawberry
from starlette.applications import Starlette
from strawberry.file_uploads import Upload

import logs
from api.app import application
from domain.actions.promises import announce
from domain.rules.errors import FieldProblem, InvalidInput
from models.database import database_now, rows, transaction
from schema.context import Info
from schema.guarded import GuardedSchema
from settings import settings

CANARY = "13912345678 and a secret"
_failures = iter(range(10**6))


@strawberry.type
class Tree:
    """Nests for ever."""

    @strawberry.field
    def inner(self, n: int = 0) -> "Tree":
        return Tree()

    leaf: int = 1


@strawberry.type
class Query:
    @strawberry.field
    def tree(self) -> Tree:
        return Tree()

    @strawberry.field
    def echo(self, text: str) -> str:
        return text

    @strawberry.field
    async def stored(self, text: str) -> str:
        found = await rows("SELECT $1::text AS it", text)
        return str(found[0]["it"])

    @strawberry.field
    def who(self, info: Info) -> str | None:
        return info.context.viewer.name if info.context.viewer else None

    @strawberry.field
    def client(self, info: Info) -> list[str]:
        return [info.context.client_address, info.context.device, info.context.language, str(id(info.context))]

    @strawberry.field
    async def wait(self, seconds: float) -> float:
        await asyncio.sleep(seconds)
        return seconds

    @strawberry.field
    def fault(self) -> str:
        raise RuntimeError(CANARY)

    @strawberry.field
    def too_large(self) -> int:
        return 2**40

    @strawberry.field
    async def bad_sql(self) -> str:
        await rows("SELECT 1 FROM no_such_table WHERE phone = '13912345678'")
        return ""

    @strawberry.field
    def refusal(self) -> str:
        raise InvalidInput([FieldProblem("name", "TEXT_LENGTH", {"longest": 3, "length": 5})])

    @strawberry.field
    def lost_once(self) -> str:
        if next(_failures) == 0:
            raise asyncpg.ConnectionDoesNotExistError(CANARY)
        return "found"

    @strawberry.field
    def always_lost(self) -> str:
        raise asyncpg.InterfaceError(CANARY)


@strawberry.type
class Mutation:
    @strawberry.mutation
    def cookie(self, info: Info, token: str) -> bool:
        info.context.cookies.set_session(token, max_age_seconds=60)
        return True

    @strawberry.mutation
    def no_cookie(self, info: Info) -> bool:
        info.context.cookies.clear_session()
        return True

    @strawberry.mutation
    async def say(self, event: str, word: str) -> bool:
        async with transaction():
            await announce(event, word=word)
        return True

    @strawberry.mutation
    async def size(self, file: Upload) -> int:
        upload: Any = file
        return len(await upload.read())


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def heard(self, info: Info, of: str) -> AsyncGenerator[str, None]:
        async for each in info.context.events.listen(lambda said: said["event"] in (of, "resync")):
            yield each.get("word", each["event"])

    @strawberry.subscription
    async def signed_in(self, info: Info) -> AsyncGenerator[str, None]:
        viewer = info.context.signed_in()
        yield viewer.name
        async for each in info.context.events.listen(lambda _: True):
            yield f"{viewer.name} {each['event']} {await database_now() is not None}"

    @strawberry.subscription
    async def count(self, to: int) -> AsyncGenerator[int, None]:
        for number in range(to):
            yield number

    @strawberry.subscription
    async def broken(self) -> AsyncGenerator[int, None]:
        yield 1
        raise RuntimeError(CANARY)


schema = GuardedSchema(query=Query, mutation=Mutation, subscription=Subscription)


def create_app() -> Starlette:
    """For uvicorn."""
    logs.set_up(settings(), "standin")
    return application(schema, settings())
