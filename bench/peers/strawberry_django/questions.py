"""Our operations as strawberry-django is asked them: pages by edges, as its connections have them; its answers put into our shape."""

from __future__ import annotations

from typing import Any

from bench import operations


def _by_edges(document: str) -> str:
    """A document whose page, if it asks for one, has its nodes below edges; what awaits the province is all that the peer lists."""
    found = document.replace(", filter: {awaitingMe: true}", "")
    return found.replace("nodes {", "edges { node {") + "}" if "nodes {" in found else found


DOCUMENTS = {each.name: _by_edges(each.document) for each in (*operations.OPERATIONS, operations.MUTATION)}


def shaped(_: str, answer: Any) -> Any:
    """An answer of the peer as ours."""
    for page in (answer["data"] or {}).values():
        if page and "edges" in page:
            page["nodes"] = [each["node"] for each in page.pop("edges")]
    return answer
