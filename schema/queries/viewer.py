"""Who asks, and anything by its global id."""

import asyncio
from typing import Annotated, Any

import strawberry

from domain.rules.errors import FieldProblem, InvalidInput, NotSignedIn
from schema.context import Context, Info
from schema.nodes import NODES, ById, Node, OfViewer, resolve_node
from schema.queries.arguments import GlobalIdArgument
from schema.types.accounts import Viewer, viewer_of


@strawberry.type
class ViewerQueries:
    """Reading of oneself and of single things."""

    @strawberry.field(description="Who is signed in; null when nobody is.", metadata={"source": OfViewer()})
    def viewer(self, info: Info) -> Viewer | None:
        """Facts of the session."""
        return viewer_of(info)

    @strawberry.field(description="The version of the privacy terms in force; registering accepts it.")
    def privacy_terms_version(self, info: Info) -> str:
        """From the settings."""
        return info.context.settings.privacy_terms_version

    @strawberry.field(
        description="Anything by its global id; null where there is no such thing or it is not for the viewer. Without a session NOT_SIGNED_IN is "
        "a top-level error for all that is not for everybody.",
        metadata={"source": ById()},
    )
    async def node(self, info: Info, id: GlobalIdArgument) -> Node | None:
        """Relay's node."""
        return await resolve_node(id, info.context)

    @strawberry.field(
        description="Several things by their global ids, in that order, null for each that is not there; at most 100. Without a session "
        "NOT_SIGNED_IN is a top-level error for each that is not for everybody."
    )
    async def nodes(
        self, info: Info, ids: Annotated[list[strawberry.ID], strawberry.argument(description="Global ids.")]
    ) -> list[Node | None]:
        """Relay's nodes."""
        if len(ids) > NODES:
            raise InvalidInput([FieldProblem("ids", "TOO_MANY", {"maximum": NODES})])
        return list(await asyncio.gather(*(_one_of_several(each, info.context) for each in ids)))


async def _one_of_several(global_id: str, context: Context) -> Any:
    """As `resolve_node`; the refusal in the place of the thing, where the executor tells of it, so that the others stay."""
    try:
        return await resolve_node(global_id, context)
    except NotSignedIn as refused:
        return refused
