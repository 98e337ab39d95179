import os
import selectors
import tty
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from printer_driver.port.attached_port import AttachedPort
from printer_driver.port.port_keeper import (
    REOPEN_S,
    PortKeeper,
)
from printer_driver.port.serial_log import SerialLog

MUCH = b"G1 X1\n" * 2000


@dataclass
class User:
    """Writes down what happens."""

    heard: list[str] = field(default_factory=list)

    def port_ready(self, now_s: float) -> None:
        self.heard.append("ready")

    def port_lost(self, reason: str, now_s: float) -> None:
        self.heard.append("lost")

    def port_absent(self, reason: str, now_s: float) -> None:
        self.heard.append("absent")

    def received(self, data: bytes, now_s: float) -> None:
        self.heard.append(data.decode())


class Bench:
    """A port on a pseudo-terminal, in a selector."""

    def __init__(self, folder: Path) -> None:
        self.master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(self.master, False)
        self.name = os.ttyname(slave)
        os.close(slave)
        self.user = User()
        self.selector = selectors.DefaultSelector()
        self.log = SerialLog(folder / "log")
        keeper = PortKeeper(port=self.name, baud=115200, notes=folder / "notes", dev=folder)
        self.port = AttachedPort(
            keeper=keeper, selector=self.selector, serial_log=self.log, user=self.user
        )
        self.port.open(0.0)

    def turn(self) -> None:
        for key, mask in self.selector.select(1.0):
            key.data(mask)

    def unplug(self) -> None:
        if self.master >= 0:
            os.close(self.master)
            self.master = -1


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.port.close()
    bench.unplug()
    bench.selector.close()


def test_bytes_go_both_ways_and_into_the_log(bench: Bench) -> None:
    os.write(bench.master, b"ok\n")
    bench.turn()
    bench.port.write(b"M105\n", 1.0)
    assert os.read(bench.master, 99) == b"M105\n"
    assert bench.user.heard == ["ready", "ok\n"]
    assert [line[-5:] for line in bench.log.take()[1:]] == [b"< ok\n", b"M105\n"]


def test_what_the_port_does_not_take_goes_later_and_in_order(bench: Bench) -> None:
    bench.port.write(MUCH, 1.0)
    taken = b""
    while len(taken) < len(MUCH):
        taken += os.read(bench.master, 1 << 16)
        bench.turn()
    assert taken == MUCH
    assert [key.events for key in bench.selector.get_map().values()] == [selectors.EVENT_READ]


def test_urgent_bytes_overtake_what_waits(bench: Bench) -> None:
    bench.port.write(MUCH, 1.0)
    bench.port.write_urgently(b"\nM112\n", 1.0)
    taken = b""
    while not taken.endswith(b"\nM112\n"):
        taken += os.read(bench.master, 1 << 16)
        bench.turn()
    assert len(taken) < len(MUCH)  # what had waited here is not sent any more


def test_a_port_that_goes_is_an_event_and_is_looked_for(bench: Bench) -> None:
    bench.unplug()
    bench.turn()
    assert bench.user.heard == ["ready", "lost"]
    assert not bench.port.is_open
    bench.port.write(b"M105\n", 1.0)  # nobody is there; nothing happens
    bench.port.tick((bench.port.next_deadline_s() or 0) + REOPEN_S)
    assert bench.user.heard[-1] == "absent"


def test_a_pseudo_terminal_has_no_speed(bench: Bench) -> None:
    assert bench.port.wire_baud == 0
