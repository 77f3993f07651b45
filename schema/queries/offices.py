"""What offices read beside their cases: accounts of staff, acts with them, messages, pools that were merged."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import strawberry

from domain.lists import TO_SEND_AGAIN, among, search_term
from domain.reads import Where
from domain.rules.viewer import Viewer as ViewerFacts
from models.enums import AccountStatus, MergeState, Role, SmsState, StaffActKind
from schema.context import Info
from schema.nodes import key_of
from schema.pages import After, Before, Connection, First, Last, page_of, paged
from schema.queries import doors
from schema.types.accounts import Account
from schema.types.messages import Message
from schema.types.pools import PoolMerge
from schema.types.staff import StaffAct


def _staff(arguments: Mapping[str, Any], viewer: ViewerFacts | None) -> Sequence[Where]:
    """Of experts nobody's account is listed; which of the rest, domain/reads.py says."""
    doors.staff(viewer)
    given = {name: str(arguments[name]) for name in ("role", "status", "pool_code") if arguments.get(name) is not None}
    search = (arguments.get("search") or "").strip()
    return [
        Where("{t}.role <> 'EXPERT'"),
        *(Where(f"{{t}}.{name} = :of_{name}", {f"of_{name}": value}) for name, value in given.items()),
        *([Where("{t}.name ILIKE :search", {"search": search_term(search)})] if search else []),
    ]


def _ledger(arguments: Mapping[str, Any], viewer: ViewerFacts | None) -> Sequence[Where]:
    doors.staff(viewer)
    states = arguments.get("states")
    waiting = TO_SEND_AGAIN if arguments.get("awaiting_me") else ()
    return [*waiting, *([] if states is None else [among("state", states)])]


def _acts(arguments: Mapping[str, Any], viewer: ViewerFacts | None) -> Sequence[Where]:
    """For administrators."""
    doors.administrator(viewer)
    found = []
    if arguments.get("staff_id") is not None:
        found.append(Where("{t}.account_id = :of_account", {"of_account": key_of(arguments["staff_id"], Account)}))
    if arguments.get("acts") is not None:
        found.append(among("act", arguments["acts"]))
    return found


def _merges(arguments: Mapping[str, Any], viewer: ViewerFacts | None) -> Sequence[Where]:
    doors.staff(viewer)
    state = arguments.get("state")
    return [] if state is None else [Where("{t}.state = :state", {"state": state.value})]


@strawberry.type
class OfficeQueries:
    """Reading for staff."""

    @strawberry.field(
        description="Accounts of staff: all for administrators, their active colleagues for officers. NOT_SIGNED_IN and NOT_ALLOWED are top-level errors.",
        metadata=paged("Account", ("created_at", "id"), _staff),
    )
    async def staff(
        self,
        info: Info,
        role: Annotated[Role | None, strawberry.argument(description="Only of this role.")] = None,
        status: Annotated[AccountStatus | None, strawberry.argument(description="Only in this state.")] = None,
        pool_code: Annotated[str | None, strawberry.argument(description="Only officers of this pool.")] = None,
        search: Annotated[str | None, strawberry.argument(description="Only names that contain this text.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Account]:
        """For staff."""
        facts = {"role": role, "status": status, "pool_code": pool_code, "search": search}
        found: Connection[Account] = await page_of(info, **facts, first=first, after=after, last=last, before=before)
        return found

    @strawberry.field(
        description="账号操作记录: what was done with accounts of staff, their sign-ins too, the newest first. For administrators; NOT_SIGNED_IN and "
        "NOT_ALLOWED are top-level errors.",
        metadata=paged("StaffAct", ("number",), _acts, descending=True),
    )
    async def staff_acts(
        self,
        info: Info,
        staff_id: Annotated[strawberry.ID | None, strawberry.argument(description="Only with the account of this global id.")] = None,
        acts: Annotated[list[StaffActKind] | None, strawberry.argument(description="Only these.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[StaffAct]:
        """For administrators."""
        found: Connection[StaffAct] = await page_of(info, staff_id=staff_id, acts=acts, first=first, after=after, last=last, before=before)
        return found

    @strawberry.field(
        description="专家库合并: pools that were closed into others, the newest first, with how far it is: all for administrators and the province, "
        "those that came into its own pool for an office. NOT_SIGNED_IN and NOT_ALLOWED are top-level errors.",
        metadata=paged("PoolMerge", ("created_at", "id"), _merges, descending=True),
    )
    async def pool_merges(
        self,
        info: Info,
        state: Annotated[MergeState | None, strawberry.argument(description="Only in this state.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[PoolMerge]:
        """For staff."""
        found: Connection[PoolMerge] = await page_of(info, state=state, first=first, after=after, last=last, before=before)
        return found

    @strawberry.field(
        description=(
            "The ledger of messages to phones, the newest first: of the office's cases for officers, all for administrators. "
            "To work off what did not arrive, read `awaitingMe: true`, see to what `lastError` tells (a number is put right by its owner), and "
            "send each again by `messageResend`: the row leaves this list, and comes back as its `resentAs` should that fail too. "
            "NOT_SIGNED_IN and NOT_ALLOWED are top-level errors."
        ),
        metadata=paged("Message", ("created_at", "id"), _ledger, descending=True),
    )
    async def messages(
        self,
        info: Info,
        states: Annotated[list[SmsState] | None, strawberry.argument(description="Only in these states.")] = None,
        awaiting_me: Annotated[
            bool,
            strawberry.argument(
                description="True: only what is left to be done: messages that failed or are undeliverable, were not sent again, and can be (no "
                "codes, nothing to people who left); `totalCount` tells how many."
            ),
        ] = False,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Message]:
        """For staff."""
        found: Connection[Message] = await page_of(
            info, states=states, awaiting_me=awaiting_me, first=first, after=after, last=last, before=before
        )
        return found
