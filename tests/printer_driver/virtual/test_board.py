import random
from pathlib import Path
from typing import Any

import pytest

from printer_driver.core.gcode.gcode_lines import (
    commands_of,
    numbered_line,
)
from printer_driver.virtual.board import (
    Board,
    BoardSetup,
)
from printer_driver.virtual.firmware import (
    Executed,
    Say,
)
from printer_driver.virtual.incidents import parse_incident
from printer_driver.virtual.motion import Motion
from printer_driver.virtual.noise import NoiseRates
from printer_driver.virtual.usb_wire import Wiring
from printer_driver.virtual.virtual_dialects import FirmwareSetup

PIN = Path(__file__).parents[2] / "data" / "gcode" / "pin_mk3s.gcode"


class Bench:
    """A host that knows only bytes and time."""

    def __init__(self, seed: int = 1, **setup: Any) -> None:
        self.board = Board(BoardSetup(**setup), random.Random(seed).random)
        self.now_s = 0.0
        self.executed: list[str] = []
        self.heard = ""

    def run(self, duration_s: float) -> str:
        """What comes in that time."""
        before, end_s = len(self.heard), self.now_s + duration_s
        while (due_s := self.board.next_deadline_s()) is not None and due_s <= end_s:
            self.now_s = due_s
            self.board.tick(due_s)
            self.collect()
        self.now_s = end_s
        self.board.tick(end_s)
        self.collect()
        return self.heard[before:]

    def collect(self) -> None:
        for effect in self.board.effects():
            if isinstance(effect, Say):
                self.heard += effect.data.decode("latin-1")
            elif isinstance(effect, Executed):
                self.executed.append(effect.command)

    def tell(self, *lines: bytes, within_s: float = 1.0) -> str:
        before = len(self.heard)
        self.board.receive(b"".join(lines), self.now_s)
        self.collect()
        self.run(within_s)
        return self.heard[before:]

    def cause(self, text: str) -> None:
        self.board.cause(parse_incident(text), self.now_s)


def lines_per_s(window: int, **wiring: Any) -> float:
    """A host that keeps `window` lines of 40 bytes in flight."""
    bench = Bench(wiring=Wiring(**wiring))
    line, lines, sent = b"M117 " + b"x" * 34 + b"\n", 400, 0
    bench.run(1.0)
    began_s = bench.now_s
    while (done := bench.heard.count("ok")) < lines:
        while sent < min(lines, done + window):
            bench.board.receive(line, bench.now_s)
            sent += 1
        due_s = bench.board.next_deadline_s()
        assert due_s is not None
        bench.run(due_s - bench.now_s)
    return lines / (bench.now_s - began_s)


def test_one_line_in_flight_loses_a_third_of_the_wire_and_three_lose_nothing() -> None:
    wire = 11520 / 40
    assert lines_per_s(1, baud=115200, latency_s=0.001) == pytest.approx(wire * 0.65, rel=0.05)
    assert lines_per_s(3, baud=115200, latency_s=0.001) > wire * 0.98
    assert lines_per_s(1, baud=250000, latency_s=0.001) < 25000 / 40 * 0.5
    assert lines_per_s(3, baud=250000, latency_s=0.001) > 25000 / 40 * 0.97


def test_a_small_receive_buffer_overflows_while_the_firmware_is_busy() -> None:
    bench = Bench(wiring=Wiring(baud=115200), firmware=FirmwareSetup(rx_bytes=128))
    bench.run(1.0)
    lines = [numbered_line(n, f"G1 X{n}") for n in range(1, 40)]
    assert "Resend" not in bench.tell(b"G4 S1\n", *lines, within_s=3.0)
    answer = bench.tell(b"\n", numbered_line(40, "G1 X40"))
    asked = int(answer.split("Resend: ")[1].split()[0])
    assert bench.executed == ["G4 S1", *(f"G1 X{n}" for n in range(1, asked))]


def test_native_usb_lets_the_host_wait_instead() -> None:
    bench = Bench(firmware=FirmwareSetup(rx_bytes=128))
    lines = [numbered_line(n, f"G1 X{n}") for n in range(1, 40)]
    assert "Resend" not in bench.tell(b"G4 S1\n", *lines, within_s=10.0)
    assert len(bench.executed) == 40


def test_noise_is_asked_for_again_and_a_lost_ok_is_not() -> None:
    bench = Bench(noise=NoiseRates(flips_to_printer=0.02, lost_oks=0.1), wiring=Wiring(baud=115200))
    bench.run(1.0)
    answer = bench.tell(*(numbered_line(n, "M117 hello") for n in range(1, 400)), within_s=30.0)
    assert "Resend: " in answer
    assert 0 < answer.count("ok") < len(bench.executed) + answer.count("Resend")


def test_pulled_out_and_put_back_the_board_goes_on() -> None:
    bench = Bench(incidents=((5.0, parse_incident("unplug 2")),))
    bench.tell(numbered_line(1, "M104 S100"), within_s=5.5)
    assert bench.tell(b"M105\n") == ""
    bench.run(1.0)
    assert "/100.00" in bench.tell(b"M105\n")
    assert "Resend" not in bench.tell(numbered_line(2, "M83"))


@pytest.mark.parametrize("resets", [True, False])
def test_dtr_resets_the_boards_that_are_wired_so(resets: bool) -> None:
    bench = Bench(resets_on_dtr=resets)
    bench.tell(numbered_line(1, "M83"))
    bench.board.dtr_rises(bench.now_s)
    assert ("start" in bench.run(2.0)) is resets


def test_incidents_one_after_the_other() -> None:
    bench = Bench()
    bench.run(1.0)
    bench.cause("say // action:paused")
    bench.cause("hang 3")
    assert bench.tell(b"M105\n", within_s=2.9) == "// action:paused\n"
    assert "ok T:" in bench.run(1.0)
    bench.cause("short nozzle")
    assert "MAXTEMP triggered" in bench.run(2.0)
    bench.cause("mend nozzle")
    bench.cause("reset")
    assert bench.run(2.0).startswith("start")
    bench.cause("stop")
    assert bench.board.is_over


def test_a_real_file_adds_up_to_what_it_says() -> None:
    with PIN.open("rb") as file:
        commands = [command.text for command in commands_of(file)]
    bench, expected = Bench(), Motion()
    for number, command in enumerate(commands, 1):
        before = bench.heard.count("ok")
        bench.board.receive(numbered_line(number, command), bench.now_s)
        bench.collect()
        while bench.heard.count("ok") == before:
            due_s = bench.board.next_deadline_s()
            assert due_s is not None
            bench.run(due_s - bench.now_s)
        replay(expected, command)
    assert bench.executed == commands
    assert bench.board.condition.totals == expected.totals
    # PrusaSlicer estimates 90 s; the firmware adds heating, homing and probing.
    assert 90 < bench.now_s < 90 + 250


def replay(motion: Motion, command: str) -> None:
    code = command.split(maxsplit=1)[0]
    if code in ("G0", "G1"):
        while motion.is_full:
            motion.advance(motion.next_end_s)
        motion.plan(command, 0.0)
    elif code in ("G90", "G91", "M82", "M83"):
        motion.set_mode(code)
    elif code == "G92":
        motion.set_position(command)
    elif code == "G28":
        motion.home(command)
