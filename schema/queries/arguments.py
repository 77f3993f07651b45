"""Arguments that several queries take."""

from typing import Annotated

import strawberry

GlobalIdArgument = Annotated[strawberry.ID, strawberry.argument(description="A global id.")]
