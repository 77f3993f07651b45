"""The help centre 帮助中心, for everybody."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import strawberry

from domain.lists import search_term
from domain.reads import Where
from models import reference
from models.enums import Audience
from schema.context import Info
from schema.nodes import listed, rows_of
from schema.queries.reference import unretired
from schema.types.reference import HelpArticle, HelpContact


def _help(arguments: Mapping[str, Any], _: Any) -> Sequence[Where]:
    audience, search = arguments.get("audience"), (arguments.get("search") or "").strip()
    found = unretired(arguments)
    if audience is not None:
        found.append(Where("{t}.audience IN ('EVERYONE', :audience)", {"audience": audience.value}))
    if search:
        found.append(Where("({t}.name ILIKE :search OR {t}.body ILIKE :search)", {"search": search_term(search)}))
    return found


def _contacts(arguments: Mapping[str, Any], _: Any) -> Sequence[Where]:
    search = (arguments.get("search") or "").strip()
    said = Where("({t}.name ILIKE :search OR {t}.note ILIKE :search OR {t}.phone ILIKE :search)", {"search": search_term(search)})
    return [*unretired(arguments), *([said] if search else [])]


@strawberry.type
class HelpQueries:
    """Reading of help."""

    @strawberry.field(
        description="帮助中心: guides, then frequent questions, in their order. For everybody, without signing in.",
        metadata=listed("HelpArticle", _help, "{t}.position, {t}.slug"),
    )
    async def help_articles(
        self,
        info: Info,
        audience: Annotated[Audience | None, strawberry.argument(description="Only what is for them, and what is for everyone.")] = None,
        search: Annotated[
            str | None, strawberry.argument(description="Only articles whose title or text contains this; two characters are enough.")
        ] = None,
    ) -> list[HelpArticle]:
        """All, or what was found."""
        return await rows_of(info, audience=audience, search=search)

    @strawberry.field(description="帮助中心: one article by its name in addresses; null where there is none.")
    async def help_article(
        self, info: Info, slug: Annotated[str, strawberry.argument(description="E.g. `registration`.")]
    ) -> HelpArticle | None:
        """One article."""
        row = await info.context.load_one(reference.HelpArticle, "slug", slug)
        return None if row is None or row.retired else HelpArticle(row=row)  # type: ignore[attr-defined]  # a HelpArticle

    @strawberry.field(
        description="帮助中心: whom to ask. For everybody, without signing in.",
        metadata=listed("HelpContact", _contacts, "{t}.code"),
    )
    async def help_contacts(
        self,
        info: Info,
        search: Annotated[
            str | None, strawberry.argument(description="Only whose name, note or phone contains this; two characters are enough.")
        ] = None,
    ) -> list[HelpContact]:
        """All, or who was found."""
        return await rows_of(info, search=search)
