from __future__ import annotations

import io
import os
from collections.abc import AsyncIterator, Callable

import pytest
from cryptography.exceptions import InvalidTag

from models.sealed_objects import sealed, unsealed
from settings import Settings

PIECE = 64 * 1024
HEAD = 5 + 16
SIZES = [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 17]


@pytest.fixture(autouse=True, params=["aes", "sm"])
def suite(request: pytest.FixtureRequest, change_settings: Callable[..., Settings]) -> str:
    """Every test runs under both."""
    chosen: str = change_settings(crypto=request.param).crypto
    return chosen


def seal(data: bytes, name: str = "a/b") -> bytes:
    return b"".join(sealed(io.BytesIO(data), name))


async def unseal(box: bytes, name: str = "a/b", part: int = 10_000) -> bytes:
    async def parts() -> AsyncIterator[bytes]:
        for start in range(0, len(box), part):
            yield box[start : start + part]

    return b"".join([piece async for piece in unsealed(parts(), name)])


@pytest.mark.parametrize("part", [7, PIECE + 16, 10**9])
@pytest.mark.parametrize("size", SIZES)
async def test_what_was_sealed_opens_however_it_is_cut(size: int, part: int) -> None:
    data = os.urandom(size)

    assert await unseal(seal(data), part=part) == data


@pytest.mark.parametrize("size", SIZES)
async def test_whatever_is_changed_or_missing_is_noticed(size: int) -> None:
    box = seal(os.urandom(size))
    broken = [box[:-1], box + b"\0", box[:10], b"", box[: HEAD + PIECE + 16], box[:HEAD] + box[HEAD + PIECE + 16 :]]
    broken += [box[:place] + bytes([box[place] ^ 1]) + box[place + 1 :] for place in (0, 1, 5, 20, 21, len(box) - 1)]

    for each in broken:
        if each != box:
            with pytest.raises(InvalidTag):
                await unseal(each)


async def test_pieces_do_not_open_in_another_order_or_under_another_name() -> None:
    head, first, second, last = sealed(io.BytesIO(os.urandom(3 * PIECE)), "a/b")

    assert len(await unseal(head + first + second + last)) == 3 * PIECE
    with pytest.raises(InvalidTag):
        await unseal(head + second + first + last)
    with pytest.raises(InvalidTag):
        await unseal(head + first + second + last, name="a/c")


async def test_the_same_bytes_are_never_sealed_alike() -> None:
    assert seal(b"the same") != seal(b"the same")
