"""Links over real loopback sockets: who answers, who does not, and who cannot keep up."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from types import SimpleNamespace

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import InvalidStatus

from crdtqueue.adapters import links
from crdtqueue.adapters.links import Address, Link, dial, listen, parse_address
from crdtqueue.core.errors import Hostile, Invalid
from tests.harness.patience import HANG_S

HOST = "127.0.0.1"


def always() -> bool:
    return True


def is_room(room: str) -> bool:
    return room == "room"


async def echo(link: Link) -> None:
    async def on_frame(frame: bytes) -> None:
        link.send(frame)

    await link.run(on_frame)


async def refuse(link: Link) -> None:
    async def on_frame(_: bytes) -> None:
        raise Hostile("it speaks")

    await link.run(on_frame)


@contextlib.asynccontextmanager
async def listening(on_link: Callable[[Link], Awaitable[None]] = echo) -> AsyncIterator[Address]:
    """A listener; its address."""
    listener = socket.create_server((HOST, 0))
    task = asyncio.create_task(listen(listener, is_room, on_link))
    try:
        yield Address(host=HOST, port=listener.getsockname()[1])
    finally:
        task.cancel()
        await asyncio.wait([task])
        listener.close()


async def problems_of(address: Address, room: str = "room", *, count: int = 1) -> list[str]:
    """The first `count` problems of dialling."""
    told: list[str] = []
    enough = asyncio.Event()

    def on_problem(problem: str) -> None:
        told.append(problem)
        if len([each for each in told if each]) >= count:
            enough.set()

    dialling = asyncio.create_task(
        dial(address, room, wanted=always, on_link=echo, on_problem=on_problem)
    )
    waiting = asyncio.create_task(enough.wait())
    async with asyncio.timeout(HANG_S):
        await asyncio.wait({dialling, waiting}, return_when=asyncio.FIRST_COMPLETED)
    assert not dialling.done(), "dialling never ends by itself"
    dialling.cancel()
    await asyncio.wait([dialling])
    return told


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("mk3s.local:7420", Address(host="mk3s.local", port=7420)),
        (" 192.168.1.5:1 ", Address(host="192.168.1.5", port=1)),
        ("[fe80::1]:65535", Address(host="fe80::1", port=65535)),
        ("my_pi:7420", Address(host="my_pi", port=7420)),
    ],
)
def test_addresses_are_read_as_people_write_them(text: str, address: Address) -> None:
    assert parse_address(text) == address
    assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    "text",
    ["", "a", ":1", "a:", "a:0", "a:65536", "a:1:2", "::1:7420", "a b:1", "http://a:1", "a/b:1",
     "a..b:1", ".:1", ".a:1", "x" * 64 + ":1", "x." * 127 + "x:1", "[:::::]:1", "[1.2.3.4]:1",
     "[::1%eth0]:1", "ä:1", "a:١", "a:1\n2", "a\0:1"],
)  # fmt: skip
def test_what_is_no_address_is_said_with_an_example(text: str) -> None:
    with pytest.raises(Invalid, match=r"like mk3s\.local:7420"):
        parse_address(text)


def test_frames_go_both_ways_in_order() -> None:
    async def scenario() -> None:
        async with (
            listening() as address,
            connect(f"ws://{address}/room", proxy=None) as websocket,
        ):
            for number in range(100):
                await websocket.send(bytes([number]))
            assert [await websocket.recv() for _ in range(100)] == [bytes([n]) for n in range(100)]

    asyncio.run(scenario())


def test_a_dialled_link_knows_both_ends_and_is_dialled_again_after_it_ends() -> None:
    async def scenario() -> None:
        seen: list[tuple[str, str, Address | None]] = []
        twice = asyncio.Event()

        async def once(link: Link) -> None:
            seen.append((link.local_host, link.remote_host, link.dialled))
            if len(seen) == 2:
                twice.set()

        async with listening() as address:
            dialling = asyncio.create_task(
                dial(address, "room", wanted=always, on_link=once, on_problem=lambda _: None)
            )
            async with asyncio.timeout(HANG_S):
                await twice.wait()
            dialling.cancel()
            await asyncio.wait([dialling])
        assert seen == [(HOST, HOST, address)] * 2

    asyncio.run(scenario())


def test_a_peer_that_hangs_up_at_once_is_asked_less_and_less_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gaps: list[float] = []

    async def sleep(delay_s: float) -> None:
        gaps.append(delay_s)
        await asyncio.sleep(0)

    monkeypatch.setattr(links, "asyncio", SimpleNamespace(**{**vars(asyncio), "sleep": sleep}))

    async def scenario() -> None:
        enough = asyncio.Event()

        async def hang_up(_: Link) -> None:
            if len(gaps) == 3:
                enough.set()

        async with listening(hang_up) as address:
            dialling = asyncio.create_task(
                dial(address, "room", wanted=always, on_link=echo, on_problem=lambda _: None)
            )
            async with asyncio.timeout(HANG_S):
                await enough.wait()
            dialling.cancel()
            await asyncio.wait([dialling])
        assert gaps[2] > gaps[0] * 1.5

    asyncio.run(scenario())


def test_nobody_there_no_such_queue_and_no_such_name_are_told_apart() -> None:
    async def scenario() -> None:
        free = socket.create_server((HOST, 0))
        nobody = Address(host=HOST, port=free.getsockname()[1])
        free.close()
        assert "nobody listens" in (await problems_of(nobody))[0]
        unknown = Address(host="no-such-name.invalid", port=7601)
        assert "no such name" in (await problems_of(unknown))[0]
        async with listening() as address:
            told = await problems_of(address, "another")
            assert told[-1] == (
                f"{address} does not have this queue. Add it there under the same name."
            )

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x00\xff" * 5_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        b"HTTP/1.1 101 Switching\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: ws://a..b/\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: //[:::::]/\r\n\r\n",
        b"HTTP/1.1 301 Moved\r\nLocation: \xff\r\n\r\n",
        b"HTTP/1.1 500 " + b"x" * 100_000,
    ],
)
def test_what_is_no_peer_is_a_sentence(answer: bytes) -> None:
    async def scenario() -> None:
        async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readline()
            writer.write(answer)
            writer.close()

        server = await asyncio.start_server(respond, HOST, 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            told = await problems_of(Address(host=HOST, port=port), count=2)
            assert "is no crdtqueue peer. Check the address." in told[0]

    asyncio.run(scenario())


def test_another_websocket_server_is_no_peer() -> None:
    async def scenario() -> None:
        async with serve(lambda websocket: websocket.wait_closed(), HOST, 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            told = await problems_of(Address(host=HOST, port=port))
            assert "is no crdtqueue peer" in told[0]

    asyncio.run(scenario())


def test_a_machine_that_takes_the_connection_and_says_nothing_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(links, "CONNECT_TIMEOUT_S", 0.1)

    async def scenario() -> None:
        with socket.create_server((HOST, 0)) as silent:
            address = Address(host=HOST, port=silent.getsockname()[1])
            assert "does not answer" in (await problems_of(address))[0]

    asyncio.run(scenario())


def test_a_web_page_cannot_open_a_link() -> None:
    async def scenario() -> None:
        async with listening() as address:
            with pytest.raises(InvalidStatus, match="403"):
                await connect(f"ws://{address}/room", origin="http://evil.example", proxy=None)  # type: ignore[arg-type]

    asyncio.run(scenario())


def test_more_links_than_allowed_are_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "LINKS_MAX", 1)

    async def scenario() -> None:
        async with listening() as address:
            url = f"ws://{address}/room"
            async with connect(url, proxy=None) as first:
                await first.send(b"x")
                await first.recv()
                async with connect(url, proxy=None) as second:
                    await second.wait_closed()
                    assert second.close_code == 1013
            async with connect(url, proxy=None) as third:
                await third.send(b"x")
                assert await third.recv() == b"x"

    asyncio.run(scenario())


def test_whoever_breaks_the_protocol_is_hung_up_on_with_one_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario() -> None:
        async with (
            listening(refuse) as address,
            connect(f"ws://{address}/room", proxy=None) as websocket,
        ):
            await websocket.send(b"x")
            await websocket.wait_closed()
            assert (websocket.close_code, websocket.close_reason) == (1000, "protocol error")

    asyncio.run(scenario())
    assert "is disconnected: it speaks" in caplog.text
    assert not any(record.exc_info for record in caplog.records)


@pytest.mark.parametrize("fault", [RuntimeError("a fault"), OSError("the disk")])
def test_a_fault_at_a_dialled_link_ends_neither_the_dialling_nor_the_peer(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fault: Exception
) -> None:
    monkeypatch.setattr(links, "RETRY_FIRST_S", 0.01)
    calls = 0
    again = asyncio.Event()
    problems: list[str] = []

    async def fail_once(link: Link) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise fault
        again.set()

    async def scenario() -> None:
        async with listening() as address, asyncio.timeout(HANG_S), asyncio.TaskGroup() as tasks:
            dialling = tasks.create_task(
                dial(address, "room", wanted=always, on_link=fail_once, on_problem=problems.append)
            )
            await again.wait()
            dialling.cancel()

    asyncio.run(scenario())
    assert "because of a fault in crdtqueue" in caplog.text
    assert not any(problems), "it is no fault of the other machine"


@pytest.mark.parametrize("sent", [b"", b"\x00" * 100, b"GET / HTTP/1.1\r\n\r\n", b"x" * 100_000])
def test_port_scanners_get_no_traceback(sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with listening() as address:
            reader, writer = await asyncio.open_connection(address.host, address.port)
            with contextlib.suppress(OSError):
                writer.write(sent)
                writer.write_eof()
                await reader.read()
            writer.close()
            async with connect(f"ws://{address}/room", proxy=None) as websocket:
                await websocket.send(b"x")
                assert await websocket.recv() == b"x"

    asyncio.run(scenario())
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]


def test_a_link_that_does_not_keep_up_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(links, "OUTBOX_BYTES_MAX", 10 * 1024**2)

    async def scenario() -> None:
        over = asyncio.Event()

        async def flood(link: Link) -> None:
            for _ in range(20):
                link.send(bytes(1024**2))
            await echo(link)
            over.set()

        async with (
            asyncio.timeout(HANG_S),
            listening(flood) as address,
            connect(f"ws://{address}/room", proxy=None, max_queue=1) as slow,
        ):
            await over.wait()
            slow.transport.abort()

    asyncio.run(scenario())
    assert "does not keep up" in caplog.text


def test_a_peer_that_closes_while_much_is_on_its_way_to_it_is_dialled_again() -> None:
    async def scenario() -> None:
        links_seen = 0
        again = asyncio.Event()

        async def flood(link: Link) -> None:
            nonlocal links_seen
            links_seen += 1
            if links_seen == 2:
                again.set()
            link.send(bytes(9 * 1024**2))
            await echo(link)

        # It takes no frame of this size, and closes as soon as it sees how long it will be.
        async with serve(
            lambda websocket: websocket.wait_closed(),
            HOST,
            0,
            max_size=1_000,
            subprotocols=links.SUBPROTOCOLS,
        ) as server:
            address = Address(host=HOST, port=next(iter(server.sockets)).getsockname()[1])
            dialling = asyncio.create_task(
                dial(address, "room", wanted=always, on_link=flood, on_problem=lambda _: None)
            )
            waiting = asyncio.create_task(again.wait())
            async with asyncio.timeout(HANG_S):
                await asyncio.wait({dialling, waiting}, return_when=asyncio.FIRST_COMPLETED)
            assert not dialling.done()
            dialling.cancel()
            await asyncio.wait([dialling])

    asyncio.run(scenario())
