"""Starting a peer: its arguments, its ports, and a whole one in this process."""

import argparse
import asyncio
import contextlib
import errno
import json
import os
import signal
import socket
import sqlite3
import threading
from pathlib import Path

import httpx
import pytest

from crdtqueue.adapters.links import Address
from crdtqueue.adapters.printer_process import SerialPrinter
from crdtqueue.cli import serve
from crdtqueue.cli.main import main, make_parser
from crdtqueue.core.claims.claim_events import ClaimTimes
from crdtqueue.core.errors import Invalid, Refused
from crdtqueue.peer.peer import STORE_NAME
from tests.harness.loopback_peers import running


def options(*arguments: str) -> argparse.Namespace:
    given = ["serve", *arguments]
    return make_parser(given).parse_args(given)


def test_a_peer_needs_no_arguments() -> None:
    config = serve.config_of(options())
    assert config.listen == Address(host="0.0.0.0", port=7420)  # noqa: S104
    assert config.http == Address(host="127.0.0.1", port=7421)
    assert config.folder.is_absolute()
    assert config.printer is None
    assert config.name == socket.gethostname()


def test_the_times_of_claims_are_those_that_are_safe_unless_a_test_says_otherwise(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert serve.config_of(options()).times == ClaimTimes()
    told = serve.config_of(options("--cold-start-hold-s", "3", "--mark-lost-after-s", "4")).times
    assert told == ClaimTimes(cold_start_hold_s=3.0, mark_lost_after_s=4.0)
    with pytest.raises(SystemExit):
        options("--help")
    shown = capsys.readouterr().out
    assert "--cold-start-hold-s" in shown
    assert "--mark-lost-after-s" not in shown


def test_a_printer_has_a_port_and_a_profile() -> None:
    config = serve.config_of(
        options("--port", "virtual", "--profile", " mk3s ", "--self-clearing", "--speed-up", "2")
    )
    assert config.printer
    assert config.printer.profile == "MK3S"
    assert config.printer.worker.self_clearing
    assert config.printer.place == SerialPrinter(port="virtual", speed_up=2.0)


@pytest.mark.parametrize(
    ("arguments", "baud"),
    [
        ([], 115200),
        (["--baud", "250000"], 250000),
        (["--baud", "auto"], None),
        (["--port", "auto"], None),
        (["--port", "auto", "--baud", "57600"], 57600),
    ],
)
def test_the_speed_of_the_port_is_given_or_found(arguments: list[str], baud: int | None) -> None:
    config = serve.config_of(options("--port", "/dev/ttyUSB0", "--profile", "MK3S", *arguments))
    assert config.printer
    assert isinstance(config.printer.place, SerialPrinter)
    assert config.printer.place.baud == baud


@pytest.mark.parametrize("speed", ["0", "fast", "-1", "1.5"])
def test_a_speed_that_makes_no_sense_is_said(speed: str) -> None:
    with pytest.raises(Invalid, match="no speed"):
        serve.config_of(options("--port", "x", "--profile", "MK3S", f"--baud={speed}"))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--profile", "MK3S"], "--port"),
        (["--port", "virtual"], "--profile"),
        (["--port", "virtual", "--profile", " "], "profile is empty"),
        (["--speed-up", "0"], "--speed-up"),
        (["--speed-up", "nan"], "--speed-up"),
        (["--speed-up", "inf"], "--speed-up"),
        (["--cold-start-hold-s", "nan"], "--cold-start-hold-s"),
        (["--cold-start-hold-s", "-1"], "--cold-start-hold-s"),
        (["--mark-lost-after-s", "-1"], "--mark-lost-after-s"),
        (["--mark-lost-after-s", "inf"], "--mark-lost-after-s"),
        (["--peer", "a:1"], "--queue NAME"),
        (["--queue", "x", "--peer", "a"], "is no peer address"),
        (["--queue", "local"], "reserved"),
        (["--queue", "a/b"], "no slash"),
        (["--listen", "7420"], "is no peer address"),
        (["--http", "0.0.0.0:0"], "is no peer address"),
    ],
)
def test_arguments_that_make_no_sense_are_one_sentence(arguments: list[str], says: str) -> None:
    with pytest.raises(Invalid, match=says):
        serve.config_of(options(*arguments))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_port_that_is_taken_is_said_with_the_option_to_change(host: str) -> None:
    with serve.bind(Address(host=host, port=0), "--listen") as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Refused, match=f"Port {port} is in use.*--http") as caught:
            serve.bind(Address(host=host, port=port), "--http")
    assert caught.value.code == "port_in_use"


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-name.invalid", "999.1.1.1", "2001:db8::1"])
def test_an_address_of_another_computer_is_said(host: str) -> None:
    with pytest.raises(Invalid, match=r"is no address of this computer.*Correct --listen"):
        serve.bind(Address(host=host, port=7650), "--listen")


def test_a_privileged_port_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket, "create_server", refuse)  # tests may run as the administrator
    with pytest.raises(Refused, match="above 1023 with --http") as caught:
        serve.bind(Address(host="127.0.0.1", port=80), "--http")
    assert caught.value.code == "port_privileged"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--http", "127.0.0.1:{taken}"], "port_in_use"),
        (["--listen", "127.0.0.1:{taken}"], "port_in_use"),
        (["--data", "{file}"], "invalid"),
        (["--data", "{file}/folder"], "invalid"),
    ],
)
def test_a_peer_that_cannot_begin_is_exit_code_1_and_no_traceback(
    tmp_path: Path, arguments: list[str], code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        filled = [a.format(taken=port, file=file) for a in arguments]
        defaults = ["--data", str(tmp_path / "data"), "--listen", "127.0.0.1:7651"]
        assert main(["serve", "--json", *defaults, "--http", "127.0.0.1:7652", *filled]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["error"]["code"] == code
    assert "Traceback" not in err


def test_a_folder_in_use_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["serve", "--data", str(tmp_path), "--listen", "127.0.0.1:7653"]
    with contextlib.closing(sqlite3.connect(tmp_path / STORE_NAME)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert main([*arguments, "--http", "127.0.0.1:7654"]) == 1
    assert "Another crdtqueue is running with the folder" in capsys.readouterr().err


def test_a_name_with_blanks_is_the_same_queue_at_the_second_start(tmp_path: Path) -> None:
    started = options("--queue", " The   Shop ", "--peer", "127.0.0.1:7699")
    other, without = options("--queue", "the shop"), options()

    async def scenario() -> None:
        for _ in range(2):
            async with running(tmp_path) as peer:
                await serve._join(peer, started)
                await serve._join(peer, other)
                await serve._join(peer, without)
                assert list(peer.queues) == ["local", "The Shop"]
                assert (
                    len(peer.memberships[peer.queue("the shop").name].finder.where.addresses) == 1
                )

    asyncio.run(scenario())


def test_a_whole_peer_serves_its_page_until_it_is_told_to_stop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In this thread, because signals reach only the main one."""
    page = "http://127.0.0.1:7656"
    seen: list[str] = []

    def watch() -> None:
        with (
            httpx.Client(trust_env=False, transport=httpx.HTTPTransport(retries=20)) as client,
            client.stream("GET", f"{page}/api/events") as events,
        ):
            for line in events.iter_lines():
                if not seen:
                    os.kill(os.getpid(), signal.SIGTERM)
                seen.append(line)

    thread = threading.Thread(target=watch)
    thread.start()
    arguments = ["serve", "--json", "--data", str(tmp_path), "--name", "pi", "--queue", "shop"]
    assert main([*arguments, "--listen", "127.0.0.1:7655", "--http", "127.0.0.1:7656"]) == 0
    thread.join()
    assert seen[0] == "event: state"
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    said = json.loads(out)
    assert said == {"page": f"{page}/", "peer": "127.0.0.1:7655", "name": "pi"}
