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

_PROSE = r"regexp_replace(regexp_replace({t}.body, '\]\([^)]*\)', ']', 'g'), '[][*`#>|]', '', 'g')"
"""The text of an article as it is read: without the marks of Markdown and the addresses behind links."""


def _searched(arguments: Mapping[str, Any], text: str) -> Sequence[Where]:
    """Every word of the search stands somewhere in the text; words are parted by blanks. Raises InvalidInput as `search_term`."""
    search = arguments.get("search") or ""
    search_term(search)  # bounds how many words there are
    words = [search_term(each) for each in search.split()]
    return [Where(f"({text}) ILIKE ALL (:words::text[])", {"words": words})] if words else []


def _help(arguments: Mapping[str, Any], _: Any) -> Sequence[Where]:
    audience = arguments.get("audience")
    of_audience = Where("{t}.audience IN ('EVERYONE', :audience)", {"audience": audience.value}) if audience is not None else None
    return [
        *unretired(arguments),
        *([of_audience] if of_audience else []),
        *_searched(arguments, f"{{t}}.name || ' ' || {_PROSE}"),
    ]


def _contacts(arguments: Mapping[str, Any], _: Any) -> Sequence[Where]:
    return [*unretired(arguments), *_searched(arguments, "concat_ws(' ', {t}.name, {t}.note, {t}.phone)")]


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
            str | None,
            strawberry.argument(
                description="Only articles whose title or text contains each of these words, parted by blanks; two characters are enough."
            ),
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
            str | None,
            strawberry.argument(
                description="Only whose name, note or phone contains each of these words, parted by blanks; two characters are enough."
            ),
        ] = None,
    ) -> list[HelpContact]:
        """All, or who was found."""
        return await rows_of(info, search=search)
