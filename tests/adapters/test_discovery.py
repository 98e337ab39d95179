import asyncio

import pytest

from crdtqueue.adapters.discovery import discover
from crdtqueue.adapters.links import Address
from crdtqueue.core.ids import PeerId

A, B, C = (PeerId(digit * 16) for digit in "abc")


def at(port: int) -> Address:
    return Address(host="127.0.0.1", port=port)


async def announce(
    tasks: asyncio.TaskGroup, room: str, peer: PeerId, port: int
) -> tuple["asyncio.Queue[Address]", list[str]]:
    found: asyncio.Queue[Address] = asyncio.Queue()
    problems: list[str] = []
    tasks.create_task(
        discover(
            room=room,
            peer=peer,
            listen=at(port),
            found=found.put_nowait,
            on_problem=problems.append,
        )
    )
    return found, problems


def test_peers_of_one_room_find_each_other_and_nobody_else() -> None:
    async def scenario() -> None:
        async with asyncio.TaskGroup() as tasks:
            finds_b, problems = await announce(tasks, "open-1.1", A, 17001)
            finds_a, _ = await announce(tasks, "open-1.1", B, 17002)
            finds_nobody, _ = await announce(tasks, "open-2.1", C, 17003)
            assert await finds_b.get() == at(17002)
            assert await finds_a.get() == at(17001)
            assert finds_nobody.empty()
            assert problems == []
            raise EndOfTestError

    with pytest.raises(ExceptionGroup) as caught:
        asyncio.run(scenario())
    assert caught.group_contains(EndOfTestError)


class EndOfTestError(Exception):
    pass


def test_an_interface_that_is_not_there_is_a_sentence() -> None:
    problems: list[str] = []

    async def scenario() -> None:
        await discover(
            room="open-1.1",
            peer=A,
            listen=Address(host="127.9.9.9.invalid", port=1),
            found=lambda _: None,
            on_problem=problems.append,
        )

    asyncio.run(scenario())
    assert len(problems) == 1
    assert "Give the address" in problems[0]
